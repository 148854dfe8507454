"""Deleting by POP3: when the session ends, and what is known of it when the link breaks before."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import Messages, messages
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError, OptionError
from mailconn_jupyter.session.connect_by_protocol import connect_pop3
from mailconn_jupyter.session.pop3.errors import LinkLost
from mailconn_jupyter.session.pop3.session import POP3Session
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Cut, Relay
from tests.support.acting import plain
from tests.support.mailboxes import Mailbox, mail, mailbox_of
from tests.support.scripted_mailboxes import pop3_of

_numbers = itertools.count()
NAMES = ["number 3", "number 2", "number 1"]

Make = Callable[[], Mailbox]


@pytest.fixture
def make(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> Make:
    def made() -> Mailbox:
        mails = [mail(f"number {number}") for number in range(1, 4)]
        user = f"popper{next(_numbers)}"
        return mailbox_of("POP3", user, mails, dovecot=dovecot, certificates=certificates, folder=tmp_path)

    return made


def subjects(connection: MailConnection) -> list[str]:
    return [message.subject for message in messages(connection, body=False)]


def test_a_selection_is_deleted_at_once_where_the_session_is_opened_for_it(make: Make) -> None:
    box = make()
    found = messages(box.connection, subject="number 2")
    assert "Would delete 1 message from the mailbox for good. Nothing was changed." in str(
        found.delete(expunge=True, dry_run=True)
    )
    assert subjects(box.connection) == NAMES
    report = found.delete(expunge=True)
    assert report.summary == "Deleted 1 message from the mailbox for good."
    assert subjects(box.connection) == ["number 3", "number 1"]
    assert messages(box.connection, limit=1).delete(expunge=True).count == 1
    assert subjects(box.connection) == ["number 1"]
    assert found.delete(expunge=True).gone == report.uids


def test_within_a_loop_and_within_a_session_messages_are_marked_until_it_ends(make: Make) -> None:
    box = make()
    for message in messages(box.connection):
        if message.subject == "number 2":
            report = message.delete(expunge=True)
            assert "Marked 1 message in the mailbox as deleted. The server deletes them when" in str(report)
    assert subjects(box.connection) == ["number 3", "number 1"]
    with connect_pop3(box.connection) as session:
        assert messages(session).delete(expunge=True).count == 2
        session.rset()
    assert subjects(box.connection) == ["number 3", "number 1"]


def test_answers_that_come_before_the_next_command_has_left_are_waited_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    say = POP3Session.say

    def slowly(session: POP3Session, *words: Any, **more: Any) -> None:
        say(session, *words, **more)
        time.sleep(0.05)

    monkeypatch.setattr(POP3Session, "say", slowly)
    assert messages(box.connection).delete(expunge=True).count == 3
    assert subjects(box.connection) == []


def test_what_pop3_cannot_do_is_refused_before_anything_is_opened(make: Make) -> None:
    box = make()
    with pytest.raises(OptionError, match=r"POP3 has no trash.*\n.*expunge=True"):
        messages(box.connection).delete()
    for act in (Messages.flag, Messages.mark_seen, lambda found: found.move("Archive"), lambda found: found.copy("X")):
        with pytest.raises(OptionError, match=r"POP3 .*; messages can only be deleted"):
            act(messages(box.connection))


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_a_cut_link_deletes_no_other_message_and_what_is_said_is_true(
    make: Make, direction: str, dovecot: Dovecot
) -> None:
    with Relay(dovecot.pop3) as link:
        messages(plain(make().connection, link.port), subject="number 2").delete(expunge=True)
    length = link.bytes_from_client if direction == "to_server" else link.bytes_from_server
    marks: list[int | bytes] = [b"DELE 2\r\n", b"QUIT\r\n", *range(length - 60, length, 7)]
    finished = 0
    for after in marks:
        box = make()
        with Relay(dovecot.pop3, strikes=1, **{direction: Cut(after=after)}) as link:  # type: ignore[arg-type]
            said = ""
            with contextlib.suppress(LinkLost, OpenError):
                said = str(messages(plain(box.connection, link.port), subject="number 2").delete(expunge=True))
        assert subjects(box.connection) == (["number 3", "number 1"] if said else NAMES), (after, said)
        finished += "over a new one" in said
    assert finished


def test_a_number_that_no_mailbox_has_is_passed_over() -> None:
    with pop3_of([b"Subject: one\r\n\r\nHello.\r\n"], top="whole", more_ids=b"9" * 5000 + b" huge\r\n") as (box, _):
        assert messages(box).delete(expunge=True, dry_run=True).uids == ("u1",)
