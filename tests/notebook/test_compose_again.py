"""Nobody gets a mail twice unasked: not after the form was closed amid sending, and not after its kernel was killed then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import connections
from mailconn_jupyter.delivery.send import send_composed
from mailconn_jupyter.notebook.compose_page import composer
from mailconn_jupyter.notebook.compose_page.typed_mail import TypedMail
from tests.servers.pipelining import BOTH, PipeliningServer
from tests.support import shells
from tests.support.batches import to
from tests.support.compose_driver import Front
from tests.support.shells import Shell

shell = shells.shell
clean_up = shells.clean_up

BEGUN = "An earlier attempt to send this mail was not finished: some may have it already, and would get it again."


@pytest.fixture(autouse=True)
def cell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ana/report.ipynb")


class _Slow:
    """A server that answers to a content when it is let, and to what is in ``refused`` as that says."""

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()
        self.refused: dict[str, str] = {}
        self.server = PipeliningServer(BOTH, answer=self._answer)

    def _answer(self, line: str) -> str | None:
        word = line.partition(" ")[0]
        if word in {"BDAT", "."}:
            self.asked.set()
            assert self.let.wait(30)
        return self.refused.get(word)


@pytest.fixture
def slow() -> Iterator[_Slow]:
    slow = _Slow()
    with slow.server as server:
        connections.save(to(server.port, name="out"))
        yield slow
        slow.let.set()


def amid_sending(slow: _Slow) -> Front:
    page = Front(mailconn.compose_form("out"))
    page.type(to="ana@example.org", subject="Churn", body="x")
    page.say("send", mail=page.mail, rev=page.form.composer.kept.rev)
    assert slow.asked.wait(30)
    return page


def test_a_form_that_is_closed_amid_sending_keeps_its_mail_from_the_next_until_that_is_done(slow: _Slow) -> None:
    first = amid_sending(slow)
    first.form.close()
    second = Front(mailconn.compose_form("out"))
    assert second.mail == TypedMail("out").as_dict() | {"results": [], "files": []}
    assert second.told["all"]["notice"][1] == "Another form has the mail of this cell; this is a new one."
    slow.let.set()
    assert first.form.composer.worker.wait(30)
    assert first.form.composer.unsent is None
    second.form.close()
    third = Front(mailconn.compose_form("out"))
    assert third.told["all"]["notice"] == ["", ""]
    third.form.close()
    assert len(slow.server.taken) == 1


def test_what_a_closed_form_could_not_send_is_left_to_the_next(slow: _Slow) -> None:
    slow.refused = {"BDAT": "451 later", ".": "451 later"}
    first = amid_sending(slow)
    first.form.close()
    slow.let.set()
    assert first.form.composer.worker.wait(30)
    second = Front(mailconn.compose_form("out"))
    assert second.mail["subject"] == "Churn"
    second.form.close()


def test_what_fails_in_no_way_that_was_foreseen_is_not_sent_again_unasked(
    slow: _Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.let.set()

    def failing(session: Any, message: Any) -> None:
        send_composed(session, message)
        raise RuntimeError

    monkeypatch.setattr(composer, "send_composed", failing)
    page = Front(mailconn.compose_form("out"))
    page.type(to="ana@example.org", subject="Churn", body="x")
    assert page.act("send") == "It failed: RuntimeError."
    page.act("send")
    assert page.told["ask"]["text"] == BEGUN
    assert len(slow.server.taken) == 1
    page.form.close()


def killed_amid_sending() -> Front:
    page = Front(mailconn.compose_form("out"))
    page.type(to="ana@example.org", subject="Churn", body="x")
    page.form.composer.set_sending(True)
    page.form.close()
    return Front(mailconn.compose_form("out"))


def test_a_mail_whose_kernel_ended_while_it_was_being_sent_is_not_sent_again_unasked(slow: _Slow) -> None:
    slow.let.set()
    page = killed_amid_sending()
    page.act("send")
    assert page.told["ask"]["text"] == BEGUN
    assert slow.server.taken == []
    assert page.act("send", sure=True).startswith("Sent: ")
    page.told.pop("ask")
    page.type(to="ana@example.org", body="the next")
    assert page.act("send").startswith("Sent: ")
    assert "ask" not in page.told
    page.form.close()


def test_a_try_that_fails_leaves_it_unknown_what_became_of_the_one_before(slow: _Slow) -> None:
    port = connections["out"].server_port
    page = killed_amid_sending()
    connections.update("out", server_port=1)
    page.act("send", sure=True)
    assert page.told["status"]["kind"] == "bad"
    connections.update("out", server_port=port)
    page.form.close()
    page = Front(mailconn.compose_form("out"))
    page.act("send")
    assert page.told["ask"]["text"] == BEGUN
    page.form.close()


def test_a_try_that_fails_of_a_mail_that_was_not_sent_before_asks_nothing(slow: _Slow) -> None:
    slow.let.set()
    port = connections["out"].server_port
    page = Front(mailconn.compose_form("out"))
    page.type(to="ana@example.org", subject="Churn", body="x")
    connections.update("out", server_port=1)
    page.act("send")
    connections.update("out", server_port=port)
    assert page.act("send").startswith("Sent: ")
    page.form.close()
