"""How many messages in a time, how often progress is told, and what the providers take."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import pytest

from mailconn_jupyter import progress
from mailconn_jupyter.delivery.many import advance, rate as rate_module
from mailconn_jupyter.delivery.many.advance import Advance, Progress
from mailconn_jupyter.delivery.many.crowding import is_crowded
from mailconn_jupyter.delivery.many.rate import Pace, Rate
from mailconn_jupyter.discovery.providers import PROVIDERS
from mailconn_jupyter.discovery.sending_limits import SENDING_LIMITS, limits_of
from mailconn_jupyter.errors import OptionError
from mailconn_jupyter.notebook.progress_bar import CellProgress


class Clock:
    """A monotonic clock that goes on only when somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: Any) -> None:
        self.now = 1000.0
        for module in modules:
            monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


class Waiting(threading.Event):
    """Records how long was waited, and lets that time go by at once."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.now += timeout or 0.0
        return self.is_set()


READ = {
    "30/min": 2.0,
    "1000/hour": 3.6,
    "5/s": 0.2,
    " 2 per Second ": 0.5,
    "10000 / day": 8.64,
    "60 a minute": 1.0,
    "1 an hour": 3600.0,
    "7/minutes": 60 / 7,
    "3/d": 28800.0,
    "4/hr": 900.0,
}


@pytest.mark.parametrize("text", READ)
def test_a_rate_is_read_as_a_person_writes_it(text: str) -> None:
    assert Rate.of(text).interval == pytest.approx(READ[text])


@pytest.mark.parametrize(
    "text", ["", "30", "30/", "/min", "0/min", "-1/min", "1.5/min", "30/fortnight", 30, None, "³/min"]
)
def test_what_is_no_rate_says_so(text: object) -> None:
    with pytest.raises(OptionError, match="Not a rate") as caught:
        Rate.of(text)
    assert caught.value.trait == "rate"


def test_messages_go_one_after_the_other_and_a_pause_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, rate_module)
    pace, stop = Pace(Rate.of("30/min")), Waiting(clock)
    turns = []
    for number in range(6):
        if number == 3:
            clock.now += 100
        assert pace.wait(stop)
        turns.append(clock.now)
    gaps = [after - before for before, after in pairwise(turns)]
    assert gaps == [2.0, 2.0, 100.0, 2.0, 2.0]
    stop.set()
    assert not pace.wait(stop)


def test_progress_is_told_once_a_second_at_most_and_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, advance)
    told: list[tuple[float, Progress]] = []
    going = Advance(lambda now: told.append((clock.now, now)), 10_240, None)
    for _ in range(10_240):
        going.count(failed=False)
        going.tick()
        clock.now += 1 / 1024
    assert len(told) == 10
    assert all(after - before >= 1 for (before, _), (after, _) in pairwise(told))
    going.tell()
    assert told[-1][1][:3] == (10_240, 10_240, 0)
    assert str(told[5][1]) == "5,121 of 10,240 messages sent, 1024 a second, 4 s left"


def test_the_bar_is_drawn_once_a_second_at_most_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, advance, progress)
    drawn: list[tuple[str, float | None]] = []

    class Drawn(progress.Shown):
        def draw(self, text: str, part: float | None) -> None:
            drawn.append((text, part))

        def end(self) -> None:
            drawn.append(("gone", None))

    monkeypatch.setattr(progress, "maker", Drawn)
    going = Advance(None, None, Rate.of("30/min"))
    for _ in range(512):
        going.tick()
        clock.now += 1 / 128
        going.count(failed=True)
    going.finish()
    assert [text.partition(",")[0] for text, _ in drawn] == [
        "128 messages sent",
        "256 messages sent",
        "384 messages sent",
        "gone",
    ]
    assert drawn[0][0].endswith("128 failed")
    assert drawn[0][1] is None


def test_before_the_first_message_the_rate_is_the_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, advance)
    told: list[Progress] = []
    Advance(told.append, 1000, Rate.of("30/min")).tick()
    assert told == [Progress(0, 1000, 0, 0.5, 2000.0)]
    assert str(told[0]) == "0 of 1,000 messages sent, 30 a minute, 33 min 20 s left"


def test_nothing_is_shown_where_nothing_is_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "maker", None)
    going = Advance(False, 5, None)
    going.tick()
    going.tell()
    going.finish()


def test_a_cells_bar_without_a_whole_says_no_part_and_escapes_its_text() -> None:
    from mailconn_jupyter.notebook.progress_bar import _Bar  # noqa: PLC0415  # what CellProgress draws

    assert _Bar("<5>", None)._repr_html_() == '<progress aria-label="Progress"></progress> &lt;5&gt;'
    assert 'value="0.500"' in _Bar("5", 0.5)._repr_html_()
    assert issubclass(CellProgress, progress.Shown)


def test_the_limits_are_of_servers_of_providers_that_are_known() -> None:
    servers = {provider.smtp.host: provider.name for provider in PROVIDERS} | {"smtp.gmail.com": "Google Workspace"}
    assert {host: limits.provider for host, limits in SENDING_LIMITS.items()} == {
        host: servers[host] for host in SENDING_LIMITS
    }
    assert limits_of("smtp.gmail.com", "ana@googlemail.com").provider == "Gmail"
    assert SENDING_LIMITS["smtp.office365.com"].connections == 3
    assert SENDING_LIMITS["smtp.office365.com"].a_minute == 30
    assert SENDING_LIMITS["smtp.office365.com"].recipients_a_day == 10_000


CROWDED = (
    (421, "4.7.0 mail.test Error: too many connections from 127.0.0.1"),
    (421, "4.7.0 Too many concurrent SMTP connections; please try again later."),
    (432, "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information."),
    (432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"),
    (
        421,
        "4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel",
    ),
    (421, "4.4.5 Service unavailable, concurrency limit reached"),
    (421, "4.3.2 VPOP3 Too many connections from your IP address - try later"),
    (421, "Too many concurrent connections from 192.0.2.1"),
    (450, "too many sessions"),
)
OTHERS = (
    (421, "4.7.0 mail.test Error: too many errors"),
    (421, "4.4.2 Connection timed out"),
    (450, "4.2.0 greylisted"),
    (452, "4.5.3 Too many recipients"),
    (421, "too many messages in this session"),
    (550, "too many connections"),
    (421, "4.7.28 rate limit exceeded"),
)


@pytest.mark.parametrize("reply", CROWDED)
def test_a_server_that_has_too_many_connections_is_understood(reply: tuple[int, str]) -> None:
    assert is_crowded(*reply)


@pytest.mark.parametrize("reply", OTHERS)
def test_another_refusal_is_not_taken_for_too_many_connections(reply: tuple[int, str]) -> None:
    assert not is_crowded(*reply)
