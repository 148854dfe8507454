"""How many messages in a time: ``30/min``, ``1000/hour``; and the clock that keeps to it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...errors import OptionError
from ...formatting import counted

__all__ = ["Pace", "Rate"]

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_WORDS: Final = {"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day"}
_TAKEN: Final = 0.02  # seconds: of a pace that others have, too, so long a time is taken at once
_SAID: Final = re.compile(r"\s*([0-9]{1,9})\s*(?:/|per|an?)\s*([a-z]+)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Rate:
    """So many messages a ``unit`` (second, minute, hour or day), evenly spread.

    >>> str(Rate.of("30/min")), Rate.of("1000 / hour").interval
    ('30 messages a minute', 3.6)
    """

    count: int
    unit: str

    @classmethod
    def of(cls, text: object) -> Rate:
        """What a text says; raises :class:`~mailconn_jupyter.errors.OptionError`."""
        found = _SAID.fullmatch(text) if isinstance(text, str) else None
        word = found[2].casefold() if found else ""
        unit = _WORDS.get(word, word.removesuffix("s") if len(word) > 1 else word)
        if found is None or unit not in _SECONDS or not int(found[1]):
            raise OptionError(
                f"Not a rate: rate={text!r}.", trait="rate", hint='For example: "30/min", "1000/hour", "5/s".'
            )
        return cls(int(found[1]), unit)

    @property
    def interval(self) -> float:
        """Seconds from one message to the next."""
        return _SECONDS[self.unit] / self.count

    def __str__(self) -> str:
        return f"{counted(self.count, 'message')} {'an' if self.unit == 'hour' else 'a'} {self.unit}"


class Pace:
    """Lets threads go one after the other, by the monotonic clock; what was not used is not made up for.

    ``turns``, where others have the same pace, takes so many next turns of all, so many seconds apart, and says in how many
    seconds the first of them comes.
    """

    def __init__(self, rate: Rate, turns: Callable[[int, float], float] | None = None) -> None:
        self._interval = rate.interval
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self._turns, self._left = turns, 0
        # Turns that were taken and are not used are lost to all.
        self._at_once = max(1, int(_TAKEN / rate.interval))

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next turn; False where ``stop`` was set before it came."""
        with self._lock:
            if self._turns is not None and not self._left:
                self._left = self._at_once
                self._next = self._turns(self._left, self._interval) + time.monotonic()
            # Of turns that were taken, those that are late are still in their order.
            turn = max(self._next, time.monotonic()) if self._turns is None else self._next
            self._next = turn + self._interval
            self._left -= 1
        return not stop.wait(max(0.0, turn - time.monotonic()))
