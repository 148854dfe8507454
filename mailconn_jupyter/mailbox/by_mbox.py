"""Reading a mailbox file from its end, no further back than is asked for."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

from ..formatting import how_large
from ..message.incoming.header import end_of_header
from ..message.incoming.parsed import ParsedMessage
from ..session.mbox.errors import FileChanged
from ..session.mbox.index import BEGINNING, begins_message, first_byte
from ..session.mbox.session import MBOXSession
from .mbox_flags import flags_of_header, has_marks, is_expunged
from .portions import MOST_MESSAGE, Reading

__all__ = ["header_at", "read", "spans_backwards"]

_CHUNK: Final = 2**20
_HEADER: Final = 8192  # bytes that hold the header of most messages
_LONGEST_ENVELOPE: Final = 2**16
_LINE_END: Final = os.linesep.encode()  # as mailbox has it


def read(session: MBOXSession, reading: Reading) -> Generator[ParsedMessage, None, None]:
    """The messages, newest first: the last one in the file is the last that arrived."""
    file = session.file
    size = max(1, os.fstat(file.fileno()).st_size)
    for start, stop in _spans(session):
        begin, arrived = _envelope(file, start, session)
        header = _header(file, begin, stop)
        message = _message(header, start, stop - begin, arrived, complete=False)
        reading.looked_at(1 - start / size)
        if (message.flags is not None and is_expunged(message.header)) or not reading.selection.matches(message):
            continue
        sought = reading.selection.sought
        enough = not reading.body if sought is None else not sought.whole(message)
        if enough and not reading.selection.of_body:
            yield message
            continue
        file.seek(begin)
        raw = file.read(min(stop - begin, reading.most))
        cut = len(raw) < stop - begin
        whole = _message(raw, start, stop - begin, arrived, complete=True, flags_of=message, cut=cut)
        if reading.selection.holds(whole):
            yield whole if reading.body else message


def _spans(session: MBOXSession) -> Iterator[tuple[int, int]]:
    if session.readonly and not session.all_found:
        yield from spans_backwards(session.file)
        return
    # All is known already, or must be: what was removed and is not written yet is not in the file's own order.
    for key in reversed(list(session.keys())):
        yield session.span(key)


def spans_backwards(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where messages start and end, the last one first; found as :class:`~.mbox_index.MboxIndex` finds them."""
    position = stop = file.seek(0, os.SEEK_END)
    after = b""
    while position > 0:
        start = max(0, position - _CHUNK)
        file.seek(start)
        # With the first bytes of what was read before, as a line end and "From " can lie across two chunks.
        window = file.read(position - start) + after
        found = window.rfind(BEGINNING)
        while found >= 0:
            begin = start + found + 1
            if begins_message(file, begin, window, start):
                yield begin, _end(file, stop)
                stop = begin
            found = window.rfind(BEGINNING, 0, found)
        after = window[: len(BEGINNING) - 1]
        position = start
    first = first_byte(file)
    file.seek(first)
    if stop > first and file.read(len(BEGINNING) - 1) == BEGINNING[1:]:
        yield first, _end(file, stop)


def _end(file: BinaryIO, stop: int) -> int:
    """The end of a message, without the empty line before the next one."""
    empty = b"\n" + _LINE_END
    file.seek(max(0, stop - len(empty)))
    return stop - len(_LINE_END) if file.read(len(empty)) == empty else stop


def _envelope(file: BinaryIO, start: int, session: MBOXSession) -> tuple[int, str]:
    """Where the message itself begins, after the line that starts with From, and what that line says of its arrival."""
    file.seek(start)
    line = file.readline(_LONGEST_ENVELOPE)
    if not line.startswith(BEGINNING[1:]):
        raise FileChanged(
            f"{session.path} was changed by another program: a message has moved.",
            hint="Open it again.",
        )
    return file.tell(), line.decode("ascii", "replace").partition(" ")[2].partition(" ")[2]


def header_at(session: MBOXSession, start: int, stop: int) -> bytes:
    """The header of the message that lies there."""
    begin, _ = _envelope(session.file, start, session)
    return _header(session.file, begin, stop)


def _header(file: BinaryIO, begin: int, stop: int) -> bytes:
    raw = b""
    wanted = _HEADER
    while True:
        file.seek(begin + len(raw))
        raw += file.read(min(wanted, stop - begin) - len(raw))
        end = end_of_header(raw)
        if end < len(raw) or wanted >= min(stop - begin, MOST_MESSAGE):
            return raw[:end]
        wanted *= 8


def _message(
    raw: bytes,
    start: int,
    size: int,
    arrived: str,
    *,
    complete: bool,
    flags_of: ParsedMessage | None = None,
    cut: bool = False,
) -> ParsedMessage:
    message = ParsedMessage(
        raw,
        uid=str(start),
        size=size,
        arrived=arrived,
        complete=complete,
        problems=[f"Only its first {how_large(len(raw))} were read."] if cut else [],
    )
    if flags_of is None:
        message.flags = flags_of_header(message.header) if has_marks(message.raw) else None
    else:
        message.flags = flags_of.flags
    return message
