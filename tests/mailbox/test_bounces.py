"""Whose mail came back, asked of a mailbox of each protocol: the same answer, and no more of it read than is needed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import MailConnection
from mailconn_jupyter.errors import MailConnError, MailConnWarning, OptionError
from mailconn_jupyter.mailbox import by_imap
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.line_arguments import UnsafeArgument
from mailconn_jupyter.store import connections
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.support.bounce_formats import FORMATS, ORIGINAL_ID, report
from tests.support.mailboxes import Mail, Mailbox, fill_file, mail, mailbox_of
from tests.support.scripted_mailboxes import imap_of

PROTOCOLS = ("IMAP", "POP3", "MBOX")
COLUMNS = ["recipient", "action", "status", "words", "message_id", "date"]
_numbers = itertools.count()

Make = Callable[..., Mailbox]


@pytest.fixture
def make(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> Make:
    """Makes a mailbox of a protocol with the given mail in it."""

    def made(protocol: str, mails: Sequence[Mail]) -> Mailbox:
        user = f"bounced{next(_numbers)}"
        return mailbox_of(protocol, user, mails, dovecot=dovecot, certificates=certificates, folder=tmp_path)

    return made


def bounce(recipient: str, *, day: int = 22, ballast: int = 0) -> Mail:
    raw = report(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nSubject: Undelivered\n",
        f"Final-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\n",
    )
    raw = raw.replace(b"22 Nov", b"%d Nov" % day)
    return Mail(raw.replace(b"\nHello.\n", b"\nHello.\n" + b"Not read.\n" * (ballast // 10)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_form_among_other_mail_is_found_by_each_protocol_and_nothing_is_marked_as_read(
    make: Make, protocol: str
) -> None:
    others = [mail(f"number {number}", file="a.csv") for number in range(30)]
    box = make(protocol, [*others, *(Mail(form.raw) for form in FORMATS), *others])
    before = box.state()
    frame = mailconn.bounces(box.connection)
    assert list(frame.columns) == COLUMNS
    assert list(frame["status"]) == [form.status for form in reversed(FORMATS)]
    assert list(frame["recipient"]) == [form.recipient for form in reversed(FORMATS)]
    assert list(frame["action"]) == [form.action for form in reversed(FORMATS)]
    assert set(frame["message_id"]) == {ORIGINAL_ID}
    assert set(frame["date"]) == {pd.Timestamp("2026-11-22 08:30", tz="UTC")}
    assert box.state() == before


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_since_before_and_limit_take_what_is_asked_for(make: Make, protocol: str) -> None:
    box = make(protocol, [bounce(f"u{day}@example.net", day=day) for day in range(10, 20)])
    frame = mailconn.bounces(box.connection, since="2026-11-13", before="2026-11-18", limit=3)
    assert list(frame["recipient"]) == ["u17@example.net", "u16@example.net", "u15@example.net"]
    assert len(mailconn.bounces(box.connection, limit=0)) == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_mailbox_without_bounces_gives_an_empty_table_with_its_columns(make: Make, protocol: str) -> None:
    frame = mailconn.bounces(make(protocol, [mail("Hello")]).connection)
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 0
    assert str(frame["date"].dtype).endswith("UTC]")


def test_what_is_not_told_is_missing(make: Make) -> None:
    raw = b"From: MAILER-DAEMON@mail.example.org\nSubject: Undelivered\n\n<gone@example.net>\n"
    (row,) = mailconn.bounces(make("MBOX", [Mail(raw)]).connection).to_dict("records")
    assert (row["recipient"], row["action"], row["status"]) == ("gone@example.net", "failed", "5.0.0")
    assert pd.isna(row["words"])
    assert pd.isna(row["message_id"])


def test_an_imap_server_looks_for_them_and_gives_the_beginning_of_no_other_message(make: Make) -> None:
    large = bounce("large@example.net", ballast=2_000_000)
    box = make("IMAP", [mail(f"number {number}") for number in range(500)] + [large, mail("last")])
    with connect(box.connection) as session:
        start = len(session.transcript)
        (row,) = mailconn.bounces(session, since="2026-11-20").to_dict("records")
        said = [line for line in session.transcript[start:] if line.startswith("C:") or "UID " in line]
    assert row["recipient"] == "large@example.net"
    searches = [line for line in said if "UID SEARCH" in line]
    assert searches
    assert all("SINCE 19-Nov-2026" in line and "multipart/report" in line for line in searches)
    heads, bodies = ([line for line in said if word in line] for word in ("PEEK[HEADER]", "PEEK[]"))
    # One message, and of that not the two megabytes that came back.
    assert len(heads) == len(bodies) == 1
    assert "UID FETCH 501 " in heads[0]
    assert "BODY.PEEK[]<0.262144>" in bodies[0]


def test_a_server_that_does_not_look_into_every_header_is_asked_for_them_all() -> None:
    def crlf(raw: bytes) -> bytes:
        return raw.replace(b"\n", b"\r\n")

    mails = {1: crlf(mail("Hello").raw), 2: crlf(bounce("gone@example.net").raw)}
    with imap_of(mails, refuses_headers=True) as (connection, _):
        frame = mailconn.bounces(connection, since="2026-11-20")
    assert list(frame["recipient"]) == ["gone@example.net"]


SIMPLE = (
    b"Return-Path: <>\nFrom: System <system@example.org>\nSubject: failure\n\nThis is the machine generated message from mail "
    b"service.\n\n<gone@example.net>: gone\n\n--- Below the next line is a copy of the message.\n"
)


def test_an_older_form_is_known_by_the_library_and_without_it_one_is_told(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make("MBOX", [Mail(SIMPLE)])
    assert list(mailconn.bounces(box.connection)["recipient"]) == ["gone@example.net"]
    monkeypatch.setitem(sys.modules, "flufl.bounce", None)
    with pytest.warns(MailConnWarning, match="1 message may be a bounce in an older format. Run: %pip"):
        assert len(mailconn.bounces(box.connection)) == 0


def test_whatever_the_library_raises_is_no_error_of_ours_and_is_not_logged(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A field that its detectors do not expect: an IndexError of theirs, with a traceback.
    empty = b"Return-Path: <>\nFrom: ()\nSubject: failure\n\nNothing to see.\n"
    assert len(mailconn.bounces(make("MBOX", [Mail(empty)]).connection)) == 0
    assert not caplog.records

    def fail(_message: object) -> Any:
        raise RecursionError

    monkeypatch.setattr("flufl.bounce.all_failures", fail)
    assert len(mailconn.bounces(make("MBOX", [Mail(SIMPLE)]).connection)) == 0


def test_a_message_of_thousands_of_parts_is_not_given_to_the_library(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = []

    def read(message: Any) -> tuple[set[bytes], set[bytes]]:
        heads.append(message["Subject"])
        return set(), set()

    monkeypatch.setattr("flufl.bounce.all_failures", read)
    many = b"Return-Path: <>\nFrom: a@example.org\nSubject: many\n" + b'Content-Type: multipart/mixed; boundary="b"\n\n'
    mailconn.bounces(make("MBOX", [Mail(many + b"--b\n\n" * 2_000), Mail(SIMPLE)]).connection)
    assert heads == ["failure"]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [({"limit": -1}, "limit must be a whole number of notifications"), ({"since": "soon"}, "since is not a date")],
)
def test_a_question_that_makes_no_sense_is_an_error_before_anything_is_opened(
    asked: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(OptionError, match=complaint):
        mailconn.bounces("no such connection", **asked)
    with pytest.raises(UnsafeArgument):
        mailconn.bounces("no such connection", folder="a\r\nb")


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MailConnError, match=r"bounces\(\) needs pandas") as caught:
        mailconn.bounces("ops")
    assert "pip install pandas" in caught.value.hint


def test_a_connection_that_sends_has_no_bounces_to_read() -> None:
    connections.save(MailConnection(name="ops", server_host="mail.example.org"))
    with pytest.raises(OptionError, match="SMTP sends mail"):
        mailconn.bounces("ops")


def test_ten_thousand_messages_with_a_thousand_bounces_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "many.mbox"
    fill_file(path, ([mail("Hello")] * 9 + [bounce("gone@example.net")]) * 1_000)
    frame = mailconn.bounces(MailConnection(name="many", protocol="MBOX", server_host=str(path)))
    assert len(frame) == 1_000


def test_no_further_notification_is_looked_for_than_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "many.mbox"
    fill_file(path, [mail("Hello")] * 50 + [bounce("gone@example.net")])
    looked: list[int] = []
    frame = mailconn.bounces(
        MailConnection(name="many", protocol="MBOX", server_host=str(path)),
        limit=1,
        progress=lambda count, _: looked.append(count),
    )
    assert (len(frame), looked) == (1, [1])


@pytest.mark.parametrize("limit", [0, 2, 10**30])
def test_the_limit_is_of_notifications(limit: int, tmp_path: Path) -> None:
    path = tmp_path / "some.mbox"
    fill_file(
        path,
        [bounce("gone@example.net"), mail("Hello"), bounce("lost@example.net"), mail("Bye"), bounce("x@y.example")],
    )
    frame = mailconn.bounces(MailConnection(name="some", protocol="MBOX", server_host=str(path)), limit=limit)
    assert list(frame["recipient"]) == ["x@y.example", "lost@example.net", "gone@example.net"][:limit]


def test_a_server_that_does_not_look_into_every_header_is_asked_for_that_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # So few that several searches are needed.
    monkeypatch.setattr(by_imap, "_WINDOW", 10)
    mails = dict.fromkeys(range(1, 36), b"From: ana@example.org\r\n\r\nHello.\r\n")
    with imap_of(mails, refuses_headers=True) as (connection, box):
        assert len(mailconn.bounces(connection)) == 0
    refused = [line for line in box.searched if "HEADER" in line]
    assert len(refused) == 1
    assert len(box.searched) == 5
