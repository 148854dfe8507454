"""Reading from servers that cannot give what they have, or give less: what can be had is had, and the rest is said."""

from __future__ import annotations

import pytest

from mailconn_jupyter import messages
from mailconn_jupyter.session.imap.errors import Refused
from tests.support.scripted_mailboxes import imap_of, pop3_of


def mail(number: int, body: bytes = b"Hello.\r\n") -> bytes:
    return b"From: ana@example.org\r\nDate: Sun, 22 Nov 2026 08:30:00 +0000\r\nSubject: %d\r\n\r\n" % number + body


LONG = b"".join(b"line %d\r\n" % number for number in range(20_000))
DOTS = b"before\r\n..two\r\n.\r\n.one\r\n.\r\n.\r\nafter\r\n"


# POP3: TOP with all lines stands for RETR, as it marks nothing as read


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("top", ["whole", "absent", "refused", "cut", "undoubled"])
def test_a_message_is_whole_whatever_the_server_makes_of_top(top: str, pipelining: bool) -> None:
    mails = [mail(1), mail(2, LONG), mail(3, DOTS), mail(4, b".\r\nafter a dot\r\n"), mail(5)]
    with pop3_of(mails, top=top, pipelining=pipelining) as (connection, server):
        found = list(messages(connection))
        assert [message.raw for message in reversed(found)] == mails
        assert {message.problems for message in found} == {()}
        retrieved = [line for line in server.lines if line.startswith(b"RETR")]
    assert len(retrieved) == {"whole": 0, "absent": 5, "refused": 5, "cut": 1, "undoubled": 1}[top]


@pytest.mark.parametrize("top", ["whole", "absent", "refused", "cut", "undoubled"])
def test_headers_are_read_whatever_the_server_makes_of_top(top: str) -> None:
    mails = [mail(number, LONG) for number in range(5)]
    with pop3_of(mails, top=top) as (connection, _):
        assert [message.subject for message in messages(connection, body=False)] == ["4", "3", "2", "1", "0"]
    with pop3_of(mails, top=top) as (connection, _):
        (message,) = messages(connection, subject="3")
        assert message.raw == mails[3]


@pytest.mark.parametrize("top", ["whole", "refused", "cut"])
def test_one_message_that_pop3_does_not_give_is_told_and_the_others_are_read(top: str) -> None:
    mails = [mail(number) for number in range(4)]
    for refused in ([4], [2]):
        with pop3_of(mails, top=top, refused=refused) as (connection, _):
            found = list(messages(connection))
        assert [message.raw for message in found] == [
            b"" if number in refused else mails[number - 1] for number in (4, 3, 2, 1)
        ]
        assert [message.problems for message in found if not message.raw] == [
            ("The server refused the command: not this one", "No date.")
        ]


# IMAP: a FETCH of many that ends in NO


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("body", [True, False])
def test_messages_that_an_imap_server_cannot_give_are_told_and_the_others_are_read(
    body: bool, stops: bool, lists: bool
) -> None:
    mails = {uid: mail(uid) for uid in range(101, 141)}
    broken = [110, 139]
    with imap_of(mails, broken=broken, stops=stops, lists=lists) as (connection, box):
        found = list(messages(connection, body=body))
    assert [int(message.uid) for message in found] == sorted(mails, reverse=True)
    assert [message.subject for message in found if message.raw] == [
        str(uid) for uid in sorted(mails, reverse=True) if uid not in broken
    ]
    for message in found:
        if not message.raw:
            assert int(message.uid) in broken
            (problem,) = {each for each in message.problems if each != "No date."}
            assert problem == "The server did not fetch that: NO [UNAVAILABLE] Some messages could not be had"
    # It is looked for by halves, not one by one.
    assert len(box.fetched) < 40


def test_an_imap_server_that_gives_nothing_at_all_is_an_error() -> None:
    mails = {uid: mail(uid) for uid in range(1, 30)}
    with imap_of(mails, broken=list(mails), stops=True) as (connection, _), pytest.raises(Refused, match="UNAVAILABLE"):
        list(messages(connection, body=False))
