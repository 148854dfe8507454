"""The intents of a batch in its journal: of a message before it leaves, with those of the next ones in the same transaction."""

from __future__ import annotations

import threading
import time
from typing import Final

from ..journals.journal_base import BaseJournal, Intent, Known
from .backlog import Backlog
from .entry import Entry

__all__ = ["Claims"]

# Claims may take about a fifth of the time.
_PART: Final = 5


class Claims:
    """Takes the intents of messages to the disk, in groups that are as large as makes a transaction worth its time.

    Where the server is what takes the time, a group is one message, and what the connections wait for at the same moment.
    ``most_ahead`` are so many more at the most: of what is claimed and not sent when the process dies, nobody knows that.
    """

    def __init__(self, journal: BaseJournal, backlog: Backlog, *, most_ahead: int) -> None:
        self._journal, self._backlog, self._most_ahead = journal, backlog, most_ahead
        self._claiming, self._asking = threading.Lock(), threading.Lock()
        self._asked: dict[Entry, None] = {}
        self._ahead, self._ended = 0, time.monotonic()

    def of(self, entry: Entry) -> dict[str, Known]:
        """Have its intent on the disk; returns to whom another batch sends it. Raises :class:`JournalError`."""
        with self._asking:
            self._asked[entry] = None
        with self._claiming:
            try:
                if entry.claimed is None:
                    # Another thread may wait with one of its own.
                    with self._asking:
                        asked = list(self._asked)
                    self._claim(asked)
            finally:
                # Nobody claims it anew while it is being sent.
                with self._asking:
                    del self._asked[entry]
            taken, entry.claimed = entry.claimed or {}, None
        return taken

    def _claim(self, asked: list[Entry]) -> None:
        begun = time.monotonic()
        ready = self._backlog.next(self._ahead)
        group = [each for each in dict.fromkeys([*asked, *ready]) if each.claimed is None]
        taken = self._journal.intend(*(Intent(each.key, each.message_id, each.recipients) for each in group))
        for each in group:
            each.claimed = taken.get(each.key, {})
        ended = time.monotonic()
        if ended - begun > (begun - self._ended) / _PART:
            self._ahead = min(2 * self._ahead + 1, self._most_ahead)
        else:
            self._ahead //= 2
        self._ended = ended
