"""What can go wrong with one direction of a relayed connection, and when it starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something that strikes once a direction has passed a point.

    *after* is that point: a number of bytes, or bytes that are looked for; they still pass. With
    0 the fault strikes at the first byte.
    """

    after: int | bytes


@dataclass(frozen=True)
class Cut(Fault):
    """The connection ends for both sides; with *reset* the client sees ECONNRESET, not the end.

    The server still gets what was passed on, so that it may act on it with nobody to tell.
    """

    reset: bool = False


@dataclass(frozen=True)
class Drop(Fault):
    """What follows is lost without a sign; the connection stays open, the other direction too."""


@dataclass(frozen=True)
class Trickle(Fault):
    """What follows arrives one byte every *interval* seconds."""

    interval: float = 1.0


class Trigger:
    """Watches one direction for the point at which a fault strikes."""

    def __init__(self, after: int | bytes) -> None:
        self._left = after if isinstance(after, int) else None
        self._wanted = after if isinstance(after, bytes) else b""
        self._tail = b""

    def passes(self, data: bytes) -> int | None:
        """Return how many of these bytes still pass, or None where the point is not reached."""
        if self._left is not None:
            if len(data) >= self._left:
                return self._left
            self._left -= len(data)
            return None
        window = self._tail + data
        found = window.find(self._wanted)
        if found >= 0:
            return found + len(self._wanted) - len(self._tail)
        # What is looked for may lie across two chunks.
        self._tail = window[max(0, len(window) - len(self._wanted) + 1) :]
        return None
