"""Messages that wait for another try: in a file that has no name and is gone with the process, not in memory."""

from __future__ import annotations

import tempfile
import threading
import weakref
from typing import IO, NamedTuple

from ...message.mime.wire_format import Wire

__all__ = ["Spool", "Spooled"]


class Spooled(NamedTuple):
    """Where a message lies in the file."""

    start: int
    size: int
    international: bool


class Spool:
    """Of one batch; its threads share it. Where the disk is full, what cannot be written stays in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end = 0
        self._file: IO[bytes] | None = None

    def put(self, content: Wire | Spooled) -> Wire | Spooled:
        """Keep a message; what is returned stands for it."""
        if isinstance(content, Spooled):
            return content
        with self._lock:
            try:
                if self._file is None:
                    # Only its owner can read it, and nobody can open it by a name. Nothing is buffered: a forked child
                    # that closes its copy would write the buffer once more.
                    self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # as long as the spool is there
                    weakref.finalize(self, self._file.close)
                start = self._file.seek(self._end)
                for piece in content:
                    left = memoryview(piece)
                    while left:
                        left = left[self._file.write(left) :]
                size = self._file.tell() - start
            except OSError:
                return content
            self._end = start + size
        return Spooled(start, size, content.international)

    def get(self, content: Wire | Spooled) -> Wire:
        """The message."""
        if isinstance(content, Wire):
            return content
        with self._lock:
            assert self._file is not None
            self._file.seek(content.start)
            found = bytearray()
            while len(found) < content.size and (part := self._file.read(content.size - len(found))):
                found += part
        return Wire(bytes(found), international=content.international)
