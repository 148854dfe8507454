"""What mailboxes hold, as each program writes it: twenty habits as small messages, written after their documents.

Of each the text, the files, the date and the names are those that its own reader shows.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mailconn_jupyter import MailConnection, messages
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from tests.support.results import png


class Habit(NamedTuple):
    """What a program writes, and what of it is to be read."""

    lines: list[str | bytes]
    text: str
    files: list[str]
    sender: str = "Ana Example <ana@example.org>"
    subject: str = "Report"
    date: datetime | None = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
    html: str = ""


HEAD: list[str | bytes] = [
    "From: Ana Example <ana@example.org>",
    "To: bob@example.org",
    "Subject: Report",
    "Date: Thu, 26 Nov 2026 08:30:00 +0000",
    "MIME-Version: 1.0",
]


def b64(data: bytes) -> list[str | bytes]:
    return list(base64.encodebytes(data).decode().splitlines())


PNG = b64(png())
TEXT: list[str | bytes] = ["Content-Type: text/plain; charset=utf-8", ""]

HABITS: dict[str, Habit] = {
    # A picture or a file stands between two texts, each of which is the body (Mail on macOS and iOS).
    "Apple Mail": Habit(
        [
            *HEAD,
            "X-Mailer: Apple Mail (2.3864.100.1.1.5)",
            'Content-Type: multipart/mixed; boundary="Apple-Mail=_1"',
            "",
            "--Apple-Mail=_1",
            "Content-Transfer-Encoding: 7bit",
            "Content-Type: text/plain;",
            "\tcharset=us-ascii",
            "",
            "Here it is:",
            "",
            "--Apple-Mail=_1",
            "Content-Disposition: attachment;",
            "\tfilename*=utf-8''U%CC%88bersicht%20Q3.pdf",
            "Content-Type: application/pdf;",
            "\tx-unix-mode=0644;",
            '\tname="=?utf-8?Q?U=CC=88bersicht_Q3=2Epdf?="',
            "Content-Transfer-Encoding: base64",
            "",
            *b64(b"%PDF-1.4"),
            "--Apple-Mail=_1",
            "Content-Transfer-Encoding: 7bit",
            "Content-Type: text/plain;",
            "\tcharset=us-ascii",
            "",
            "Sent from my Mac",
            "",
            "--Apple-Mail=_1--",
        ],
        "Here it is:\nSent from my Mac\n",
        ["U\u0308bersicht Q3.pdf"],
    ),
    # Classic Outlook by SMTP: charset of Windows, names in quotation marks that are the address, Thread-Index.
    "Outlook": Habit(
        [
            "From: \"'ana@example.org'\" <ana@example.org>",
            *HEAD[1:],
            "X-Mailer: Microsoft Outlook 16.0",
            "Thread-Index: AdxAbCdEfGhIjKl=",
            'Content-Type: multipart/alternative; boundary="----=_NextPart_000_0001_01DC5EBA.8F0"',
            "",
            "This is a multipart message in MIME format.",
            "",
            "------=_NextPart_000_0001_01DC5EBA.8F0",
            'Content-Type: text/plain; charset="iso-8859-1"',
            "Content-Transfer-Encoding: quoted-printable",
            "",
            "It=92s 5 =80.",
            "",
            "------=_NextPart_000_0001_01DC5EBA.8F0",
            'Content-Type: text/html; charset="iso-8859-1"',
            "Content-Transfer-Encoding: quoted-printable",
            "",
            "<html><body><p class=3DMsoNormal>It=92s 5 =80.<o:p></o:p></p></body></html>",
            "------=_NextPart_000_0001_01DC5EBA.8F0--",
        ],
        "It\u2019s 5 \u20ac.\n",
        [],
        sender="\"'ana@example.org'\" <ana@example.org>",
        html="It\u2019s 5 \u20ac.",
    ),
    # Rich text that was not converted: one file that only Outlook opens (MS-OXTNEF).
    "Outlook, winmail.dat": Habit(
        [
            *HEAD,
            'Content-Type: multipart/mixed; boundary="b"',
            "",
            "--b",
            *TEXT,
            "See the file.",
            "--b",
            'Content-Type: application/ms-tnef; name="winmail.dat"',
            "Content-Transfer-Encoding: base64",
            "",
            *b64(b"\x78\x9f\x3e\x22"),
            "--b--",
        ],
        "See the file.",
        ["winmail.dat"],
    ),
    # Flowed text with its quotes, name in the second form of RFC 2231 beside the old one.
    "Gmail": Habit(
        [
            *HEAD,
            "Message-ID: <CAF1@mail.gmail.com>",
            'Content-Type: multipart/mixed; boundary="000000000000b1"',
            "",
            "--000000000000b1",
            'Content-Type: multipart/alternative; boundary="000000000000b2"',
            "",
            "--000000000000b2",
            'Content-Type: text/plain; charset="UTF-8"',
            "Content-Transfer-Encoding: base64",
            "",
            *b64("Grüße 👋\r\n".encode()),
            "--000000000000b2",
            'Content-Type: text/html; charset="UTF-8"',
            "Content-Transfer-Encoding: quoted-printable",
            "",
            '<div dir=3D"ltr">Gr=C3=BC=C3=9Fe =F0=9F=91=8B</div>',
            "",
            "--000000000000b2--",
            "--000000000000b1",
            'Content-Type: text/csv; charset="UTF-8"; name="zahlen.csv"',
            'Content-Disposition: attachment; filename="zahlen.csv"',
            "Content-Transfer-Encoding: base64",
            "Content-ID: <f_mhz1>",
            "X-Attachment-Id: f_mhz1",
            "",
            *b64(b"a,b\n"),
            "--000000000000b1--",
        ],
        "Grüße 👋\n",
        ["zahlen.csv"],
        html="Grüße 👋",
    ),
    # A meeting: three forms of one thing, the calendar among them, and once more as a file.
    "Google Calendar": Habit(
        [
            *HEAD,
            'Content-Type: multipart/mixed; boundary="m"',
            "",
            "--m",
            'Content-Type: multipart/alternative; boundary="a"',
            "",
            "--a",
            *TEXT,
            "You are invited.",
            "--a",
            "Content-Type: text/html; charset=utf-8",
            "",
            "<p>You are invited.</p>",
            "--a",
            'Content-Type: text/calendar; charset="UTF-8"; method=REQUEST',
            "",
            "BEGIN:VCALENDAR",
            "END:VCALENDAR",
            "--a--",
            "--m",
            'Content-Type: application/ics; name="invite.ics"',
            'Content-Disposition: attachment; filename="invite.ics"',
            "",
            "BEGIN:VCALENDAR",
            "END:VCALENDAR",
            "--m--",
        ],
        "You are invited.",
        ["text-1.ics", "invite.ics"],
        html="You are invited.",
    ),
    # Names by parts (RFC 2231), more blanks, the sender's name last name first.
    "Exchange Online": Habit(
        [
            'From: "Example, Ana (IT)" <ana@example.org>',
            *HEAD[1:],
            "x-ms-exchange-messagesentrepresentingtype: 1",
            "Content-Language: de-DE",
            'Content-Type: multipart/mixed; boundary="_004_AM0P"',
            "",
            "--_004_AM0P",
            'Content-Type: text/plain; charset="Windows-1252"',
            "Content-Transfer-Encoding: quoted-printable",
            "",
            "Anbei =96 wie besprochen",
            "",
            "--_004_AM0P",
            "Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;",
            '\tname="=?iso-8859-1?Q?=DCbersicht_der_Ums=E4tze_im_dritten_Quartal_?=',
            ' =?iso-8859-1?Q?2026.xlsx?="',
            "Content-Description: =?iso-8859-1?Q?=DCbersicht?=",
            "Content-Disposition: attachment;",
            "\tfilename*0*=iso-8859-1''%DCbersicht%20der%20Ums%E4tze%20im%20dritten;",
            "\tfilename*1*=%20Quartal%202026.xlsx; size=12;",
            '\tcreation-date="Thu, 26 Nov 2026 08:29:00 GMT"',
            "Content-Transfer-Encoding: base64",
            "",
            *b64(b"PK"),
            "--_004_AM0P--",
        ],
        "Anbei \u2013 wie besprochen\n",
        ["Übersicht der Umsätze im dritten Quartal 2026.xlsx"],
        sender='"Example, Ana (IT)" <ana@example.org>',
    ),
    # A report of what was not delivered (RFC 3464), in the words of Exchange.
    "Exchange, not delivered": Habit(
        [
            "From: Microsoft Outlook <MicrosoftExchange329e71ec@example.org>",
            "To: ana@example.org",
            "Subject: =?utf-8?B?VW56dXN0ZWxsYmFyOiBSZXBvcnQ=?=",
            HEAD[3],
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="r"',
            "",
            "--r",
            *TEXT,
            "Ihre Nachricht konnte nicht zugestellt werden.",
            "--r",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns;mail.example.org",
            "",
            "Final-Recipient: rfc822;bob@example.org",
            "Action: failed",
            "--r",
            "Content-Type: message/rfc822",
            "",
            "Subject: Report",
            "",
            "Hello",
            "--r--",
        ],
        "Ihre Nachricht konnte nicht zugestellt werden.",
        ["message-1", "Report.eml"],
        sender="Microsoft Outlook <MicrosoftExchange329e71ec@example.org>",
        subject="Unzustellbar: Report",
    ),
    # Flowed text with blanks to delete, and a comment in the date.
    "Thunderbird": Habit(
        [
            *HEAD[:3],
            "Date: Thu, 26 Nov 2026 09:30:00 +0100 (CET)",
            "MIME-Version: 1.0",
            "User-Agent: Mozilla Thunderbird",
            "Content-Type: text/plain; charset=UTF-8; format=flowed",
            "Content-Transfer-Encoding: 8bit",
            "",
            "On 25.11.26 Bob wrote:",
            "> What about ",
            "> the report?",
            "",
            "It is here, and it is ",
            "one line.",
            "-- ",
            b"Ana",
        ],
        "On 25.11.26 Bob wrote:\n> What about the report?\n\nIt is here, and it is one line.\n-- \nAna",
        [],
        date=datetime(2026, 11, 26, 9, 30, tzinfo=timezone(timedelta(hours=1))),
    ),
    # The list puts its footer behind the text as a part of its own, and its name into the subject (Mailman).
    "Mailman": Habit(
        [
            "From: Ana Example via Users <users@lists.example.org>",
            "Reply-To: Ana Example <ana@example.org>",
            "Subject: [Users]  =?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=",
            HEAD[3],
            "MIME-Version: 1.0",
            "List-Id: <users.lists.example.org>",
            'Content-Type: multipart/mixed; boundary="===============1=="',
            "",
            "--===============1==",
            *TEXT,
            "The question itself.",
            "",
            "--===============1==",
            'Content-Type: text/plain; charset="us-ascii"',
            "MIME-Version: 1.0",
            "Content-Transfer-Encoding: 7bit",
            "Content-Disposition: inline",
            "",
            "_______________________________________________",
            "Users mailing list",
            "",
            "--===============1==--",
        ],
        "The question itself.\n_______________________________________________\nUsers mailing list\n",
        [],
        sender="Ana Example via Users <users@lists.example.org>",
        subject="[Users] Re: Grüße",
    ),
    # Many messages in one (RFC 1153 as MIME).
    "Mailman, digest": Habit(
        [
            "From: users-request@lists.example.org",
            "Subject: Users Digest, Vol 7",
            HEAD[3],
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="d"',
            "",
            "--d",
            *TEXT,
            "Today's Topics: 2",
            "--d",
            'Content-Type: multipart/digest; boundary="e"',
            "",
            "--e",
            "",
            "Subject: first",
            "",
            "One.",
            "--e",
            "",
            "Subject: second",
            "",
            "Two.",
            "--e--",
            "--d--",
        ],
        "Today's Topics: 2",
        ["first.eml", "second.eml"],
        sender="users-request@lists.example.org",
        subject="Users Digest, Vol 7",
    ),
    # Sympa and Majordomo leave the text alone and add lines; the name of the poster is in a comment.
    "Majordomo": Habit(
        [
            "From: ana@example.org (Ana Example)",
            "Subject: Report",
            "Date: 26 Nov 26 08:30 GMT",
            "",
            "Text.",
        ],
        "Text.",
        [],
    ),
    # A scanner: no text, a date without a zone, a name with blanks and without quotation marks.
    "scanner (Ricoh, Brother)": Habit(
        [
            "From: scan@example.org",
            'Subject: Message from "RNP0026738A1B2C"',
            "Date: Thu, 26 Nov 2026 08:30:00",
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="DC_BOUND_PRE_<1>"',
            "",
            "--DC_BOUND_PRE_<1>",
            "Content-Type: application/pdf; name=20261126 083000.pdf",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=20261126 083000.pdf",
            "",
            *b64(b"%PDF-1.4"),
            "--DC_BOUND_PRE_<1>--",
        ],
        "",
        ["20261126 083000.pdf"],
        sender="scan@example.org",
        subject='Message from "RNP0026738A1B2C"',
    ),
    # A scanner that sends the file as the whole message, with a year of two digits and its own idea of a zone.
    "scanner (Konica Minolta)": Habit(
        [
            "From: C364e@example.org",
            "Subject: Scan",
            "Date: Thu, 26 Nov 2026 09:30:00 GMT+0100",
            "MIME-Version: 1.0",
            "Content-Type: image/tiff; name=SKM_C364e26112608300.tif",
            "Content-Transfer-Encoding: base64",
            "",
            *b64(b"II*\0"),
        ],
        "",
        ["SKM_C364e26112608300.tif"],
        sender="C364e@example.org",
        subject="Scan",
    ),
    # An older web mail in Japan: ISO-2022-JP everywhere, a name in its raw bytes.
    "Japanese web mail": Habit(
        [
            "From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <yamada@example.jp>",
            b"Subject: =?ISO-2022-JP?B?GyRCSnM5cBsoQg==?=",
            HEAD[3],
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="j"',
            "",
            "--j",
            "Content-Type: text/plain; charset=ISO-2022-JP",
            "",
            "こんにちは①".encode("iso2022_jp_3").replace(b"\x1b$(O", b"\x1b$B"),
            "--j",
            "Content-Type: text/plain; charset=ISO-2022-JP",
            b'Content-Disposition: attachment; filename="' + "報告.txt".encode("iso2022_jp") + b'"',
            "",
            "x",
            "--j--",
        ],
        "こんにちは①",
        ["報告.txt"],
        sender="山田 <yamada@example.jp>",
        subject="報告",
    ),
    # QQ Mail and 163.com: GB18030, names in encoded words within quotation marks.
    "Chinese web mail": Habit(
        [
            'From: "=?gb18030?B?1cXI/Q==?=" <zhang@example.cn>',
            "Subject: =?gb18030?B?sai45g==?=",
            HEAD[3],
            "Mime-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="----=_NextPart_q"',
            "",
            "------=_NextPart_q",
            'Content-Type: text/plain; charset="gb18030"',
            "Content-Transfer-Encoding: base64",
            "",
            *b64("你好".encode("gb18030")),
            "------=_NextPart_q",
            'Content-Type: application/octet-stream; charset="gb18030"; name="=?gb18030?B?sai45i5wZGY=?="',
            'Content-Disposition: attachment; filename="=?gb18030?B?sai45i5wZGY=?="',
            "Content-Transfer-Encoding: base64",
            "",
            *b64(b"%PDF"),
            "------=_NextPart_q--",
        ],
        "你好",
        ["报告.pdf"],
        sender="张三 <zhang@example.cn>",
        subject="报告",
    ),
    # The Bat! and mail.ru: KOI8-R, and a text without a charset in the header that says one.
    "Russian mail": Habit(
        [
            b"From: " + "Анна".encode("koi8-r") + b" <ana@example.org>",
            b"Subject: " + "Отчёт".encode("koi8-r"),
            HEAD[3],
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=koi8-r",
            "Content-Transfer-Encoding: 8bit",
            "",
            "Привет".encode("koi8-r"),
        ],
        "Привет",
        [],
        sender="Анна <ana@example.org>",
        subject="Отчёт",
    ),
    # A form of a web site (PHP's mail()): no MIME, UTF-8 all the same, lines that end in LF alone.
    "PHP's mail()": Habit(
        [
            "To: bob@example.org",
            "Subject: Anfrage für Sie".encode(),
            "X-PHP-Originating-Script: 1000:contact.php",
            "From: Ana Example <ana@example.org>",
            HEAD[3],
            "",
            "Ich hätte gern ein Angebot.".encode(),
        ],
        "Ich hätte gern ein Angebot.",
        [],
        subject="Anfrage für Sie",
    ),
    # A newsletter: HTML alone, whose charset stands in its meta, and pictures of the web.
    "newsletter (HTML alone)": Habit(
        [
            *HEAD,
            "List-Unsubscribe: <https://example.org/u>",
            "Content-Type: text/html",
            "Content-Transfer-Encoding: 8bit",
            "",
            '<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><style>p{}</style></head>',
            b'<body><img src="https://example.org/o.gif"><p>Nur heute: 50\x80</p></body></html>',
        ],
        "Nur heute: 50\u20ac",
        [],
        html="50\u20ac",
    ),
    # A picture in the text, named by its Content-ID in the way of Lotus Notes, and written in capitals.
    "Notes (HCL)": Habit(
        [
            *HEAD,
            "X-Mailer: HCL Notes Release 12.0",
            'Content-Type: multipart/related; boundary="=_related 00"',
            "",
            "--=_related 00",
            'Content-Type: text/html; charset="US-ASCII"',
            "",
            '<p>See</p><img src="CID:_1_0D5B%20x@example.org">',
            "--=_related 00",
            "Content-Type: image/png",
            "Content-ID: <_1_0D5B x@example.org>",
            "Content-Transfer-Encoding: base64",
            "",
            *PNG,
            "--=_related 00--",
        ],
        "See",
        ["image-1.png"],
        html="See",
    ),
    # A ticket system: an attached message, and a date in ISO 8601.
    "ticket system": Habit(
        [
            "From: ana@example.org <ana@example.org>",
            "Subject: =?UTF-8?Q?Ticket_=2342:?= =?UTF-8?Q?_Gr=C3=BC=C3=9Fe?=",
            "Date: 2026-11-26T08:30:00Z",
            'Content-Type: multipart/mixed; boundary="t"',
            "",
            "--t",
            *TEXT,
            "Forwarded.",
            "--t",
            "Content-Type: message/rfc822",
            "Content-Disposition: attachment",
            "",
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            "",
            "Inner.",
            "--t--",
        ],
        "Forwarded.",
        ["Grüße.eml"],
        # Such a name stays in quotation marks, so that nobody takes it for the address.
        sender='"ana@example.org" <ana@example.org>',
        subject="Ticket #42: Grüße",
    ),
}


def raw_of(habit: Habit, end: bytes = b"\r\n") -> bytes:
    return end.join(line if isinstance(line, bytes) else line.encode() for line in habit.lines)


def shown(message: ParsedMessage) -> dict[str, Any]:
    return {
        "sender": message.sender,
        "subject": message.subject,
        "date": message.date,
        "text": message.text.replace("\r\n", "\n"),
        "files": [file.name for file in message.attachments],
    }


@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
@pytest.mark.parametrize("name", HABITS)
def test_a_message_reads_as_its_own_program_shows_it(name: str, end: bytes) -> None:
    habit = HABITS[name]
    message = ParsedMessage(raw_of(habit, end))
    wanted = {name: getattr(habit, name) for name in ("sender", "subject", "date", "text", "files")}
    got = shown(message)
    got["text"], wanted["text"] = got["text"].strip("\n"), wanted["text"].strip("\n")
    assert got == wanted
    assert habit.html in message.html
    assert bool(message.html) is bool(habit.html)


def test_there_are_twenty() -> None:
    assert len(HABITS) == 20


# Mailbox files, and the marks in them


def mailbox(path: Path, *messages_: tuple[str, ...]) -> MailConnection:
    written = [
        "\n".join(["From - Thu Nov 26 08:30:00 2026", *fields, f"Subject: {number}", "", "Text.", "", ""])
        for number, fields in enumerate(messages_)
    ]
    path.write_text("".join(written), encoding="utf-8", newline="")
    return MailConnection(name="box", protocol="MBOX", server_host=str(path))


def marks(connection: MailConnection, **asked: Any) -> dict[str, tuple[bool | None, bool | None]]:
    return {message.subject: (message.seen, message.flagged) for message in messages(connection, **asked)}


def test_thunderbirds_marks_are_read_and_what_it_has_deleted_is_not_listed(tmp_path: Path) -> None:
    box = mailbox(
        tmp_path / "Inbox",
        ("X-Mozilla-Status: 0001", "X-Mozilla-Status2: 00000000"),
        ("X-Mozilla-Status: 0000", "X-Mozilla-Status2: 00000000"),
        ("X-Mozilla-Status: 0005", "X-Mozilla-Status2: 00000000"),
        ("X-Mozilla-Status: 0009", "X-Mozilla-Status2: 00000000"),
        ("X-Mozilla-Status: zzz",),
    )
    assert marks(box) == {"0": (True, False), "1": (False, False), "2": (True, True), "4": (None, None)}
    assert list(marks(box, unseen=True)) == ["4", "1"]
    assert list(marks(box, flagged=True)) == ["2"]
    assert list(marks(box, limit=2)) == ["4", "2"]


def test_takeouts_labels_are_marks_where_they_are_in_a_language_that_is_known(tmp_path: Path) -> None:
    box = mailbox(
        tmp_path / "All mail.mbox",
        ("X-GM-THRID: 1", "X-Gmail-Labels: Inbox,Unread"),
        ("X-Gmail-Labels: Archived,Opened,Category Updates",),
        ("X-Gmail-Labels: Important,Starred",),
        ("X-Gmail-Labels: =?UTF-8?Q?Posteingang,Ge=C3=B6ffnet?=",),
    )
    assert marks(box) == {"0": (False, False), "1": (True, False), "2": (True, True), "3": (None, None)}


def test_the_letters_of_status_are_read_and_without_any_nothing_is_known(tmp_path: Path) -> None:
    box = mailbox(tmp_path / "mbox", ("Status: RO",), ("Status: O",), (), ("Status: RO", "X-Status: AF"))
    assert marks(box) == {"0": (True, False), "1": (False, False), "2": (None, None), "3": (True, True)}
    assert list(marks(box, unseen=True)) == ["2", "1"]
