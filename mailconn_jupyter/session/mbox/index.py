"""Where the messages of a mailbox file begin and end, found no further than somebody has asked."""

from __future__ import annotations

import os
from typing import BinaryIO

__all__ = ["MboxIndex", "count_messages"]

_CHUNK = 2**20
_LINE_END = os.linesep.encode()  # as mailbox has it
_BEGINNING = b"\nFrom "  # of a message, with the end of the line before


class MboxIndex:
    """Finds the messages of a file one after the other, as ``mailbox.mbox`` does for all at once.

    A message begins with a line that starts with ``From``; the empty line before the next one is not part of it.
    ``spans`` maps number to start and end in bytes. 1 GB is scanned in a second or two, and never held in memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.spans: dict[int, tuple[int, int]] = {}
        self.complete = False
        #: Up to where the file was read.
        self.position = 0
        self._start = -1
        # What was read last, as a line end and "From " can lie across two chunks.
        self._tail = b"\n"

    def find(self, number: int | None = None) -> None:
        """Read on until the message with this number is known, or (None) to the end."""
        while not self.complete and (number is None or number not in self.spans):
            self._step()

    def _step(self) -> None:
        self._file.seek(self.position)
        chunk = self._file.read(_CHUNK)
        window = self._tail + chunk
        offset = self.position - len(self._tail)
        if not chunk:
            self._finish(window)
            return
        # A match that lies in the tail as a whole was found before; its first bytes only tell what comes before a match.
        found = window.find(_BEGINNING, max(0, len(self._tail) - len(_BEGINNING) + 1))
        while found >= 0:
            self._message_begins(offset + found + 1, window[: found + 1])
            found = window.find(_BEGINNING, found + 1)
        self.position += len(chunk)
        self._tail = window[1 - len(_BEGINNING) - len(_LINE_END) :]

    def _message_begins(self, start: int, before: bytes) -> None:
        self._message_ends(start, before)
        self._start = start

    def _message_ends(self, end: int, before: bytes) -> None:
        if self._start >= 0:
            empty = before[-len(_LINE_END) - 1 :] == b"\n" + _LINE_END
            self.spans[len(self.spans)] = (self._start, end - len(_LINE_END) if empty else end)

    def _finish(self, before: bytes) -> None:
        self._message_ends(self.position, before)
        self.complete = True


def count_messages(file: BinaryIO, *, most_bytes: int) -> tuple[int, int]:
    """How many messages the file has in its first so many bytes, and how many bytes were looked at."""
    file.seek(0)
    count, seen, tail = 0, 0, b"\n"
    while seen < most_bytes and (chunk := file.read(_CHUNK)):
        window = tail + chunk
        count += window.count(_BEGINNING)
        seen += len(chunk)
        tail = window[1 - len(_BEGINNING) :]
    return count, seen
