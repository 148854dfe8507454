"""What is to be read, and in which portions, whatever the protocol."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from ..progress import Tell
from .selection import Selection

__all__ = ["MOST_AHEAD", "MOST_MESSAGE", "Reading", "batches"]

T = TypeVar("T")

#: Bytes of one message that are read; the rest of a larger one is left where it is.
MOST_MESSAGE: Final = 256 * 2**20
#: Bytes of the messages that are asked for or read ahead of the one that is handed over.
MOST_AHEAD: Final = 4 * 2**20


@dataclass
class Reading:
    """One read: which messages, and how much of each. ``left`` is how many of them are still wanted."""

    selection: Selection
    left: float
    folder: str
    body: bool
    mark_seen: bool
    tell: Tell
    #: Whether the session has just been opened for this, or has just selected the folder for it; it need not be left so.
    fresh: bool = field(default=False, init=False)
    #: How many were looked at so far.
    looked: int = field(default=0, init=False)

    @property
    def most(self) -> int:
        """Bytes of one message that are read."""
        return MOST_MESSAGE if self.selection.sought is None else self.selection.sought.most

    def first(self, found: Generator[T, None, None]) -> Generator[T, None, None]:
        """As many of those that are found as are still wanted: one more is not looked for, which may take long."""
        with contextlib.closing(found):
            while self.left > 0 and (one := next(found, None)) is not None:
                self.left -= 1
                yield one

    def wanted(self) -> float:
        """How many messages are still wanted."""
        return self.left

    def looked_at(self, part: float) -> None:
        """One more message was looked at; ``part`` of all are done."""
        self.looked += 1
        self.tell(self.looked, part)


def batches(
    items: Iterable[T],
    *,
    first: int,
    most: int,
    growth: int = 2,
    size: Callable[[T], int] = lambda _: 0,
    most_bytes: int = MOST_AHEAD,
    wanted: Callable[[], float] = lambda: math.inf,
) -> Iterator[list[T]]:
    """The items in portions that grow from ``first`` to ``most``, as who wants one should not wait for a hundred.

    ``size`` tells the bytes of an item: together a portion has ``most_bytes``, or it is one item. ``wanted`` tells how many
    are of use, when a portion begins.
    """
    batch: list[T] = []
    weight, limit = 0, min(first, wanted())
    for item in items:
        weight += size(item)
        if batch and (len(batch) >= limit or weight > most_bytes):
            yield batch
            first = min(first * growth, most)
            batch, weight, limit = [], size(item), min(first, wanted())
        batch.append(item)
    if batch:
        yield batch
