"""The file of the log: a line an entry, added under a lock, read without one.

Whoever is killed while adding leaves half a line at most, which nobody reads as an entry, and the next one begins a new line.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ...own_folder import own_folder
from ...store import atomic_files
from .log_entry import LogEntry

__all__ = ["FLAGS", "LogFile"]

_NAME: Final = "sent.jsonl"
_KEPT: Final = timedelta(days=366)
#: Bytes: some 200,000 messages to one recipient each.
_MOST_BYTES: Final = 50_000_000
# Beyond that by other hands than ours, it is not read.
_MOST_READ: Final = 2 * _MOST_BYTES
_LOCK_SECONDS: Final = 5.0
_BETWEEN_SWEEPS: Final = 3600.0

#: How it is opened. Without O_NONBLOCK a FIFO of that name would hold the kernel for ever.
FLAGS: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)

_swept: dict[Path, float] = {}


class LogFile:
    """The log in the user's data folder, or in another ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (own_folder("data")[0] / "sent" if folder is None else folder) / _NAME

    def add(self, entries: Iterable[LogEntry]) -> None:
        """Add entries at its end. Raises :class:`~mailconn_jupyter.errors.StoreError` where nothing can be written."""
        lines = b"".join(entry.line() for entry in entries)
        if not lines:
            return
        with atomic_files.locked(self.path.parent, _LOCK_SECONDS):
            self._sweep()
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | FLAGS, stat.S_IRUSR | stat.S_IWUSR)
            with os.fdopen(descriptor, "r+b", buffering=0) as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    lines = lines if file.read(1) == b"\n" else b"\n" + lines
                file.write(lines)

    def entries(self) -> list[LogEntry]:
        """All of them, the oldest first. Raises :class:`OSError` where the file is there and cannot be read."""
        try:
            data = atomic_files.read(self.path, _MOST_READ)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [entry for line in data.splitlines() if (entry := LogEntry.read(line)) is not None]

    def clear(self) -> None:
        """Forget everything. Raises :class:`~mailconn_jupyter.errors.StoreError` where that cannot be."""
        if self.path.exists():
            with atomic_files.locked(self.path.parent, _LOCK_SECONDS):
                self.path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Let go of what is older than a year, and of what is too much, now and then. The caller holds the lock."""
        now = time.monotonic()
        if now - _swept.get(self.path, -_BETWEEN_SWEEPS) < _BETWEEN_SWEEPS:
            return
        _swept[self.path] = now
        try:
            if not self._is_full():
                return
            data = atomic_files.read(self.path, _MOST_READ)
        except OSError:
            return
        lines = data[-_MOST_BYTES // 2 :].split(b"\n")[1:] if len(data) > _MOST_BYTES else data.split(b"\n")
        since = datetime.now(UTC) - _KEPT
        kept = [line for line in lines if (entry := LogEntry.read(line)) is not None and entry.when > since]
        atomic_files.write(self.path, b"".join(line + b"\n" for line in kept))

    def _is_full(self) -> bool:
        """Whether there is anything to let go of, by its size and its first line."""
        with os.fdopen(os.open(self.path, os.O_RDONLY | FLAGS), "rb") as file:
            first = LogEntry.read(file.readline(_MOST_BYTES))
            too_old = first is not None and first.when < datetime.now(UTC) - _KEPT
            return too_old or os.fstat(file.fileno()).st_size > _MOST_BYTES
