"""An interrupt amid ``send()``: what had been sent by then is in the log, and what may have been is unknown there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery import send
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.errors import MailConnError, MailConnWarning
from mailconn_jupyter.session.smtp.connection import Reply, SMTPConnection
from mailconn_jupyter.store import connections
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.support.batches import to

ANA = "ana@example.test"


@pytest.fixture
def server() -> Iterator[PipeliningServer]:
    with PipeliningServer(BOTH) as started:
        yield started


def logged() -> list[tuple[str, str]]:
    return [(row["recipient"], row["outcome"]) for row in mailconn.sent().to_dict("records")]


def test_who_was_accepted_before_an_interrupted_pause_is_logged(
    server: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailconn_jupyter.delivery.send.time.sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mailconn.send(to(server.port), [ANA, "grey@example.test"], "Churn", "x")
    assert sorted(logged()) == [(ANA, "accepted"), ("grey@example.test", "refused")]


def test_a_message_that_is_interrupted_before_its_answer_is_logged_as_unknown(
    server: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_reply = SMTPConnection.read_reply

    def interrupted(link: SMTPConnection, patience: float | None = None) -> Reply:
        # Of a content alone the answer is waited for longer.
        if patience is not None:
            raise KeyboardInterrupt
        return read_reply(link)

    monkeypatch.setattr(SMTPConnection, "read_reply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mailconn.send(to(server.port), ANA, "Churn", "x")
    assert logged() == [(ANA, "unknown")]


def test_what_is_wrong_with_a_message_is_not_logged(server: PipeliningServer) -> None:
    server.offers = ("PIPELINING", "8BITMIME", "SIZE 100")
    with pytest.raises(MailConnError, match="at most 100 bytes"):
        mailconn.send(to(server.port), ANA, "Churn", "x" * 1000)
    assert logged() == []


def test_a_log_that_cannot_be_written_is_told_and_the_copy_is_saved_all_the_same(
    server: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []
    monkeypatch.setattr(send, "keep_copy", lambda *given: saved.append(given))
    connections.save(to(server.port, name="out", save_sent_to="box"))
    LogFile().path.mkdir(parents=True)
    with pytest.warns(MailConnWarning, match="The sent message could not be logged"):
        assert mailconn.send("out", ANA, "Churn", "x").ok
    assert len(saved) == 1
