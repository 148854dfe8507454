"""Reading a mailbox file from its end, no further back than is asked for."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

from ..formatting import how_large
from ..message.incoming.header import end_of_header
from ..message.incoming.parsed import ParsedMessage
from ..session.mbox.errors import FileChanged
from ..session.mbox.index import BEGINNING, first_byte, has_date
from ..session.mbox.session import MBOXSession
from .mbox_flags import flags_of_header, has_marks, is_expunged
from .portions import MOST_MESSAGE, Reading

__all__ = ["header_at", "read", "spans_backwards"]

_CHUNK: Final = 2**20
_HEADER: Final = 8192  # bytes that hold the header of most messages
_LONGEST_ENVELOPE: Final = 2**16
_LINE_END: Final = os.linesep.encode()  # as mailbox has it
_EMPTY: Final = b"\n" + _LINE_END


def read(session: MBOXSession, reading: Reading) -> Generator[ParsedMessage, None, None]:
    """The messages, newest first: the last one in the file is the last that arrived."""
    file, selection = session.file, reading.selection
    everything = selection.everything
    size = max(1, os.fstat(file.fileno()).st_size)
    for start, stop, seen in _spans(session):
        begin, arrived, header = _head(session, start, stop, seen)
        message = _message(header, start, stop - begin, arrived, complete=False)
        reading.looked_at(1 - start / size)
        if (message.flags is not None and is_expunged(message.header)) or not (
            everything or selection.matches(message)
        ):
            continue
        sought = selection.sought
        enough = not reading.body if sought is None else not sought.whole(message)
        if enough and not selection.of_body:
            yield message
            continue
        # It may be another file by now than the one that the header was read from.
        begin, _ = _envelope(session, start)
        raw = file.read(min(stop - begin, reading.most))
        cut = len(raw) < stop - begin
        whole = _message(raw, start, stop - begin, arrived, complete=True, flags_of=message, cut=cut)
        if selection.holds(whole):
            yield whole if reading.body else message


def _spans(session: MBOXSession) -> Iterator[tuple[int, int, bytes]]:
    """Where messages start and end, and the first bytes of each, where they are at hand."""
    if session.readonly and not session.all_found:
        yield from spans_backwards(session.file)
        return
    # All is known already, or must be: what was removed and is not written yet is not in the file's own order.
    for key in reversed(list(session.keys())):
        yield *session.span(key), b""


def spans_backwards(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """The same of all messages of the file, the last one first, found as :class:`~.index.MboxIndex` finds them."""
    position = stop = file.seek(0, os.SEEK_END)
    end = _end(file, stop)
    after = b""
    while position > 0:
        start = max(0, position - _CHUNK)
        file.seek(start)
        # With the first bytes of what was read before, as a line end and "From " can lie across two chunks.
        window = file.read(position - start) + after
        found = window.rfind(BEGINNING)
        while found >= 0:
            begin = start + found + 1
            if has_date(file, begin, window, start):
                # Of a short message all is in the window, and need not be read again.
                yield begin, end, window[found + 1 : found + 1 + min(_HEADER, end - begin)]
                stop = begin
                if found + 1 < len(_EMPTY):
                    end = _end(file, stop)
                else:
                    end = stop - len(_LINE_END) if window.endswith(_EMPTY, 0, found + 1) else stop
            found = window.rfind(BEGINNING, 0, found)
        after = window[: len(BEGINNING) - 1]
        position = start
    first = first_byte(file)
    file.seek(first)
    if stop > first and file.read(len(BEGINNING) - 1) == BEGINNING[1:]:
        yield first, end, b""


def _end(file: BinaryIO, stop: int) -> int:
    """The end of a message, without the empty line before the next one."""
    file.seek(max(0, stop - len(_EMPTY)))
    return stop - len(_LINE_END) if file.read(len(_EMPTY)) == _EMPTY else stop


def _head(session: MBOXSession, start: int, stop: int, seen: bytes = b"") -> tuple[int, str, bytes]:
    """Where the message itself begins, what the line before says of its arrival, and its header.

    ``seen`` are its first bytes, where these were read already.
    """
    line = seen.find(b"\n") + 1
    end = end_of_header(raw := seen[line:]) if line else 0
    if line and (end < len(raw) or start + len(seen) == stop):
        return start + line, _arrived(seen[:line]), raw[:end]
    begin, arrived = _envelope(session, start)
    return begin, arrived, _header(session.file, begin, stop)


def _envelope(session: MBOXSession, start: int) -> tuple[int, str]:
    """Where the message itself begins, after the line that starts with From, and what that line says of its arrival.

    The file is read on from there.
    """
    file = session.file
    file.seek(start)
    line = file.readline(_LONGEST_ENVELOPE)
    if not line.startswith(BEGINNING[1:]):
        raise FileChanged(
            f"{session.path} was changed by another program: a message has moved.",
            hint="Open it again.",
        )
    return start + len(line), _arrived(line)


def _arrived(line: bytes) -> str:
    return line.decode("ascii", "replace").partition(" ")[2].partition(" ")[2]


def header_at(session: MBOXSession, start: int, stop: int) -> bytes:
    """The header of the message that lies there."""
    return _head(session, start, stop)[2]


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
        message.flags = flags_of_header(message.header) if has_marks(message.field_names) else None
    else:
        message.flags = flags_of.flags
    return message
