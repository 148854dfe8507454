"""How far a batch has come, and who is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ...formatting import how_long
from ...progress import shown
from .rate import Rate

__all__ = ["Advance", "Progress"]

_PAUSE = 1.0  # seconds from one word to the next


class Progress(NamedTuple):
    """Messages ``done`` of ``total`` (None: nobody knows), and how many of those done ``failed``, for one recipient or more.

    ``rate`` is in messages a second, ``left`` in seconds (None: not known). Its text is a line for a person.
    """

    done: int
    total: int | None
    failed: int
    rate: float
    left: float | None

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        left = "" if self.left is None else f", {how_long(self.left)} left"
        failed = f", {self.failed:,} failed" if self.failed else ""
        pace = f"{self.rate:.0f} a second" if self.rate >= 1 else f"{self.rate * 60:.0f} a minute"
        return f"{self.done:,}{of} messages sent, {pace}{left}{failed}"


class Advance:
    """Counts what is done, and tells it once a second at most: the caller's own function, or what shows it here."""

    def __init__(
        self, on_progress: bool | Callable[[Progress], Any] | None, total: int | None, rate: Rate | None
    ) -> None:
        self.total = total
        self.done = self.failed = 0
        self._rate = rate
        self._started = self._next = time.monotonic()
        self._shown = shown() if on_progress is None or on_progress is True else None
        if self._shown is not None:
            self._shown.pause = _PAUSE
        self._tell = on_progress if callable(on_progress) else None

    def count(self, *, failed: bool) -> None:
        """One message more is done; the threads of a batch take turns here."""
        self.done += 1
        self.failed += failed

    def tick(self) -> None:
        """Tell it, if it is time; from the thread in which the batch was begun alone."""
        if self._shown is not None:
            now = self._now()
            self._shown.tell(now, min(now.done / now.total, 1.0) if now.total else None)
        elif time.monotonic() >= self._next:
            self.tell()

    def tell(self) -> None:
        """Tell the caller's own function, whether or not it is time."""
        if self._tell is not None:
            self._next = time.monotonic() + _PAUSE
            self._tell(self._now())

    def finish(self) -> None:
        """Take away what is shown."""
        if self._shown is not None:
            self._shown.finish()

    def _now(self) -> Progress:
        rate = self.done / max(time.monotonic() - self._started, 0.001)
        if not self.done and self._rate is not None:
            rate = 1 / self._rate.interval
        left = (self.total - self.done) / rate if self.total is not None and rate else None
        return Progress(self.done, self.total, self.failed, rate, left)
