"""Where the mutations begin: every broken mail that the tests have, and every case that was found by changing one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.message.test_received_fields import HOSTILE
from tests.message.test_received_parts import INNER, forwarded
from tests.sandbox.test_inbox import BROKEN as SHOWN
from tests.support.broken_mail import BROKEN, HEAD, TEXT, attached, mixed, part
from tests.support.mailboxes import mail

__all__ = [
    "CONVERSATIONS",
    "FIELD_TOKENS",
    "FOUND",
    "FOUND_FIELDS",
    "JSON_TOKENS",
    "MESSAGES",
    "NO_NUMBERS",
    "STORED",
    "TOKENS",
    "VALUES",
    "WORDS",
]

_HERE: Final = Path(__file__).parent

#: Found by these fuzzers, or beside them.
FOUND: Final = {
    # The square of its length: quotation marks that an address or an encoded word takes in leave the others without a pair.
    "marks after an address": b'<"> ' + b'\\"' * 20_000 + b' "',
    "marks after a word": b'=?a?q?"?= ' + b'\\"' * 20_000,
    "marks that a name begins with": b'attachment; filename="' + b'\\"' * 20_000 + b"<x",
    # ValueError: more digits than Python makes a number of.
    "digits in HTML": b'Content-Type: text/html\n\n<img src="cid:&#' + b"9" * 5_000 + b';">&#' + b"9" * 5_000,
}

#: The same, given to compose() and to a session.
FOUND_FIELDS: Final = {
    # The cube of its length, in a pattern of ours: a minute for 3,000 of them.
    "at signs in a row": b"@" * 20_000,
    # The square of it, in Python's parser.
    "quotation marks in a row": b'"' * 60_000,
    "comments in a row": b"(a)" * 20_000,
    # The same, where the list is written again to see what of it was read.
    "letters between semicolons": "ü x; ".encode() * 10_000,
    # RecursionError, UnicodeEncodeError: of Python's parser and of a header that is partly no UTF-8.
    "comments in each other": b"(" * 20_000,
    # TypeError, of Python's parser.
    "a stop before a comma": b" .,",
    "letters beside bytes": b"J\xc3\xbcrg \xff <j@example.org>",
}

#: The same, said by servers: numbers that Python makes none of, and none at all.
NO_NUMBERS: Final = (b"9" * 5_000, b"-1", b"", "\N{SUPERSCRIPT TWO}".encode())

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

#: Conversations that go to their end, and what was found by changing them.
CONVERSATIONS: Final = [path.read_bytes() for path in sorted((_HERE / "conversations").iterdir())]

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

#: The same for replies of servers.
WORDS: Final = [
    *(bytes([byte]) for byte in b'\x00\t\n\r "()*+-.0<=>[\\]{}~\x7f\x80\xff'),
    *(
        b"%%",
        b"\n%%",
        b"!reset",
        b"$T ",
        b"$C",
        b"\r\n.\r\n",
        b"\n* ",
        b"\n+ ",
        b"$T OK done\n",
        b"$T NO no\n",
        b"$T BAD what\n",
    ),
    *(
        b"* BYE\n",
        b"* OK [",
        b"[CAPABILITY IMAP4rev1",
        b" EXISTS\n",
        b" EXPUNGE\n",
        b" FETCH (",
        b"UID ",
        b"FLAGS (",
        b"BODY[] ",
    ),
    *(
        b"{5}\n",
        b"{0}\n",
        b"{99999999999}\n",
        b"{-1}\n",
        b"NIL",
        b"* SEARCH ",
        b"* LIST ",
        b"* STATUS ",
        b"INBOX ",
        b"&AOQ-",
        b"&-",
        b"&A",
    ),
    *(
        b"220 ",
        b"250-",
        b"250 ",
        b"334 ",
        b"354 go\n",
        b"421 4.7.0 ",
        b"454 ",
        b"535 5.7.8 ",
        b"554-",
        b"999 ",
        b"SIZE ",
        b"AUTH ",
        b"STARTTLS",
    ),
    *(
        b"+OK ",
        b"-ERR ",
        b"+OK\n.\n",
        b"SASL ",
        b"UIDL",
        b"TOP",
        b"USER",
        b"PIPELINING",
        b"1 1\n",
        b"=",
        b"cj1h",
        b"PDE=",
    ),
    *(b"9" * 40, b"9" * 5_000, b"-1", "\N{SUPERSCRIPT TWO}".encode(), "\N{ARABIC-INDIC DIGIT FIVE}".encode(), b"\xe9"),
]

_WHOLE: Final = {
    "format": 1,
    "name": "ops",
    "protocol": "SMTP",
    "server_host": "mail.example.org",
    "server_port": 587,
    "use_authentication": True,
    "username": "ana",
    "use_secure_authentication": True,
    "secure_authentication_type": "TLS",
    "trusted_hosts": "mail.example.org sha256:" + "ab" * 32,
    "use_proxy": True,
    "proxy_type": "SOCKS5",
    "proxy_host": "${PROXY}",
    "timeout": 20.0,
    "from_address": "ana@example.org",
    "sasl_mechanism": "PLAIN",
    "locked": True,
    "later": {"a": [1, None, "\u00fc"]},
}

STORED: Final = [
    json.dumps(_WHOLE, indent=2).encode(),
    json.dumps(_WHOLE).encode("utf-16"),
    b"\xef\xbb\xbf"
    + json.dumps({"name": "ops", "protocol": "IMAP", "server_host": "h", "username": "\u6771\u4eac"}).encode(),
    b'{"name": "box", "protocol": "MBOX", "server_host": "/var/mail/ana"}',
    b'{"server_host": "a", "server_host": "b", "name": "ops", "name": "Ops", "timeout": NaN}',
    b'{"server_host": "a", "timeout": 1e999, "deadline": -Infinity, "later": 1e999}',
    b'{"server_host": "a", "name": "\\ud800", "later": "\\udfff", "\\ud800": 1}',
    b'{"server_host": "a", "later": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"server_host": "a", "name": ' + b"[" * 900 + b"]" * 900 + b"}",
    b"[" * 60_000,
    b'{"a":' * 30_000,
    b'{"server_host": "a", "later": ' + b"9" * 5_000 + b"}",
    b'{"default": "ops", "later": 1}',
    b'{"default": ["ops"]}',
    b'{"name": "ops", "ok": true, "summary": "works", "when": "2026-11-22T08:30:00+00:00", "milliseconds": 12.5}',
    b'{"name": "ops", "since": "2026-11-22T08:30:00+00:00", "until": 1e12, "who": "ana", "lasting": true, "token": "AAAA"}',
    *(path.read_bytes() for path in sorted((_HERE / "stored").iterdir())),
]

#: The same for JSON.
JSON_TOKENS: Final = [
    *(bytes([byte]) for byte in b"\x00\t\n\r \"',-.0:[\\]_{}~\x7f\x80\xff"),
    *(
        b"null",
        b"true",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"1e-999",
        b"-0",
        b"0x1",
        b"9" * 40,
        b"9" * 5_000,
        b"1" + b"0" * 400,
    ),
    *(
        b'""',
        b"[]",
        b"{}",
        b"[[",
        b'{"a":',
        b'"\\ud800"',
        b"\\u0000",
        b"\\u202e",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"//",
        b"/*",
        b"'",
    ),
    *(
        b'"name":',
        b'"locked": true,',
        b'"format": 2,',
        b'"server_host":',
        b'"server_port":',
        b'"timeout":',
        b'"when":',
        b'"until":',
        b"${",
        b"}",
        b"${X}",
    ),
]

#: The same for what a person gives to compose().
FIELD_TOKENS: Final = [
    *TOKENS,
    *(sign.encode() for sign in "\u00e9\u00df\u6771\u202e\u200b\u2028\x85\U0001f600\u0430\uff20\uff0e\u3002\u00ad"),
    *(
        b"@",
        b"<ana@example.org>",
        b"ana@example.org",
        b", ",
        b"; ",
        b'"Smith, Ana" ',
        b"[127.0.0.1]",
        b"[IPv6:::1]",
        b"xn--",
        b"..",
        b"Bcc: ",
    ),
]
