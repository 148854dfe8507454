"""The messages between whoever makes them and the connections: bounded, and those that wait for their next try."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

from ...errors import MailConnError
from ...forks import in_children
from .entry import Entry

__all__ = ["TICK", "Backlog"]

#: Seconds: how soon whoever waits hears of an interrupt, and shows how far it has come.
TICK = 0.25
_IDLE = 1.0  # seconds without anything ready


class Backlog:
    """``most`` messages at a time are ready to be sent; ``stop`` is set when no further one is to be, or none is left."""

    def __init__(self, most: int) -> None:
        self.stop = threading.Event()
        self._most = most
        self._ready: deque[Entry] = deque()
        self._waiting: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._taken = 0
        self._whole = False
        #: Whether this process was forked from the one whose batch it is.
        self.forked = False
        self._changed = threading.Condition()
        in_children(self._let_go)

    def _let_go(self) -> None:
        # Nobody here works at it, and a thread of the parent's may hold the lock.
        self._changed = threading.Condition()
        self.forked = True
        self._ready.clear()
        self._waiting.clear()

    # Whoever makes the messages

    def put(self, entry: Entry, tick: Callable[[], object]) -> bool:
        """Add one as soon as there is room; ``tick`` is called meanwhile. False where nothing more is wanted."""
        with self._changed:
            while len(self._ready) >= self._most and not self.stop.is_set():
                self._require_own()
                self._changed.wait(TICK)
                tick()
            self._require_own()
            if self.stop.is_set():
                return False
            entry.queued = True
            self._ready.append(entry)
            self._changed.notify()
            return True

    def _require_own(self) -> None:
        if self.forked:
            raise MailConnError(
                "This batch belongs to another process: it was started before this one was forked.",
                hint="The process that started it carries on with it.",
            )

    def end(self) -> None:
        """No further message comes."""
        with self._changed:
            self._whole = True
            self._changed.notify_all()

    # The connections

    def wait(self, idle: Callable[[], object]) -> bool:
        """Wait until something is ready; False when all is done, or called off. ``idle`` is called when nothing happens."""
        while not self.stop.is_set():
            with self._changed:
                now = time.monotonic()
                while self._waiting and self._waiting[0][0] <= now:
                    self._ready.appendleft(heapq.heappop(self._waiting)[2])
                if self._ready:
                    return True
                if self._whole and not self._waiting and not self._taken:
                    self.stop.set()
                    self._changed.notify_all()
                    return False
                due = self._waiting[0][0] - now if self._waiting else _IDLE
                woken = self._changed.wait(min(due, _IDLE))
            if not woken:
                idle()
        return False

    def take(self, *, along: bool = False) -> Entry | None:
        """What is ready now, if anything is; it counts as taken until it is settled.

        ``along`` with others nothing is taken under which a link broke: it may break each, and they are lost with it.
        """
        with self._changed:
            if self.stop.is_set() or not self._ready or (along and self._ready[0].losses):
                return None
            self._taken += 1
            self._changed.notify_all()
            return self._ready.popleft()

    def next(self, most: int) -> list[Entry]:
        """The first of those that are ready, which stay there."""
        with self._changed:
            return list(itertools.islice(self._ready, most))

    def settle(self, entry: Entry, again: float | None) -> None:
        """What was taken is done (None), or is to be tried again in so many seconds."""
        with self._changed:
            self._taken -= 1
            if again is not None:
                heapq.heappush(self._waiting, (time.monotonic() + again, next(self._order), entry))
            self._changed.notify_all()

    # The end

    def call_off(self) -> None:
        """Have nothing more taken."""
        self.stop.set()
        with self._changed:
            self._changed.notify_all()

    def rest(self) -> list[Entry]:
        """Take out what is left."""
        with self._changed:
            left = [*self._ready, *(entry for _, _, entry in self._waiting)]
            self._ready.clear()
            self._waiting.clear()
            return left
