"""What can be wrong with a link and with what a server says at all: silence, closes, floods, a byte a second."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Sequence

import pytest

from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from tests.contract.faults import Contract, no_credential_in
from tests.contract.kit import Babble, Do, Flood
from tests.servers.script import Close, Dribble, Pause, ScriptServer, Send, Silence
from tests.servers.steps import Step

#: The points at which a server can fall silent, and the stage that notices it.
POINTS = (
    ("before the greeting", "greet"),
    ("before the capabilities", "greet"),
    ("within the login", "authenticate"),
    ("before it is ready", "ready"),
)

#: Seconds for an opening as a whole: busy cores come as far as they are to come in it.
DEADLINE = 1.0
#: What busy cores may need to wake a thread, in seconds: far less than the timeout that is waited for otherwise.
SLACK = 5.0


class LinkFaults(Contract):
    """Faults of a plain link."""

    def until(self, point: str) -> list[Step]:
        """The conversation up to a point of :data:`POINTS`, where it is the server's turn."""
        kit = self.kit
        before: Sequence[Step] = [Do(kit.greet), Do(kit.asked_for_capabilities)]
        told = [
            *before,
            Do(lambda talk: kit.tell_capabilities(talk, starttls=False, mechanisms=["PLAIN"])),
        ]
        logged_in = [*told, Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
        return {
            "before the greeting": [],
            "before the capabilities": list(before),
            "within the login": [*told, Do(kit.asked_to_log_in)],
            "before it is ready": [*logged_in, Do(kit.asked_whether_ready)],
            "when it is ready": [
                *logged_in,
                *([Do(kit.asked_whether_ready), Do(kit.ready)] if kit.connect_asks_last else []),
            ],
        }[point]

    def test_the_kit_itself_opens_a_session(self) -> None:
        kit = self.kit
        from tests.support.isolation import give_password  # noqa: PLC0415

        give_password("ops", "c0rrect-horse")
        script = [*self.until("when it is ready"), Do(kit.farewell)]
        with ScriptServer(script) as server, connect(self.connection(server.port)):
            pass

    @pytest.mark.parametrize(("point", "stage"), POINTS)
    def test_a_server_that_falls_silent_is_left_at_the_timeout(self, point: str, stage: str) -> None:
        met = self.meet([*self.until(point), Silence()], stage=stage, cause="no-answer", timeout=0.5)
        assert max(met.seconds) < 0.5 + SLACK

    @pytest.mark.parametrize("reset", [False, True])
    @pytest.mark.parametrize(("point", "stage"), POINTS)
    def test_a_server_that_hangs_up_is_said_to_have_closed(self, point: str, stage: str, reset: bool) -> None:
        self.meet([*self.until(point), Pause(0.02), Close(reset=reset)], stage=stage, cause="closed")

    @pytest.mark.parametrize(("point", "stage"), POINTS)
    def test_what_is_no_reply_ends_the_opening(self, point: str, stage: str) -> None:
        script = [*self.until(point), Send(b"SSH-2.0-OpenSSH_9.2p1\r\n")]
        cause = "bad-greeting" if point == "before the greeting" else "bad-reply"
        self.meet(script, stage=stage, cause=cause)

    def test_a_bad_greeting_gets_no_answer(self) -> None:
        for greeting in self.kit.bad_greetings:
            met = self.meet([Send(greeting)], stage="greet", cause={"bad-greeting", "refused-by-server", "server-busy"})
            assert not met.lines

    def test_a_greeting_of_20_kilobytes_is_none(self) -> None:
        greeting = self.kit.greeting_start + b"x" * 20_000 + b"\r\n"
        met = self.meet([Send(greeting)], stage="greet", cause="bad-greeting")
        assert not met.lines

    def test_300_000_lines_of_one_answer_cost_under_50_megabytes(self) -> None:
        script = [Do(self.kit.greet), Do(self.kit.asked_for_capabilities), Flood(self.kit.endless_line * 300_000)]
        tracemalloc.start()
        try:
            # The server's own copy is made before.
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            met = self.meet(script, stage="greet", cause="too-long")
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        assert peak < 50_000_000
        assert len(met.lines) == 2

    def test_one_endless_line_is_cut_off(self) -> None:
        script = [Do(self.kit.greet), Do(self.kit.asked_for_capabilities), Flood(b"250-" + b"x" * 5_000_000)]
        self.meet(script, stage="greet", cause="too-long")

    @pytest.mark.parametrize(("point", "stage"), POINTS)
    def test_a_server_that_dribbles_is_left_at_the_deadline(self, point: str, stage: str) -> None:
        dribble = Dribble(self.kit.greeting_start + b"x" * 1000, interval=DEADLINE / 20)
        met = self.meet([*self.until(point), dribble], stage=stage, cause="no-answer", timeout=30, deadline=DEADLINE)
        for seconds in met.seconds:
            assert DEADLINE * 0.99 <= seconds <= DEADLINE + SLACK

    def test_a_line_at_a_time_does_not_stretch_the_deadline(self) -> None:
        class Lines(Dribble):
            pass

        line = self.kit.endless_line
        script: list[Step] = [Do(self.kit.greet), Do(self.kit.asked_for_capabilities)]
        script += [Lines(line, interval=0.01) for _ in range(20)]
        met = self.meet(script, stage="greet", cause="no-answer", timeout=30, deadline=DEADLINE)
        assert max(met.seconds) <= DEADLINE + SLACK

    def test_a_server_that_never_stops_talking_is_left_at_the_deadline(self) -> None:
        kit = self.kit
        script = [Do(kit.greet), Do(kit.asked_for_capabilities), Babble(kit.endless_line, pause=0.005)]
        self.meet(script, stage="greet", cause="no-answer", timeout=30, deadline=DEADLINE)

    def test_a_server_that_never_stops_talking_is_left_when_somebody_cancels(self) -> None:
        kit, cancel = self.kit, threading.Event()
        babble = Babble(kit.endless_line, pause=0.005)
        script = [Do(kit.greet), Do(kit.asked_for_capabilities), Do(lambda _: cancel.set()), babble]
        with ScriptServer(script, strict=False) as server:
            report = check(self.connection(server.port), cancel=cancel)
        assert report.failed is not None
        assert (report.failed.name, report.failed.cause) == ("greet", "cancelled")

    def test_no_login_without_the_password_being_allowed_on_a_plain_link(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # A second machine cannot be had in a test: loopback is taken for one.
        monkeypatch.setattr("mailconn_jupyter.transport.channel.is_loopback", lambda _: False)
        met = self.meet(self.kit.offer("PLAIN"), stage="authenticate", cause="plain-text-refused")
        no_credential_in(met.lines)
