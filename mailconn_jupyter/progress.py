"""How far a long read has come, shown where there is something to show it on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Shown", "Tell", "TerminalLine", "teller"]

#: Is called with the number of messages that were looked at, and the part of all that is to be read (0 to 1).
Tell = Callable[[int, float], Any]

#: Makes what shows a long read where a notebook has the extension loaded; None: a line of the terminal.
maker: Callable[[], Tell] | None = None

_PATIENCE: Final = 1.0  # seconds: what is over by then needs no progress
_PAUSE: Final = 0.2


class Shown:
    """Calls :meth:`draw` now and then, when a read takes over a second, and :meth:`end` when it is over."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _PATIENCE
        self._drawn = False

    def __call__(self, messages: int, part: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PAUSE
            self._drawn = True
            self.draw(messages, min(max(part, 0.0), 1.0))

    def finish(self) -> None:
        """Take the progress away; the read is over."""
        if self._drawn:
            self._drawn = False
            self.end()

    def draw(self, messages: int, part: float) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class TerminalLine(Shown):
    """One line of a terminal, drawn over itself; nothing where the output goes to a file."""

    def draw(self, messages: int, part: float) -> None:
        self._write(f"\r{messages} messages, {part:4.0%}")

    def end(self) -> None:
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(text)
            sys.stdout.flush()


def teller(progress: bool | Tell | None) -> Tell:
    """What is to be called: the caller's own, what shows it here (True), or what does nothing."""
    if callable(progress):
        return progress
    return (maker or TerminalLine)() if progress else _silent


def _silent(messages: int, part: float) -> None:
    """Nobody wants to know."""
