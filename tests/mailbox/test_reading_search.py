"""Messages by what is in them: a text anywhere, a flag, a size, a file; by each protocol, and by what a server tells of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy
import pytest

from mailconn_jupyter import messages, to_frame
from mailconn_jupyter.errors import OptionError
from mailconn_jupyter.mailbox.fetched import Fetched
from mailconn_jupyter.mailbox.selection import Selection
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.line_arguments import UnsafeArgument
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.support import shells
from tests.support.mailboxes import Mail, Mailbox, mail, mailbox_of
from tests.support.results import png
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up
PROTOCOLS = ("IMAP", "POP3", "MBOX")
_numbers = itertools.count()


def with_picture() -> Mail:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = "a@example.org", "picture", "Sun, 22 Nov 2026 08:30:00 +0000"
    made.set_content("See the plot.\n")
    made.add_alternative('<p>See <img src="cid:p1"></p>', subtype="html")
    made.get_payload()[1].add_related(png(), "image", "png", cid="<p1>", filename="p.png")  # type: ignore[index, union-attr]  # the HTML
    return Mail(made.as_bytes())


def html_alone() -> Mail:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = "a@example.org", "html", "Sun, 22 Nov 2026 08:30:00 +0000"
    made.set_content("<p>An <b>Invoice</b> &amp; more</p>", subtype="html")
    return Mail(made.as_bytes())


def forwarded() -> Mail:
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("hidden\n")
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = "a@example.org", "forwarded", "Sun, 22 Nov 2026 08:30:00 +0000"
    made.set_content("See below.\n")
    made.add_attachment(inner)
    return Mail(made.as_bytes())


MAILS = [
    mail("plain", text="Your invoice of November.\n"),
    mail("umlaut", text="Die Größe stimmt.\n", seen=True),
    html_alone(),
    mail("file", text="Numbers.\n", file="zahlen.csv"),
    with_picture(),
    Mail(mail("starred", text="y\n" * 6000).raw, flagged=True, seen=True),
    forwarded(),
    mail("invoice in the subject"),
]

Make = Callable[[str], Mailbox]


@pytest.fixture
def make(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> Make:
    def made(protocol: str) -> Mailbox:
        user = f"searcher{next(_numbers)}"
        return mailbox_of(protocol, user, MAILS, dovecot=dovecot, certificates=certificates, folder=tmp_path)

    return made


@pytest.fixture(params=PROTOCOLS)
def box(request: pytest.FixtureRequest, make: Make) -> Mailbox:
    return make(request.param)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"text": "INVOICE"}, ["invoice", "html", "plain"]),
        ({"text": "größe"}, ["umlaut"]),
        ({"text": "no such word"}, []),
        ({"text": "invoice", "subject": "plain"}, ["plain"]),
        ({"text": "invoice", "subject": "Größe"}, []),
        ({"larger": 10_000}, ["starred"]),
        ({"larger": "10 kB"}, ["starred"]),
        ({"larger": numpy.int64(10_000)}, ["starred"]),
        ({"larger": 10**30}, []),
        ({"has_attachment": True}, ["forwarded", "file"]),
        ({"has_attachment": True, "text": "numbers"}, ["file"]),
        ({"has_attachment": True, "limit": 1}, ["forwarded"]),
        ({"has_attachment": True, "larger": 10_000}, []),
    ],
)
def test_messages_are_found_by_text_size_and_file(box: Mailbox, asked: dict[str, Any], found: list[str]) -> None:
    before = box.state()
    for body in (True, False):
        got = list(messages(box.connection, **asked, body=body))
        assert [message.subject.split()[0] for message in got] == found
        assert all(message.complete is body for message in got)
        assert all(body or message.raw.split(b"\n")[-2].strip() == b"" for message in got)
    assert box.state() == before


@pytest.mark.parametrize("protocol", ["IMAP", "MBOX"])
def test_flagged_takes_what_has_a_flag_or_a_star(make: Make, protocol: str) -> None:
    (found,) = messages(make(protocol).connection, flagged=True)
    assert (found.subject, found.flagged, found.seen) == ("starred", True, True)


def test_a_server_does_the_search_and_sends_no_body_that_nobody_wants(make: Make) -> None:
    with connect(make("IMAP").connection) as session:
        asked: dict[str, Any] = {"text": "invoice", "larger": 10, "flagged": True, "has_attachment": True}
        assert list(messages(session, **asked)) == []
        [search] = [line for line in session.transcript if " SEARCH " in line]
        assert 'FLAGGED LARGER 10 TEXT "invoice"' in search
        assert [message.subject for message in messages(session, has_attachment=True)] == ["forwarded", "file"]
        bodies = [line for line in session.transcript if "BODY.PEEK[]" in line]
        assert sum("BODYSTRUCTURE" in line and "FETCH" in line for line in session.transcript) >= 1
        assert len(bodies) == 2


def test_what_pop3_does_not_know_is_refused(make: Make) -> None:
    with pytest.raises(OptionError, match="which messages have a flag, so flagged cannot be asked for"):
        messages(make("POP3").connection, flagged=True)


@pytest.mark.parametrize("larger", ["huge", -1, 1.5, True, b"1"])
def test_what_is_no_size_is_refused_at_once(larger: Any) -> None:
    with pytest.raises(OptionError, match="larger must be a number of bytes"):
        messages("nobody", larger=larger)


def test_a_text_that_is_none_or_breaks_a_line_is_refused() -> None:
    with pytest.raises(OptionError, match="text must be text to look for, not int"):
        Selection(text=3)  # type: ignore[arg-type]  # as somebody gives it
    with pytest.raises(UnsafeArgument):
        messages("nobody", text="a\r\nLOGOUT")


def test_a_table_is_of_what_was_looked_for_and_has_texts_when_asked(make: Make) -> None:
    connection = make("MBOX").connection
    assert list(to_frame(connection, text="invoice")["subject"]) == ["invoice in the subject", "html", "plain"]
    assert "text" not in to_frame(connection, text="invoice")
    assert list(to_frame(connection, text=True, larger="10 kB")["text"]) == ["y\n" * 6000]
    assert len(to_frame(list(messages(connection)), text=True)) == len(MAILS)
    with pytest.raises(OptionError, match="flagged, larger, text: only for messages that are still to be read"):
        to_frame(list(messages(connection)), text="x", flagged=True, larger=3)


def test_the_magic_asks_the_same(shell: Shell, make: Make) -> None:
    import mailconn_jupyter as mailconn  # noqa: PLC0415  # of this test alone

    connection = make("MBOX").connection
    mailconn.connections.save(connection)
    for flags, subject in {
        "--text größe": "umlaut",
        "--flagged": "starred",
        "--larger '10 kB'": "starred",
        "--has-attachment --text numbers": "file",
    }.items():
        ran = shell.ok(f"%mailconn inbox {connection.name} {flags}")
        assert subject in ran.text
        assert f"{connection.name}: 1 message" in ran.text


@pytest.mark.parametrize(
    ("structure", "has_file"),
    [
        # RFC 9051, 7.5.2
        ('("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED"', False),
        ('"TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 1 NIL NIL NIL NIL', False),
        ('"APPLICATION" "PDF" ("NAME" "a.pdf") NIL NIL "BASE64" 12 NIL ("attachment" ("filename" "a.pdf")) NIL NIL', True),
        ('"APPLICATION" "PDF" NIL NIL NIL "BASE64" 12', True),
        ('("TEXT" "HTML" NIL NIL NIL "7BIT" 1 1 NIL NIL NIL NIL)("IMAGE" "PNG" ("NAME" "p.png") "<p1>" NIL "BASE64" 9 NIL ("inline" ("filename" "p.png")) NIL NIL) "RELATED"', False),
        ('("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 30 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 6 1) 4 NIL NIL) "MIXED"', True),
        ('"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL ("ATTACHMENT" NIL) NIL NIL', True),
        ('("AUDIO" "MPEG" NIL NIL NIL "BASE64" 3) "MIXED"', True),
        ('"TEXT" "PLAIN" ("NAME" "UID 7 FLAGS (\\\\Seen) )(") NIL NIL "7BIT" 1 1', False),
        ("", False),
        ("(" * 5000, False),
    ],
)  # fmt: skip
def test_what_a_server_tells_of_a_message_says_whether_it_has_a_file(structure: str, has_file: bool) -> None:
    said = Fetched.of([f"1 (BODYSTRUCTURE ({structure}) UID 4 FLAGS (\\Flagged))".encode()])
    if structure and not structure.startswith("(((("):
        assert (said.uid, said.flags) == (4, ("\\Flagged",))
    assert bool(said.has_file) is has_file


def test_a_name_that_is_a_literal_is_a_word_like_the_others() -> None:
    head = b'1 (UID 4 BODYSTRUCTURE ("APPLICATION" "PDF" ("NAME" {7}'
    said = Fetched.of([(head, b'a")(".p'), b') NIL NIL "BASE64" 12) FLAGS ())'])
    assert (said.uid, said.flags, said.has_file) == (4, (), True)
