"""How many questions a mailbox is asked at once: Outlook's service answers four of an app, and refuses the fifth.

https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits. One is left for other programs of the same app.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ...forks import in_children
from ...transport.deadline import Limit

__all__ = ["MOST", "places"]

MOST: Final = 3
_TICK: Final = 0.1  # seconds


class _Places:
    """The places of each mailbox in this process, by any name."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Have all places free."""
        # In a child, too: those who have a place in the parent will not give it back there.
        self._free: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(MOST))
        self._guard = threading.Lock()

    @contextmanager
    def taken(self, mailbox: str, limit: Limit) -> Iterator[None]:
        """Have one, as soon as one is free; raises as the limit does."""
        with self._guard:
            free = self._free[mailbox]
        while not free.acquire(timeout=min(limit.left(), _TICK)):
            pass
        try:
            yield
        finally:
            free.release()


places: Final = _Places()
in_children(places.begin, lasting=True)
