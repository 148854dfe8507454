"""How often a session is opened for a message or a batch, and that an opening ends when it is called off."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery import send as send_module
from mailconn_jupyter.delivery.many import courier as courier_module
from mailconn_jupyter.delivery.many.advance import Progress
from mailconn_jupyter.delivery.many.courier import Courier
from mailconn_jupyter.delivery.report import DeliveryError
from mailconn_jupyter.errors import MailConnError, OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.opening import run_stages
from mailconn_jupyter.session.smtp.pipeline import post
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.contract.kit import Do
from tests.servers.script import Close, Expect, ExpectUntil, Pause, ScriptServer, Send, Silence
from tests.servers.steps import Step
from tests.support.batches import letters, to
from tests.support.posting import posted

HELLO: list[Step] = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 8BITMIME\r\n")]
GOES_AWAY: list[Step] = [*HELLO, Expect(rb"mail .*"), Send(b"421 4.3.2 shutting down\r\n"), Close()]
BUSY: list[Step] = [Send(b"421 4.3.2 later\r\n"), Close()]
TAKE: list[Step] = [
    Expect(rb"mail from:.*"),
    Send(b"250 ok\r\n"),
    Expect(rb"rcpt to:.*"),
    Send(b"250 ok\r\n"),
    Expect(rb"DATA"),
    Send(b"354 go\r\n"),
    ExpectUntil(),
    Send(b"250 2.0.0 taken\r\n"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is short; there are as many as ever."""
    monkeypatch.setattr(run_stages, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(send_module, "_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(courier_module, "_PAUSES", (0.0, *[0.01] * 5))


def hung_up(server: ScriptServer, **options: Any) -> SMTPSession:
    """An open session whose server has ended it meanwhile."""
    smtp: Any = connect(to(server.port, **options))
    while not smtp.sock.at_end:
        smtp.sock.buffered()
    assert isinstance(smtp, SMTPSession)
    return smtp


def test_a_message_whose_session_cannot_open_again_is_tried_three_times_in_all() -> None:
    with ScriptServer(GOES_AWAY, *[BUSY] * 3) as server:
        smtp = connect(to(server.port))
        with pytest.raises(DeliveryError) as caught:
            mailconn.send(smtp, "ana@example.test", "x", "y")
        smtp.close()
    assert "421 4.3.2 later" in caught.value.report.outcomes[0].words


def test_a_message_whose_session_opens_again_at_the_third_try_is_sent() -> None:
    with ScriptServer(GOES_AWAY, BUSY, BUSY, [*HELLO, *TAKE]) as server:
        smtp = connect(to(server.port))
        assert mailconn.send(smtp, "ana@example.test", "x", "y").ok
        smtp.close()


def test_a_connection_of_a_batch_opens_once_after_each_of_its_pauses() -> None:
    with ScriptServer(GOES_AWAY, *[BUSY] * 6) as server:
        report = mailconn.send_many(to(server.port), letters(2), connections=1)
    assert "No connection could be kept" in report.stopped
    assert report.counts == {"not sent": 2}


def test_an_open_session_that_a_batch_is_sent_over_opens_once_after_each_pause_too() -> None:
    with ScriptServer([*HELLO, Close()], *[BUSY] * 7) as server:
        smtp = hung_up(server)
        report = mailconn.send_many(smtp, letters(2))
        smtp.close()
    assert report.counts == {"not sent": 2}


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[MailConnError]:
    """Why the connections of batches were not opened, or were lost."""
    found: list[MailConnError] = []
    failed = Courier._failed

    def noted(courier: Courier, error: MailConnError) -> None:
        found.append(error)
        failed(courier, error)

    monkeypatch.setattr(Courier, "_failed", noted)
    return found


def test_a_session_that_opens_again_for_a_batch_is_no_longer_waited_for_once_the_batch_is_called_off(
    failures: list[MailConnError],
) -> None:
    def interrupt(progress: Progress) -> None:
        if server.connections == 2:
            raise KeyboardInterrupt

    with ScriptServer([*HELLO, Close()], [Silence()]) as server:
        smtp = hung_up(server, timeout=30)
        report = mailconn.send_many(smtp, letters(2), on_progress=interrupt)
        assert report.stopped == "It was interrupted."
        assert report.counts == {"not sent": 2}
        smtp.close()
    assert [getattr(error, "cause", "") for error in failures] == ["cancelled"]


def test_what_is_on_its_way_is_not_cut_by_what_calls_an_opening_off() -> None:
    cancel = threading.Event()
    # A link looks every tenth of a second whether it was called off.
    in_the_midst: list[Step] = [*TAKE[:-1], Do(lambda _: cancel.set()), Pause(0.3), TAKE[-1]]
    with ScriptServer([*HELLO, Close()], [*HELLO, *in_the_midst]) as server:
        smtp = hung_up(server)
        fates = [fates for _, fates in post(smtp, [posted("x")], cancel=cancel)]
        smtp.close()
    assert [fate.outcome for fate in fates[0].values()] == ["accepted"]


def test_an_opening_that_was_called_off_says_so() -> None:
    cancel = threading.Event()
    with ScriptServer([*HELLO, Close()], [Do(lambda _: cancel.set()), Silence()]) as server:
        smtp = hung_up(server)
        with pytest.raises(OpenError, match="cancelled"):
            list(post(smtp, [posted("x")], cancel=cancel))
        smtp.close()
