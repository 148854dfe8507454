"""An interrupt amid ``send()``: what had been sent by then is in the log, and what may have been is unknown there."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable, Iterator

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery import send
from mailconn_jupyter.delivery.sent_log.log_file import LogFile
from mailconn_jupyter.errors import MailConnWarning
from mailconn_jupyter.store import connections
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.support.batches import to

ANA = "ana@example.test"


def interrupting(line: str, answer: str | None = None) -> Callable[[str], str | None]:
    """Interrupts this kernel when a line begins so, and gives that answer to it."""

    def said(now: str) -> str | None:
        if not now.startswith(line):
            return None
        _thread.interrupt_main()
        # The main thread is in its wait, or on its way there.
        time.sleep(0.2)
        return answer

    return said


@pytest.fixture
def answers() -> list[Callable[[str], str | None]]:
    return []


@pytest.fixture
def server(answers: list[Callable[[str], str | None]]) -> Iterator[PipeliningServer]:
    def answer(line: str) -> str | None:
        return next((said for each in answers if (said := each(line)) is not None), None)

    with PipeliningServer(BOTH, answer=answer) as started:
        yield started


def logged() -> list[tuple[str, str]]:
    return [(row["recipient"], row["outcome"]) for row in mailconn.sent().to_dict("records")]


def test_who_was_accepted_before_an_interrupted_pause_is_logged(
    server: PipeliningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(send.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mailconn.send(to(server.port), [ANA, "grey@example.test"], "Churn", "x")
    assert sorted(logged()) == [(ANA, "accepted"), ("grey@example.test", "refused")]


def test_a_message_that_is_interrupted_before_its_answer_is_logged_as_unknown(
    server: PipeliningServer, answers: list[Callable[[str], str | None]]
) -> None:
    answers.append(interrupting("BDAT"))
    with pytest.raises(KeyboardInterrupt):
        mailconn.send(to(server.port), ANA, "Churn", "x")
    server.wait()
    assert [taken.recipients for taken in server.taken] in ([], [(ANA,)])
    assert logged() == [(ANA, "unknown")]


def test_what_is_wrong_with_a_message_is_not_logged(server: PipeliningServer) -> None:
    server.offers = ("PIPELINING", "8BITMIME", "SIZE 100")
    with pytest.raises(mailconn.MessageError):
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
