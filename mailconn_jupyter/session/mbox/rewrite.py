"""Writing a mailbox file anew without some of its messages: in place, and so that a crash in between loses none.

In place, as mutt and Dovecot do it, for who waits for the lock has the file open already: what it appends to one that was
replaced is lost. So what is to follow the first change is written beside the file first, whole; where a program ends in
between, the next one that opens the file for writing finishes it.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["finish_interrupted", "rewrite"]

Span = tuple[int, int]

_LINE_END: Final = os.linesep.encode()  # as mailbox has it
_CHUNK: Final = 2**20
_SUFFIX: Final = ".mailconn-rest"
# Where the rest goes, how long the file was and the rest is, and what tells that both are whole.
_HEAD: Final = "mailconn-rest 1 %020d %020d %020d %64s %64s\n"
_HEAD_READ: Final = re.compile(rb"mailconn-rest 1 (\d{20}) (\d{20}) (\d{20}) ([0-9a-f]{64}) ([0-9a-f]{64})\n")
_HEAD_LENGTH: Final = len(_HEAD % (0, 0, 0, "", ""))


def rewrite(file: BinaryIO, path: str, spans: Mapping[int, Span]) -> dict[int, Span]:
    """Leave these messages alone in the file, in the order of their keys; returns where they are then.

    The file must be locked. Raises OSError, and has changed nothing, where the disk has no room for what is to be moved.
    """
    position = end = 0
    placed: dict[int, Span] = {}
    moved: list[Span] = []
    for key, (start, stop) in sorted(spans.items()):
        placed[key] = position, position + stop - start
        if moved or start != position:
            moved.append((start, stop))
        else:
            end = stop
        position = placed[key][1] + len(_LINE_END)
    rest = Path(f"{path}{_SUFFIX}")
    # An empty line ends each, also the last one that stays where it is: there may be none.
    _write_rest(file, rest, end, _pieces(file, moved, after_one=len(moved) < len(spans)))
    _put_in_place(file, rest)
    return placed


def _pieces(file: BinaryIO, spans: Iterable[Span], *, after_one: bool) -> Iterator[bytes]:
    if after_one:
        yield _LINE_END
    for start, stop in spans:
        yield from _read(file, start, stop)
        yield _LINE_END


def _read(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    while start < stop:
        file.seek(start)
        chunk = file.read(min(_CHUNK, stop - start))
        if not chunk:
            return
        yield chunk
        start += len(chunk)


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _write_rest(file: BinaryIO, rest: Path, start: int, pieces: Iterable[bytes]) -> None:
    """Write what is to follow ``start`` beside the file, for its owner alone; its head comes last, when all of it is there."""
    size = _size(file)
    rest.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(rest, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as beside:
            beside.write(b"\0" * _HEAD_LENGTH)
            digest, length = hashlib.sha256(), 0
            for piece in pieces:
                beside.write(piece)
                digest.update(piece)
                length += len(piece)
            beside.flush()
            os.fsync(beside.fileno())
            tail = _digest(_read(file, start + length, size))
            beside.seek(0)
            beside.write((_HEAD % (start, size, length, digest.hexdigest(), tail)).encode())
            beside.flush()
            os.fsync(beside.fileno())
    except BaseException:
        rest.unlink(missing_ok=True)
        raise


def _put_in_place(file: BinaryIO, rest: Path) -> None:
    with rest.open("rb") as beside:
        start, _, length = map(int, _HEAD_READ.match(beside.read(_HEAD_LENGTH)).groups()[:3])  # type: ignore[union-attr]  # just written, or looked at
        position = start
        for chunk in iter(lambda: beside.read(_CHUNK), b""):
            file.seek(position)
            file.write(chunk)
            position += len(chunk)
        file.flush()
        os.fsync(file.fileno())
        file.truncate(start + length)
        os.fsync(file.fileno())
    rest.unlink()


def finish_interrupted(file: BinaryIO, path: str) -> bool:
    """Finish what another program was ended in; the file must be locked. Returns whether there was something."""
    rest = Path(f"{path}{_SUFFIX}")
    try:
        found = rest.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(found.st_mode) or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
        # Not of this user's making, so not to be believed.
        return False
    with rest.open("rb") as beside:
        head = _HEAD_READ.match(beside.read(_HEAD_LENGTH))
        if (
            head is None
            or int(head[3]) != found.st_size - _HEAD_LENGTH
            or _digest(_rest_of(beside)) != head[4].decode()
        ):
            # Ended while that was written: the mailbox is as it was.
            beside.close()
            rest.unlink()
            return False
    start, size, length = (int(head[number]) for number in (1, 2, 3))
    now = _size(file)
    if now < size or _digest(_read(file, start + length, size)) != head[5].decode():
        # All was in its place already.
        rest.unlink()
        return False
    if now > size:
        # What was appended since belongs behind the rest.
        again = Path(f"{rest}.new")
        with rest.open("rb") as beside:
            beside.seek(_HEAD_LENGTH)
            _write_rest(file, again, start, chain(_rest_of(beside), _read(file, size, now)))
        again.replace(rest)
    _put_in_place(file, rest)
    return True


def _rest_of(beside: BinaryIO) -> Iterator[bytes]:
    yield from iter(lambda: beside.read(_CHUNK), b"")
