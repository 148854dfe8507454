"""Copies of what a batch sends: in a thread of their own, many in one round trip, so that nothing waits for them."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ...errors import MailConnError, warn
from ...store import connections
from ..many.spool import Spool, Spooled
from .filing_session import FilingSession
from .sent_copy import why_not

if TYPE_CHECKING:
    from ...message.mime.wire_format import Wire
    from ...session.imap.appending import Appended

__all__ = ["ManyCopies"]

# Of one round trip.
_MOST_AT_ONCE: Final = 50
_MOST_BYTES: Final = 2_000_000
# So many wait in memory; more of them in the file of the spool.
_MOST_WAITING: Final = 50
# After so many round trips of which nothing was saved, one after the other, the rest is given up.
_MOST_FAILURES: Final = 2
_TICK: Final = 0.25

_Copy = tuple[bytes, "Wire | Spooled"]


class ManyCopies(threading.Thread):
    """``name`` is the connection to whose Sent folder they go; ``unsaved`` counts those that are not there, or perhaps not."""

    def __init__(self, name: str, spool: Spool) -> None:
        super().__init__(name="mailconn-copies", daemon=True)
        self._box, self._spool = name, spool
        self._waiting: queue.SimpleQueue[_Copy | None] = queue.SimpleQueue()
        self._session: FilingSession | None = None
        self._failures = 0
        self._cut = False
        self._whole = False
        self._begun = False
        self._lock = threading.Lock()
        self.unsaved = 0
        self.why = ""

    def put(self, hidden: bytes, content: Wire | Spooled) -> None:
        """One message more was accepted; ``hidden`` is what stands above it."""
        if self._waiting.qsize() >= _MOST_WAITING:
            content = self._spool.put(content)
        with self._lock:
            if not self._begun:
                self._begun = True
                self.start()
        self._waiting.put((hidden, content))

    def finish(self) -> None:
        """Wait until all are saved, and warn of those that are not; whoever interrupts does not wait for the rest."""
        if not self._begun:
            return
        self._waiting.put(None)
        try:
            while self.is_alive():
                self.join(_TICK)
        except KeyboardInterrupt:
            self._cut = True
            self.why = self.why or "It was interrupted."
            if (session := self._session) is not None:
                session.close()
            self.join(_TICK)
            self.unsaved += self._left()
        if self.unsaved:
            count = f"{self.unsaved:,} copies were" if self.unsaved > 1 else "1 copy was"
            warn(f"The mail was sent as the report says, but {count} not saved to {self._box}: {self.why}")

    def _left(self) -> int:
        count = 0
        with suppress(queue.Empty):
            while self._waiting.get_nowait() is not None:
                count += 1
        return count

    # In its thread

    def run(self) -> None:
        """Save them as they come, until there is none left."""
        try:
            while batch := self._next():
                self._save(batch)
        finally:
            if self._session is not None:
                with suppress(MailConnError, OSError):
                    self._session.quit()

    def _next(self) -> list[bytes]:
        """What waits, as much as goes at once; empty at the end."""
        batch: list[bytes] = []
        size = 0
        while not self._whole and len(batch) < _MOST_AT_ONCE and size < _MOST_BYTES:
            try:
                copy = self._waiting.get(block=not batch)
            except queue.Empty:
                break
            if copy is None:
                self._whole = True
                break
            hidden, content = copy
            batch.append(hidden + bytes(self._spool.get(content).ended()))
            size += len(batch[-1])
        return batch

    def _save(self, batch: list[bytes]) -> None:
        said: list[Appended] = []

        def kept() -> list[Appended]:
            if self._session is None or self._session.sock is None:
                self._session = FilingSession.opened(connections.pick(self._box), ask=False)
            said.extend(self._session.put(batch, "sent"))
            return said

        why = "" if self._failures >= _MOST_FAILURES or self._cut else why_not(kept)
        saved = sum(each.ok for each in said)
        self.unsaved += len(batch) - saved
        self.why = self.why or why
        self._failures = 0 if saved else self._failures + 1
