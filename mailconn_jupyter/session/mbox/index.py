"""Where the messages of a mailbox file begin and end, found no further than somebody has asked."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

__all__ = ["BEGINNING", "MboxIndex", "count_messages", "first_byte", "has_date"]

_CHUNK = 2**20
_LINE_END = os.linesep.encode()  # as mailbox has it
#: Of a message, perhaps, with the end of the line before.
BEGINNING = b"\nFrom "
# UTF-8's mark, which editors and some exports put before all.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_LINE = 1000
_DAYS = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?[ \t]+"
_MONTHS = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
# RFC 4155: who sent it, and when it came. Senders have blanks in them (pipermail), dates a zone, or RFC 5322's order.
_FROM_LINE = re.compile(
    rb"From [^\n]{0,500}?(?:"
    + _DAYS
    + _MONTHS
    + rb"[ \t]+\d{1,2}[ \t]+\d{1,2}:\d\d(?::\d\d)?(?:[ \t]+[A-Za-z+\-][\w+\-]*){0,2}[ \t]+\d{4}\b|"
    + _DAYS
    + rb"\d{1,2}[ \t]+"
    + _MONTHS
    + rb"[ \t]+\d{4}[ \t]+\d{1,2}:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d)"
)


def has_date(file: BinaryIO, start: int, window: bytes, offset: int) -> bool:
    """Whether the line at ``start``, which begins with ``From``, has a date: then a message begins with it.

    ``window`` is what was read of the file at ``offset``. A text may have a line that begins with that word, and not
    every program quotes it; Dovecot and mutt tell the two apart by the date, too.
    """
    place = start - offset
    end = window.find(b"\n", place, place + _LONGEST_LINE)
    if end < 0 and len(window) - place < _LONGEST_LINE:
        file.seek(start)
        return _FROM_LINE.match(file.read(_LONGEST_LINE)) is not None
    return _FROM_LINE.match(window, place, end if end >= 0 else place + _LONGEST_LINE) is not None


def first_byte(file: BinaryIO) -> int:
    """Where the file begins, behind the mark of its encoding."""
    file.seek(0)
    return len(_BYTE_ORDER_MARK) if file.read(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK else 0


class MboxIndex:
    """Finds the messages of a file one after the other, as ``mailbox.mbox`` does for all at once.

    A message begins with a line that starts with ``From`` and has a date (:func:`has_date`), which the first one need not
    have; the empty line before the next one is not part of it. ``spans`` maps number to start and end in bytes. 1 GB is
    scanned in a second or two, and never held in memory. It begins at ``position``, by default with the first message.
    """

    def __init__(self, file: BinaryIO, position: int | None = None) -> None:
        self._file = file
        self.spans: dict[int, tuple[int, int]] = {}
        self.complete = False
        self._first = first_byte(file)
        #: Up to where the file was read.
        self.position = self._first if position is None else position
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
        found = window.find(BEGINNING, max(0, len(self._tail) - len(BEGINNING) + 1))
        while found >= 0:
            start = offset + found + 1
            if start == self._first or has_date(self._file, start, window, offset):
                self._message_ends(start, window, found + 1)
                self._start = start
            found = window.find(BEGINNING, found + 1)
        self.position += len(chunk)
        self._tail = window[1 - len(BEGINNING) - len(_LINE_END) :]

    def _message_ends(self, end: int, window: bytes, place: int) -> None:
        """The message that was begun ends there, which is at that place of what was read."""
        if self._start >= 0:
            empty = window.endswith(b"\n" + _LINE_END, 0, place)
            self.spans[len(self.spans)] = (self._start, end - len(_LINE_END) if empty else end)

    def _finish(self, before: bytes) -> None:
        self._message_ends(self.position, before, len(before))
        self.complete = True


def count_messages(file: BinaryIO, *, most_bytes: int) -> tuple[int, int]:
    """How many messages the file has in its first so many bytes, and how many bytes were looked at."""
    first = seen = first_byte(file)
    count, tail = 0, b"\n"
    while seen < most_bytes:
        file.seek(seen)
        if not (chunk := file.read(_CHUNK)):
            break
        window, offset = tail + chunk, seen - len(tail)
        found = window.find(BEGINNING)
        while found >= 0:
            start = offset + found + 1
            count += start == first or has_date(file, start, window, offset)
            found = window.find(BEGINNING, found + 1)
        seen += len(chunk)
        tail = window[1 - len(BEGINNING) :]
    return count, seen
