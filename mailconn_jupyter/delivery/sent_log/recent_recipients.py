"""To whom mail was sent lately, for who types an address: the end of the log, of which only what is new is read again."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .log_entry import LogEntry
from .log_file import FLAGS, LogFile

__all__ = ["RecentRecipients"]

#: Bytes of the end of the log: some 10,000 messages to one recipient each.
_MOST_BYTES: Final = 2_000_000
#: The file, its number, and how far it was read.
_NONE: Final[tuple[Path, int, int]] = (Path(), 0, 0)


class RecentRecipients:
    """The recipients of the log's end, and how often each was one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = _NONE
        self._counts: Mapping[str, int] = {}

    def counts(self) -> Mapping[str, int]:
        """Each address with its number of messages, the latest last; the same object until there are more.

        It is empty where the log cannot be read.
        """
        with self._lock:
            try:
                self._look(LogFile().path)
            except OSError:
                self._read, self._counts = _NONE, self._counts and {}
            return self._counts

    def _look(self, path: Path) -> None:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | FLAGS)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError("it is not a file")
            before, inode, start = self._read
            if (before, inode) != (path, status.st_ino) or start > status.st_size:
                # Another log, or one that was swept.
                self._counts, start = {}, max(status.st_size - _MOST_BYTES, 0)
            self._read = path, status.st_ino, start
            if start == status.st_size:
                return
            file.seek(start)
            data = file.read(status.st_size - start)
        # A line that is being written is for the next time.
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return
        self._read = path, status.st_ino, start + len(whole)
        counts = dict(self._counts)
        for line in whole.splitlines():
            entry = LogEntry.read(line)
            for address in entry.fates if entry is not None else ():
                counts[address] = counts.pop(address, 0) + 1
        self._counts = counts
