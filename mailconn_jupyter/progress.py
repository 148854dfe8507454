"""How far a long piece of work has come, shown where there is something to show it on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Shown", "Tell", "TerminalLine", "finish", "shown", "teller"]

#: Is called with how many have been done, and the part of all that is (0 to 1).
Tell = Callable[[int, float], Any]

_PATIENCE: Final = 1.0  # seconds: what is over by then needs no progress
_PAUSE: Final = 0.2


class Shown:
    """Calls :meth:`draw` now and then, when something takes over a second, and :meth:`end` when it is over."""

    #: Seconds from one drawing to the next; 0: a fifth.
    pause = 0.0
    #: What there are so many of by now.
    done = "messages read"

    def __init__(self) -> None:
        self._next = time.monotonic() + _PATIENCE
        self._drawn = False

    def __call__(self, count: int, part: float) -> None:
        """So many are done."""
        if self._due():
            self.draw(f"{count:,} {self.done}, {part:.0%}", min(max(part, 0.0), 1.0))

    def tell(self, said: object, part: float | None) -> None:
        """Something has come so far as the text of ``said`` says; ``part`` is from 0 to 1, None where nobody knows."""
        if self._due():
            self.draw(str(said), part)

    def _due(self) -> bool:
        """Whether it is time to draw."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + (self.pause or _PAUSE)
        self._drawn = True
        return True

    def finish(self) -> None:
        """Take the progress away; what took so long is over."""
        if self._drawn:
            self._drawn = False
            self.end()

    def draw(self, text: str, part: float | None) -> None:
        """Show it."""
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class TerminalLine(Shown):
    """One line of a terminal, drawn over itself; nothing where the output goes to a file."""

    def draw(self, text: str, part: float | None) -> None:
        self._write(f"\r\x1b[K{text}")

    def end(self) -> None:
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(text)
            sys.stdout.flush()


#: Makes what shows it where a notebook has the extension loaded; None: a line of the terminal.
maker: Callable[[], Shown] | None = None


def shown() -> Shown:
    """What shows it here."""
    return (maker or TerminalLine)()


def teller(progress: bool | Tell | None, done: str = Shown.done) -> Tell:
    """What is to be called: the caller's own, what shows it here (True; ``done`` is what there are so many of), or nothing."""
    if callable(progress):
        return progress
    if not progress:
        return _silent
    made = shown()
    made.done = done
    return made


def finish(tell: Tell) -> None:
    """Take away what :func:`teller` shows here; what is the caller's own stays."""
    if isinstance(tell, Shown):
        tell.finish()


def _silent(count: int, part: float) -> None:
    """Nobody wants to know."""
