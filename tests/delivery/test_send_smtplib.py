"""``send()`` through an ``smtplib.SMTP``: the same report, and unknown where such a session cannot tell more."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery import send as send_module
from mailconn_jupyter.delivery.report import DeliveryError
from tests.servers.script import Close, Expect, ExpectUntil, ScriptServer, Send
from tests.servers.steps import Step

BOB, ALICE, GONE = "bob@example.test", "alice@example.test", "gone@example.test"
HELLO: list[Step] = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 8BITMIME\r\n")]
MAIL: list[Step] = [Expect(rb"(?i)mail FROM:.*"), Send(b"250 ok\r\n")]
RCPT: list[Step] = [Expect(rb"(?i)rcpt TO:.*"), Send(b"250 ok\r\n")]
DATA: list[Step] = [Expect(rb"data"), Send(b"354 go\r\n"), ExpectUntil()]
RSET: list[Step] = [Expect(rb"rset"), Send(b"250 ok\r\n")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try after a hundredth of the time."""
    monkeypatch.setattr(send_module, "_PAUSES", (0.01, 0.05))


@contextmanager
def talking(*steps: Step) -> Iterator[smtplib.SMTP]:
    with ScriptServer([*HELLO, *steps]) as server:
        session = smtplib.SMTP(server.host, server.port, timeout=5)
        try:
            yield session
        finally:
            session.close()


def failed(session: smtplib.SMTP, *recipients: str) -> mailconn.SendReport:
    """The report of a delivery that fails."""
    with pytest.raises(DeliveryError) as caught:
        mailconn.send(session, recipients or ALICE, "x", "y", sender=BOB)
    return caught.value.report


@pytest.mark.parametrize(
    "refusal",
    [
        [Expect(rb"(?i)mail FROM:.*"), Send(b"554 5.7.1 no\r\n"), *RSET],
        [*MAIL, Expect(rb"(?i)rcpt TO:.*"), Send(b"554 5.7.1 no\r\n"), *RSET],
        [*MAIL, *RCPT, Expect(rb"data"), Send(b"554 5.7.1 no\r\n"), *RSET],
        [*MAIL, *RCPT, *DATA, Send(b"554 5.7.1 no\r\n"), *RSET, *RSET],
    ],
    ids=["sender", "recipient", "data", "message"],
)
def test_a_refusal_at_any_stage_is_in_the_report_with_the_servers_words(refusal: list[Step]) -> None:
    with talking(*refusal) as session:
        (outcome,) = failed(session).outcomes
    assert (outcome.outcome, outcome.code, outcome.words) == ("refused", 554, "5.7.1 no")


def test_one_refused_recipient_of_two_is_told_and_the_other_has_it() -> None:
    refused: list[Step] = [Expect(rb"(?i)rcpt TO:.*"), Send(b"550 5.1.1 nobody\r\n")]
    with talking(*MAIL, *RCPT, *refused, *DATA, Send(b"250 taken\r\n")) as session:
        report = failed(session, ALICE, GONE)
    assert report.accepted == (ALICE,)
    assert [(outcome.recipient, outcome.code) for outcome in report.refused] == [(GONE, 550)]


def test_after_a_421_to_one_recipient_nobody_has_it_and_the_others_are_not_sent() -> None:
    closing: list[Step] = [Expect(rb"(?i)rcpt TO:.*"), Send(b"421 4.3.2 closing\r\n"), Close()]
    with talking(*MAIL, *RCPT, *closing) as session:
        report = failed(session, ALICE, GONE, "carol@example.test")
    assert report.accepted == ()
    assert [(outcome.outcome, outcome.code) for outcome in report.outcomes] == [
        ("not sent", 0),
        ("refused", 421),
        ("not sent", 0),
    ]


def test_a_garbled_reply_to_a_recipient_leaves_it_unknown_when_the_message_was_sent_to_another() -> None:
    garbled: list[Step] = [Expect(rb"(?i)rcpt TO:.*"), Send(b"garbage\r\n")]
    with talking(*MAIL, *RCPT, *garbled, *DATA, Send(b"250 taken\r\n")) as session:
        report = failed(session, ALICE, GONE)
    assert (report.accepted, report.unknown, report.refused) == ((ALICE,), (GONE,), ())
    assert "not valid SMTP" in report.outcomes[1].words


@pytest.mark.parametrize("stage", [[], MAIL], ids=["mail", "recipient"])
def test_a_garbled_reply_before_any_message_leaves_it_not_sent_in_words_that_can_be_read(stage: list[Step]) -> None:
    garbled: list[Step] = [
        *stage,
        Expect(rb"(?i)(?:mail FROM|rcpt TO):.*"),
        Send(b"garbage\r\n"),
        Expect(rb"rset"),
        Close(),
    ]
    with talking(*garbled) as session:
        (outcome,) = failed(session).outcomes
    assert (outcome.outcome, outcome.code) == ("not sent", 0)
    assert outcome.words == "The server's reply is not valid SMTP: ...age"


def test_what_was_not_sent_for_a_garbled_reply_is_tried_again() -> None:
    garbled: list[Step] = [Expect(rb"(?i)mail FROM:.*"), Send(b"garbage\r\n"), *RSET]
    with talking(*garbled, *MAIL, *RCPT, *DATA, Send(b"250 taken\r\n")) as session:
        assert mailconn.send(session, ALICE, "x", "y", sender=BOB).accepted == (ALICE,)


@pytest.mark.parametrize("later", [[Expect(rb"data")], [*DATA]], ids=["data", "message"])
def test_a_refusal_for_the_moment_is_tried_again_in_a_new_transaction(later: list[Step]) -> None:
    # After the reply to DATA itself smtplib leaves the transaction open, after that to the message it does not.
    resets = RSET if len(later) == 1 else RSET * 2
    refused: list[Step] = [*MAIL, *RCPT, *later, Send(b"451 4.3.0 later\r\n"), *resets]
    with talking(*refused, *MAIL, *RCPT, *DATA, Send(b"250 taken\r\n")) as session:
        assert mailconn.send(session, ALICE, "x", "y", sender=BOB).accepted == (ALICE,)


@pytest.mark.parametrize(
    "end",
    [
        [*MAIL, Close()],
        [*MAIL, *RCPT, Expect(rb"data"), Close()],
        [*MAIL, *RCPT, *DATA, Close()],
        [*MAIL, *RCPT, *DATA, Send(b"garbage\r\n"), Close()],
        [*MAIL, *RCPT, *DATA, Send(b"250 " + b"x" * 9000 + b"\r\n"), Close()],
    ],
    ids=["mail", "data", "message", "garbage", "long"],
)
def test_a_link_that_breaks_leaves_every_outcome_unknown_and_nothing_is_sent_again(end: list[Step]) -> None:
    with talking(*end) as session:
        report = failed(session)
    assert report.unknown == (ALICE,)
    assert report.outcomes[0].words
    assert not report.outcomes[0].words.startswith("(")


def test_a_link_that_was_lost_before_the_message_leaves_it_not_sent() -> None:
    with ScriptServer([Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Close()]) as server:
        session = smtplib.SMTP(server.host, server.port, timeout=5)
        assert [outcome.outcome for outcome in failed(session).outcomes] == ["not sent"]
    assert [outcome.outcome for outcome in failed(smtplib.SMTP()).outcomes] == ["not sent"]


def test_the_one_line_of_an_unknown_outcome_says_why_and_whom_to_ask() -> None:
    with talking(*MAIL, *RCPT, *DATA, Close()) as session, pytest.raises(DeliveryError) as caught:
        mailconn.send(session, ALICE, "x", "y", sender=BOB)
    assert f"{ALICE}: unknown Connection unexpectedly closed" in caught.value.message
    assert caught.value.hint == f"Ask {ALICE} before you send again: it may arrive twice."
