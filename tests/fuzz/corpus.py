"""Where the mutations begin: every broken mail that the tests have, and every case that was found by changing one."""

from __future__ import annotations

from typing import Final

from tests.broken_mail import BROKEN, HEAD, TEXT, attached, mixed, part
from tests.mailboxes import mail
from tests.test_inbox import BROKEN as SHOWN
from tests.test_received_fields import HOSTILE
from tests.test_received_parts import INNER, forwarded

__all__ = ["FOUND", "MESSAGES", "TOKENS", "VALUES"]

#: Found by these fuzzers, or beside them.
FOUND: Final = {
    # The square of its length: quotation marks that an address or an encoded word takes in leave the others without a pair.
    "marks after an address": b'<"> ' + b'\\"' * 20_000 + b' "',
    "marks after a word": b'=?a?q?"?= ' + b'\\"' * 20_000,
    "marks that a name begins with": b'attachment; filename="' + b'\\"' * 20_000 + b"<x",
    # ValueError: more digits than Python makes a number of.
    "digits in HTML": b'Content-Type: text/html\n\n<img src="cid:&#' + b"9" * 5_000 + b';">&#' + b"9" * 5_000,
}

_MOST: Final = 30_000

MESSAGES: Final = [
    *(broken.raw[:_MOST] for broken in BROKEN),
    *(raw[:_MOST] for raw in SHOWN),
    *(b"Content-Type: " + value + b"\n\nHello." for value in HOSTILE.values()),
    *(mixed(TEXT, b"Content-Disposition: " + value + b"\n\nHello.") for value in HOSTILE.values()),
    mail("Grüße", sender="Jürg <j@example.org>", file="zahlen.csv").raw,
    forwarded(INNER),
    mixed(part("text/html", '<img src="cid:p">'), attached("filename=p.png", "x", "Content-ID: <p>")),
    HEAD + part("text/plain; format=flowed; delsp=yes", "> a \n> b\n-- \nc \nd\n"),
    HEAD + part("text/html", '<html><meta charset="koi8-r"><p>a<p>b<table><tr><td>c</table>'),
    *FOUND.values(),
]

VALUES: Final = [
    *HOSTILE.values(),
    b"Ana <ana@example.org>, bob@example.org",
    b'"Smith, Ana" <ana@example.org> (at work), Team: a@x, b@x;',
    b"=?utf-8?q?J=C3=BCrg?= =?utf-8?b?w7xiZXI=?= <j@example.org>",
    b"noreply@github.example <real@lists.example>; me@x you@x",
    b"attachment; filename*0*=utf-8''gr%C3; filename*1*=%BC%C3%9Fe; filename*2=\".txt\"; size=1",
    b'multipart/mixed; charset="utf-8"; boundary="----=_Part (1)"; format=flowed',
    b"Sun, 22 Nov 2026 08:30:00 +0100 (CET)",
    b"2026-11-22T08:30:00.123456Z",
    b"11/22/2026 10:00:00 PM",
    b"<a.b@example.org> (x)",
]

#: What is put in: pieces of the grammar, and the ends of it.
TOKENS: Final = [
    *(bytes([byte]) for byte in b"\x00\t\n\r \"'()*,-./:;<=>?@[\\]_%&+~\x7f\x80\xad\xff"),
    *(b"\r\n", b"\n\n", b"\r\n\r\n", b"\n ", b"\n--b\n", b"\n--b--\n", b"--", b"\nFrom ", b"begin 644 a\n", b"\nend\n"),
    *(
        b"=?utf-8?q?",
        b"=?utf-8?b?",
        b"?=",
        b"=C3",
        b"''",
        b"*0*=",
        b"*=",
        b"%FF",
        b"utf-8''",
        b"\xef\xbb\xbf",
        b"9" * 40,
    ),
    *(
        b"Content-Type: ",
        b"multipart/mixed; boundary=b",
        b"multipart/digest;boundary=b",
        b"message/rfc822",
        b"text/html",
    ),
    *(
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"cid:p",
        b"<meta charset=",
    ),
    *(
        b"Content-Disposition: attachment; filename=",
        b"charset=iso-2022-jp",
        b"charset=utf-7",
        b"charset=big5",
        b"\x1b$B",
    ),
    *(
        b"format=flowed",
        b"<table>",
        b"<td>",
        b"<!--",
        b"<script>",
        b"</a>",
        b"&#",
        b"<pre>",
        b"+9999",
        b" GMT+0100",
        b"a@b",
    ),
]
