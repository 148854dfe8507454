"""Messages that no standard allows, and that arrive all the same: each with what of it can be read, and what is said."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ANY", "BROKEN", "Broken"]

#: Where it does not matter what is read, as long as something is.
ANY = "*"

HEAD = b"From: Ana <ana@example.org>\nTo: bob@example.org\nDate: Sun, 22 Nov 2026 08:30:00 +0000\n"


@dataclass(frozen=True)
class Broken:
    """``said`` are parts of the sentences about it; none: it is legal after all, or nobody would care."""

    name: str
    raw: bytes = field(repr=False)
    said: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    dated: bool = True


def part(kind: str, body: str, *lines: str) -> bytes:
    return "\n".join([f"Content-Type: {kind}", *lines, "", body]).encode()


def mixed(*parts: bytes, boundary: str = "b", end: bool = True) -> bytes:
    head = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n'.encode()
    mark = f"--{boundary}".encode()
    return HEAD + head + b"".join(mark + b"\n" + each + b"\n" for each in parts) + (mark + b"--\n" if end else b"")


def attached(name: str, data: str = "data", *lines: str) -> bytes:
    return part("application/octet-stream", data, f"Content-Disposition: attachment; {name}", *lines)


TEXT = part("text/plain", "Hello.")
NO_DATE = ("No date.",)
NESTED = b"".join(b'Content-Type: multipart/mixed; boundary="n%d"\n\n--n%d\n' % (n, n) for n in range(1000))
UU = "Text.\nbegin 644 cat.txt\n#0V%T\n`\nend\nMore.\n"

BROKEN = [
    Broken("nothing at all", b"", NO_DATE, dated=False),
    Broken("empty lines", b"\n\n\n", NO_DATE, text="\n\n", dated=False),
    Broken("no header", b"\nJust a text.\n", NO_DATE, text="Just a text.\n", dated=False),
    Broken(
        "no header and no empty line",
        b"Just a text.\n",
        (*NO_DATE, "A line among the headers is malformed"),
        text="Just a text.\n",
        dated=False,
    ),
    Broken("no body", HEAD + b"Subject: s\n", (), "s"),
    Broken("NULs", HEAD + b"Subject: a\x00b\n\nc\x00d\n", ("NUL",), "a\ufffdb", "c\x00d\n"),
    Broken("controls in a subject", HEAD + b"Subject: \x1b[2J\x07ok\n\n", (), "\ufffd[2J\ufffdok"),
    # Dates
    Broken(
        "no such day", b"Date: 31 Nov 2026 25:61:00\nSubject: s\n\n", ("The date cannot be read",), "s", dated=False
    ),
    Broken("a date in words", b"Date: last Tuesday\n\n", ("The date cannot be read",), dated=False),
    Broken("a date in bytes", b"Date: \xff\xfe\n\n", ("The date cannot be read", "The Date header"), dated=False),
    Broken("an endless year", b"Date: 1 Jan " + b"9" * 5000 + b" 00:00\n\n", ("date cannot be read",), dated=False),
    Broken("an endless zone", b"Date: Sun, 22 Nov 2026 08:30:00 +9999999\n\n", ("date cannot be read",), dated=False),
    Broken("the year 9999 in the far west", b"Date: Fri, 31 Dec 9999 23:59:59 -1200\n\n"),
    # Headers
    Broken("Latin-1 in a subject", HEAD + b"Subject: gr\xfc\xdfe\n\n", ("The Subject header has bytes",), "grüße"),
    Broken("UTF-8 in a subject", HEAD + "Subject: grüße\n\n".encode(), (), "grüße"),
    Broken("two subjects", HEAD + b"Subject: one\nSubject: two\n\n", ("several Subject headers",), "one"),
    Broken("two senders", HEAD + b"From: eve@example.org\nSubject: s\n\n", ("several From headers",), "s"),
    Broken(
        "an encoded word without an end", HEAD + b"Subject: =?utf-8?q?gr=C3\n\n", ("encoded word",), "=?utf-8?q?gr=C3"
    ),
    Broken("half a letter", HEAD + b"Subject: =?utf-8?q?gr=C3?=\n\n", ("encoded word",), "gr\ufffd"),
    Broken("a letter over two words", HEAD + b"Subject: =?utf-8?q?gr=C3?=\n =?utf-8?q?=BC=C3=9Fe?=\n\n", (), "grüße"),
    Broken("a word in the midst of a word", HEAD + b"Subject: gr=?utf-8?q?=C3=BC?=n\n\n", (), "grün"),
    Broken("spaces in an encoded word", HEAD + b"Subject: =?utf-8?q?gr=C3=BCner Tee?=\n\n", (), "grüner Tee"),
    Broken("Base64 cut short", HEAD + b"Subject: =?utf-8?b?Z3LDvMOfZ?=\n\n", ("encoded word",), "grüß"),
    Broken("no such charset", HEAD + b"Subject: =?klingon?q?nuqneH?=\n\n", ("encoded word",), "nuqneH"),
    Broken("no such encoding", HEAD + b"Subject: =?utf-8?x?abc?=\n\n", ("encoded word",), "=?utf-8?x?abc?="),
    Broken("a line break in an encoded word", HEAD + b"Subject: =?utf-8?q?a=0D=0ABcc:_b?=\n\n", (), "a Bcc: b"),
    Broken("many words", HEAD + b"Subject: " + b"=?a?q?" * 20_000 + b"\n\n", ("header",), "=?a?q?" * 16_666),
    Broken(
        "a header of 10 MB", HEAD + b"Subject: " + b"long " * 2_000_000 + b"\n\n", ("over 100000 characters",), "long"
    ),
    Broken("10 MB of headers", HEAD + (b"X: " + b"y" * 96 + b"\n") * 100_000 + b"\n", ("over 10000 headers",)),
    Broken(
        "a header folded 100,000 times", HEAD + b"Subject: a" + b"\n b" * 100_000 + b"\n\n", ("over 100000",), "a b"
    ),
    Broken(
        "a line that is no header",
        HEAD + b"no header\nSubject: s\n\nb\n",
        ("A line among the headers is malformed",),
        "s",
        "b\n",
    ),
    Broken("it begins with a continuation", b" x\n" + HEAD + b"Subject: s\n\nb\n", ("continues a header",), "s", "b\n"),
    Broken("an envelope line", b"From ana Sun Nov 22 08:30:00 2026\n" + HEAD + b"Subject: s\n\nb\n", (), "s", "b\n"),
    Broken("addresses that are none", b"From: <<>>,,\nTo: @\nCc: ;:<\nSubject: s\n\n", NO_DATE, "s", dated=False),
    Broken("quotes without an end", b'From: "Ana <a@b.c>\nTo: (((((\nSubject: s\n\n', NO_DATE, "s", dated=False),
    Broken("10,000 commas", b"To: " + b"," * 10_000 + b"\nSubject: s\n\n", NO_DATE, "s", dated=False),
    Broken("old Mac line ends", HEAD.replace(b"\n", b"\r") + b"Subject: s\r\rb\r", (), "s", ANY),
    # Charsets and encodings
    Broken(
        "no such charset in a body", HEAD + part("text/plain; charset=klingon", "nuqneH"), ("klingon",), "", "nuqneH"
    ),
    Broken(
        "a wrong charset", HEAD + b"Content-Type: text/plain; charset=ascii\n\ngr\xfc\xdfe", ("ascii",), "", "grüße"
    ),
    Broken("cut UTF-8", HEAD + b"Content-Type: text/plain; charset=utf-8\n\nok \xc3", ("utf-8",), "", "ok \ufffd"),
    Broken("a codec that is no charset", HEAD + part("text/plain; charset=hex", "abc"), ("hex",), "", "abc"),
    Broken(
        "a codec that runs escapes",
        HEAD + part("text/plain; charset=unicode_escape", r"\x41"),
        ("unicode",),
        "",
        r"\x41",
    ),
    Broken("a broken charset", HEAD + part("text/plain; charset*=x''%FF", "abc"), ("charset",), "", "abc"),
    Broken("an endless charset", HEAD + part(f"text/plain; charset={'x' * 90_000}", "abc"), ("charset",), "", "abc"),
    Broken("a NUL in a charset", HEAD + part("text/plain; charset=\x00", "abc"), ("charset",), "", "abc"),
    Broken("UTF-7 with half a pair", HEAD + part("text/plain; charset=utf-7", "+2AA-"), (), "", ANY),
    Broken(
        "no Base64",
        HEAD + part("text/plain", "SGV§sbG8u", "Content-Transfer-Encoding: base64"),
        ("Base64",),
        "",
        "Hello.",
    ),
    Broken(
        "Base64 without its end",
        HEAD + part("text/plain", "SGVsbG8", "Content-Transfer-Encoding: base64"),
        ("Base64",),
        "",
        "Hello",
    ),
    Broken(
        "Base64 of no length",
        HEAD + part("text/plain", "SGVsb", "Content-Transfer-Encoding: base64"),
        ("Base64",),
        "",
        "Hel",
    ),
    Broken(
        "no quoted-printable",
        HEAD + part("text/plain", "a=ZZb=", "Content-Transfer-Encoding: quoted-printable"),
        (),
        "",
        ANY,
    ),
    Broken(
        "no such encoding of a body",
        HEAD + part("text/plain", "abc", "Content-Transfer-Encoding: rot13"),
        (),
        "",
        "abc",
    ),
    Broken(
        "uuencode as an encoding",
        HEAD + part("text/plain", "begin 644 x\n#0V%T\n`\nend\n", "Content-Transfer-Encoding: x-uuencode"),
        (),
        "",
        "Cat",
    ),
    Broken("uuencode in a text", HEAD + part("text/plain", UU), (), "", "Text.\n\nMore.\n", (("cat.txt", b"Cat"),)),
    Broken(
        "uuencode without an end", HEAD + part("text/plain", "begin 644 x\n#0V%T\n"), (), "", "begin 644 x\n#0V%T\n"
    ),
    # Parts
    Broken("no boundary", HEAD + part("multipart/mixed", "--b\n\nHello."), ("no boundary",), "", "--b\n\nHello."),
    Broken("an empty boundary", HEAD + part('multipart/mixed; boundary=""', "--\n\nHello."), ("cut off",), "", ANY),
    Broken(
        "a boundary that is nowhere", HEAD + part("multipart/mixed; boundary=b", "Hello."), ("nowhere",), "", "Hello."
    ),
    Broken(
        "an unclosed boundary",
        mixed(TEXT, attached("filename=a.bin"), end=False),
        ("cut off",),
        "",
        "Hello.",
        (("a.bin", b"data"),),
    ),
    Broken("a boundary in the body", mixed(TEXT, part("text/html", "--b"), end=False), ("cut off",), "", "Hello."),
    Broken("parts without parts", mixed(), ("nowhere",), "", ANY),
    Broken(
        "encoded as a whole",
        HEAD + part("multipart/mixed; boundary=b", "LS1iCg==", "Content-Transfer-Encoding: base64"),
        ("no standard allows",),
        "",
        ANY,
    ),
    Broken("nested 1000 deep", HEAD + b"Subject: s\n" + NESTED + b"\nHello.\n", ("cannot be told apart",), "s", ANY),
    Broken(
        "messages nested 500 deep",
        HEAD + b"Subject: s\n" + b"Content-Type: message/rfc822\n\n" * 500 + b"x",
        (),
        "s",
        "",
        ((ANY, b"Content-Type: message/rfc822\n\n" * 499 + b"x"),),
    ),
    Broken(
        "a message in Base64",
        HEAD + part("message/rfc822", "QQ==", "Content-Transfer-Encoding: base64"),
        (),
        "",
        "",
        ((ANY, b"A"),),
    ),
    Broken("no type", HEAD + part(";", "abc"), (), "", "abc"),
    Broken("a type of three", HEAD + part("a/b/c", "abc"), (), "", ANY),
    Broken("1000 parts", mixed(*[TEXT] * 1000), (), "", "\n".join(["Hello."] * 1000)),
    Broken("a picture that is a text", mixed(part("text/plain", "x", "Content-ID: <")), (), "", "x"),
    # Names of files
    Broken(
        "a name in no charset",
        mixed(attached("filename*=nope''%FCber.txt")),
        ("The name of an attachment",),
        "",
        "",
        (("über.txt", b"data"),),
    ),
    Broken(
        "a name of broken bytes",
        mixed(attached("filename*=utf-8''%FF%FE.txt")),
        ("The name of an attachment",),
        "",
        "",
        (("\ufffd\ufffd.txt", b"data"),),
    ),
    Broken(
        "a name in pieces",
        mixed(attached("filename*0=long;\n filename*1=name.txt")),
        (),
        "",
        "",
        (("longname.txt", b"data"),),
    ),
    Broken(
        "a name without its first piece",
        mixed(attached("filename*1=name.txt")),
        ("The name of an attachment",),
        "",
        "",
        (("name.txt", b"data"),),
    ),
    Broken(
        "a name in encoded words",
        mixed(attached('filename="=?utf-8?b?w7xiZXI=?=.txt"')),
        (),
        "",
        "",
        (("über.txt", b"data"),),
    ),
    Broken(
        "a name without quotes", mixed(attached("filename=two words.txt")), (), "", "", (("two words.txt", b"data"),)
    ),
    Broken(
        "a name that leads elsewhere",
        mixed(attached('filename="../../etc/passwd"')),
        (),
        "",
        "",
        (("passwd", b"data"),),
    ),
    Broken("a name of dots", mixed(attached('filename=".."')), (), "", "", (("application-1.bin", b"data"),)),
    Broken("no name", mixed(attached("")), (), "", "", (("application-1.bin", b"data"),)),
    Broken("a reversed name", mixed(attached('filename="\u202egpj.exe"')), (), "", "", (("\ufffdgpj.exe", b"data"),)),
    Broken(
        "a broken disposition", mixed(part("text/plain", "data", "Content-Disposition: =?x?q?attachment")), (), "", ANY
    ),
    Broken(
        "TNEF",
        mixed(TEXT, part("application/ms-tnef; name=winmail.dat", "eJ8+Ig==", "Content-Transfer-Encoding: base64")),
        (),
        "",
        "Hello.",
        (("winmail.dat", b'x\x9f>"'),),
    ),
]
