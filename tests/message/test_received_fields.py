"""The fields that say what a part is: read as they are found, in a time that their sender does not decide."""

from __future__ import annotations

from email.message import EmailMessage
from importlib import import_module

import pytest

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.message.incoming.charsets import text_of
from mailconn_jupyter.message.incoming.encoded_words import decoded
from mailconn_jupyter.message.incoming.entities import entities
from mailconn_jupyter.message.incoming.structured_field import MOST_PARAMETERS, StructuredField
from tests.message.test_parsed import everything
from tests.support.broken_mail import HEAD, TEXT, mixed, part

# Content-Transfer-Encoding


@pytest.mark.parametrize(
    "written",
    [
        "base64 ",
        "base64;",
        "base64 (as MIME has it)",
        '"base64"',
        "(so) base64",
        "\tBASE64 ; x=y",
        "base64,",
        "base64\n ",
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "text/csv", "message/rfc822"])
def test_a_part_is_decoded_whatever_stands_beside_the_name_of_its_encoding(kind: str, written: str) -> None:
    message = ParsedMessage(mixed(TEXT, part(kind, "U3ViamVjdDogYQoKYg==", f"Content-Transfer-Encoding: {written}")))
    assert message.problems == ()
    if kind == "text/plain":
        assert message.text == "Hello.\nSubject: a\n\nb"
    else:
        assert message.attachments[0].data == b"Subject: a\n\nb"


def test_quoted_printable_is_decoded_with_something_behind_its_name() -> None:
    for written in ("quoted-printable ", "quoted-printable;", "Quoted-Printable (x)"):
        lines = f"Content-Transfer-Encoding: {written}"
        assert ParsedMessage(HEAD + part("text/plain", "gr=C3=BC=\nn", lines)).text == "grün"


@pytest.mark.parametrize(
    ("body", "data", "said"),
    [
        (b"SGVsbG8=", b"Hello", ()),
        (b"SGVs\r\nbG8=\r\n", b"Hello", ()),
        (b"SGVsbG8sIA==d29ybGQ=", b"Hello, world", ()),
        (b"SGVsbG8=\r\n\r\n_____\r\nThe list: list@example.org\r\n", b"Hello", ("contains other characters",)),
        (b"SGV-sbG8=", b"Hello", ("contains other characters",)),
        (b"SGVsbG8", b"Hello", ("is missing",)),
        (b"SGVsb", b"Hel", ("is missing",)),
        (b"=====", b"", ()),
        (b"", b"", ()),
    ],
)
def test_every_block_of_base64_is_decoded_and_what_is_none_is_passed_over(
    body: bytes, data: bytes, said: tuple[str, ...]
) -> None:
    lines = b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
    message = ParsedMessage(HEAD + lines + body)
    assert message.attachments[0].data == data
    assert len(message.problems) == len(said)
    assert all(words in problem for words, problem in zip(said, message.problems, strict=True))


# In linear time, and without an error

HOSTILE = {
    "semicolons": b"text/plain" + b";" * 16_000,
    "blanks": b"text/plain;" + b" " * 16_000 + b"x",
    "quotes": b'attachment; filename="' + b'"' * 16_000,
    "escaped quotes": b'attachment; filename="' + b'\\"' * 8_000,
    "parameters": b"text/plain" + b"".join(b"; a%d=%d" % (number, number) for number in range(2_000)),
    "a single parameter": b"text/plain" + b"; a=b" * 4_000,
    "pieces": b"attachment" + b"".join(b"; filename*%d=x" % number for number in range(2_000)),
    "a piece without end": b"attachment; filename*" + b"9" * 5_000 + b"=x; boundary*" + b"9" * 5_000 + b"=b",
    "comments": b"(" * 2_000,
    "more comments": b"base64 " + b"(" * 8_000 + b")" * 8_000,
    "comment after comment": b"()" * 8_000,
    "bytes that are no charset": b"attachment; filename*=utf-8''\xad%ff",
    "a NUL": b"text/plain; charset=\x00; boundary=\x00; filename=\x00",
    "a NUL in a charset": b"text/plain; charset*=a\x00b''c; filename*=a\x00b''c; boundary*=a\x00b''c",
    "equals signs": b"=" * 16_000,
    "slashes": b"a/" * 8_000,
    "encoded words": b"attachment; filename=" + b"=?utf-8?q?" * 1_600,
    "surrogates": b"attachment; filename*=utf-7''+2AA-; name*=utf-7''+2AA-",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize(
    "name", [b"Content-Type", b"Content-Disposition", b"Content-Transfer-Encoding", b"Content-ID", b"From", b"Date"]
)
def test_a_hostile_field_raises_nothing_and_hides_nothing(name: bytes, value: bytes) -> None:
    field = name + b": " + value + b"\n"
    for raw in (
        field + b"Subject: s\n\nHello.",
        mixed(TEXT, field + b"\nHello."),
        b"Content-Type: multipart/mixed; boundary=b\nSubject: s\n\n--b\n\nHello.\n--b--\n".replace(
            b"b\nS", b"b" + value + b"\nS"
        ),
    ):
        message = ParsedMessage(raw)
        assert str(everything(message)).encode("utf-8")
        if not value.startswith(b"base64"):
            assert "Hello." in message.text or b"Hello." in message.attachments[0].data


def test_python_has_its_message_of_every_one_as_far_as_it_can() -> None:
    deep = b"(" * 2_000
    for raw in (
        b"Content-Type: " + deep + b"\nSubject: s\n\nHello.",
        b"Subject: s\nContent-Type: multipart/mixed; boundary*" + b"9" * 5_000 + b"=x\n\nHello.",
        b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3_000)),
    ):
        message = ParsedMessage(raw)
        assert isinstance(message.message, EmailMessage)
        assert message.message is message.message


@pytest.mark.parametrize("value", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_field_of_a_megabyte_ends_to_be_read(value: bytes) -> None:
    # What takes the square of its length would take hours.
    field = StructuredField(value * (1_000_000 // len(value)))
    assert str((field.word, field.text("filename"), field.token("charset"), field.exact("boundary"))).encode("utf-8")


def test_what_is_cut_of_a_field_is_told() -> None:
    many = "; ".join(f"a{number}=b" for number in range(MOST_PARAMETERS + 1))
    for line in (f"Content-Disposition: attachment; {many}", f"X: y\nContent-Type: text/plain; {many}"):
        raw = mixed(TEXT, f"{line}\n\nx".encode())
        assert ParsedMessage(raw).problems == ("A header has over 500 parameters; the rest are left out.",)
    raw = mixed(TEXT, b"Content-Disposition: attachment; filename=" + b"x" * 100_001 + b"\n\nx")
    message = ParsedMessage(raw)
    assert message.problems == ("A header has over 100000 characters; the rest of it is left out.",)
    assert set(message.attachments[0].name) == {"x"}


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 300_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nA: b\n" * 9_000 + b"x" * 1_000_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nno header\n" * 9_000,
        b"".join(b'Content-Type: multipart/mixed; boundary="n%d"\n\n--n%d\n' % (n, n) for n in range(20_000)),
        b"".join(b'Content-Type: multipart/mixed; boundary="n%d"\n\n--n%d\n' % (n, n) for n in range(99))
        + b"\n"
        + b"--x\n" * 300_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n--" + b"b" * 3_000_000,
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 90_000 + b"\n\n" + b"--b\n" * 300_000,
    ],
    ids=["parts", "no blank line", "no headers", "depth", "lines in the depth", "a long line", "a long boundary"],
)
def test_hostile_parts_are_told_apart_in_one_pass(raw: bytes) -> None:
    problems: list[str] = []
    found = list(entities(raw, problems))
    assert 1 <= len(found) <= 10_001
    assert sum(len(each.data) for each in found) <= len(raw)
    assert problems


# Charsets


def test_every_name_of_a_charset_that_the_encoding_standard_has_is_known() -> None:
    labels = import_module("webencodings.labels").LABELS
    unknown = {label for label in labels if not text_of(b"abc\x00", label.upper())[1]}
    assert unknown == {"iso-2022-cn", "iso-2022-cn-ext", "replacement", "x-user-defined"}


@pytest.mark.parametrize(
    ("data", "charsets", "text"),
    [
        (
            b"it\x92s \x80",
            ["iso-8859-1", "latin1", "ISO_8859-1:1987", "cp819", "windows-1252", "x-cp1252"],
            "it\u2019s €",
        ),
        (
            "①㈱髙\uff5e".encode("cp932"),
            ["shift_jis", "sjis", "x-sjis", "windows-31j", "ms932", "cp932"],
            "①㈱髙\uff5e",
        ),
        (b"\x1b$B-!-j|b!A\x1b(B!", ["iso-2022-jp", "csISO2022JP", "cp50220", "cp50221"], "①㈱髙\uff5e!"),
        (b"\xad\xa1\xad\xea\xfc\xe2\xa1\xc1\x8e\xb1", ["euc-jp", "x-euc-jp", "cp51932"], "①㈱髙\uff5eｱ"),
        (
            "똠방각하".encode("cp949"),
            ["euc-kr", "ks_c_5601-1987", "ksc5601", "windows-949", "x-windows-949"],
            "똠방각하",
        ),
        ("碁銹裏€".encode("cp950"), ["big5", "csbig5", "x-x-big5", "cn-big5"], "碁銹裏€"),
        ("简体€㐀".encode("gb18030"), ["gb2312", "gbk", "x-gbk", "gb_2312-80", "chinese", "ms936"], "简体€㐀"),
        ("ış€".encode("cp1254"), ["iso-8859-9", "latin5", "windows-1254", "x-cp1254"], "ış€"),
        ("ไทย\u2013".encode("cp874"), ["iso-8859-11", "tis-620", "windows-874", "dos-874"], "ไทย\u2013"),
        ("привет".encode("cp866"), ["ibm866", "dos-866", "cp866", "866"], "привет"),
        ("привет".encode("cp1251"), ["windows-1251", "x-cp1251", "win-1251", "cp-1251"], "привет"),
        ("שלום".encode("iso8859-8"), ["iso-8859-8", "iso-8859-8-i", "csISO88598I", "logical", "visual"], "שלום"),
        ("\ufeffgrün".encode(), ["utf-8", "utf8", "unicode-1-1-utf-8", "utf8mb4", "cp65001"], "grün"),
        ("grün".encode("utf-16"), ["utf-16"], "grün"),
        ("grün".encode("utf-16-le"), ["utf-16le", "ucs-2", "unicode"], "grün"),
        ("grün".encode("utf-7"), ["utf-7", "unicode-1-1-utf-7"], "grün"),
    ],
)
def test_a_charset_is_what_mail_programs_mean_by_it(data: bytes, charsets: list[str], text: str) -> None:
    for charset in charsets:
        assert text_of(data, charset) == (text, True), charset


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"\x1b$B-!", "iso-2022-jp", "①"),
        (b"\x1b$B-!-", "iso-2022-jp", "①\ufffd "),
        (b"\x1b(I1", "iso-2022-jp", "ｱ"),
        (b"gr\xfc", "utf-8", "gr\ufffd"),
        (b"\x81", "iso-8859-1", "\ufffd"),
        (b"+2AA-", "utf-7", "?"),
    ],
)
def test_what_is_cut_or_none_at_all_is_read_as_far_as_it_can_be(data: bytes, charset: str, text: str) -> None:
    assert text_of(data, charset)[0] == text


# Encoded words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?Q?Are_you_there??=", "Are you there?"),
        ("=?utf-8?Q?Why=3F_?=\n =?utf-8?Q?So??= (x)", "Why? So? (x)"),
        ("=?utf-8?b?5pel?= =?utf-8?b?5pys?=", "日本"),
        ("=?utf-8?q?a?= =?iso-8859-1?q?=FC?= b", "aü b"),
        ("=?iso-2022-jp?b?GyRCLSEbKEI=?=", "①"),
        ("=?utf-8*de?q?gr=C3=BCn?=", "grün"),
    ],
)
def test_encoded_words_are_decoded(value: str, text: str) -> None:
    assert decoded(value) == (text, True)


@pytest.mark.parametrize("unit", ["=?a?q?", "=?a?q?x", "=?a?b?=", "=?=", "?=", "=?a?q??=", "=?a?q?x?= ", "=?a?q?a?"])
def test_hostile_encoded_words_end_to_be_read(unit: str) -> None:
    decoded(unit * (1_000_000 // len(unit)))


def test_the_subject_is_in_the_charset_of_the_text_where_it_names_none() -> None:
    for charset, text in (("koi8-r", "Привет"), ("gb2312", "简体"), ("iso-2022-jp", "日本"), ("utf-8", "grün")):
        raw = b"Subject: " + text.encode(charset) + f"\nContent-Type: text/plain; charset={charset}\n\n".encode()
        message = ParsedMessage(raw + text.encode(charset))
        assert (message.subject, message.text) == (text, text)
        assert message.problems == ("No date.",)
