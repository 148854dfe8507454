"""One archive of all attachments: when it is wanted, and how it is made without reading more than can fit."""

from __future__ import annotations

import math
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from numbers import Real
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

from ...errors import MessageError
from ...formatting import how_large
from ...scalars import plain
from ..file_names import file_name
from ..mime.part_tree import encoded_size
from ..render.part import File, unique
from ..texts import bytes_of, one_line

__all__ = ["Packing", "Unread", "packing", "room_of", "unreadable", "zipped"]

#: What deflate makes of zeros; nothing gets smaller than that by it.
_BEST_RATIO: Final = 1032
_CHUNK: Final = 1_000_000
_ALWAYS: Final = -1.0
_NEVER: Final = math.inf


@dataclass(frozen=True)
class Unread:
    """A file on disk, to be attached as ``name``; ``size`` is its bytes when it was found."""

    name: str
    path: Path
    size: int

    def read(self) -> File:
        """The whole of it."""
        try:
            return File(self.name, self.path.read_bytes())
        except OSError as error:
            raise unreadable(self.path, error) from error


@dataclass(frozen=True)
class Packing:
    """What ``zip=`` means: one archive called ``name``, when the files have more than ``above`` bytes together."""

    above: float = _NEVER
    name: str = "attachments.zip"

    @property
    def wanted(self) -> bool:
        """Whether there may be an archive at all."""
        return self.above != _NEVER

    @property
    def named(self) -> bool:
        """Whether it has a name of the author's own."""
        return self.name != Packing.name


def packing(wanted: Any) -> Packing:
    """True or a name: always. A number of bytes, or a size such as ``10 MB``: above it. None or False: never.

    >>> packing("500 kB").above, packing("week 47").name
    (500000, 'week 47.zip')
    """
    wanted = plain(wanted)
    if wanted is None or wanted is False:
        return Packing()
    if wanted is True:
        return Packing(_ALWAYS)
    if isinstance(wanted, Real) and float(wanted) >= 0:
        return Packing(float(wanted))
    name = fspath(wanted) if isinstance(wanted, PathLike) else wanted
    if not isinstance(name, str) or not name.strip():
        raise MessageError(
            f"zip= must be True, a file name or a size, not {one_line(repr(wanted), 40)}.",
            hint='With a size, such as 10_000_000 or "10 MB", there is an archive only above it.',
        )
    # A year alone is a name.
    if isinstance(wanted, str) and not name.strip().isdecimal() and (above := bytes_of(name)) is not None:
        return Packing(above)
    name = file_name(name)
    return Packing(_ALWAYS, name if name.lower().endswith(".zip") else f"{name}.zip")


def room_of(limit: int, unread: Iterable[Unread]) -> int:
    """Bytes that an archive may have in a message of ``limit``. :class:`MessageError` where the files cannot fit in."""
    room = max(limit - encoded_size(0), 0) * 57 // 78
    total = sum(file.size for file in unread)
    if total > room * _BEST_RATIO:
        raise MessageError(
            f"The attachments take up {how_large(total)}: no archive of them fits into the {how_large(limit)} that a message may have.",
            hint="Attach less, or a link to where the files are.",
        )
    return room


def zipped(files: Iterable[File | Unread], name: str, limit: int | None) -> File:
    """The files as one archive. What is on disk is read bit by bit, and only until the archive is over the limit."""
    files = list(files)
    room = None if limit is None else room_of(limit, (file for file in files if isinstance(file, Unread)))
    buffer = BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(unique(file_name(file.name), taken), time.localtime()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            # Above 2 GB an entry has another header, which comes first.
            entry.file_size = file.size if isinstance(file, Unread) else len(file.data)
            with archive.open(entry, "w") as packed:
                for chunk in _chunks(file):
                    packed.write(chunk)
                    if room is not None and buffer.tell() > room:
                        raise MessageError(
                            f"The attachments are too large even as an archive: {name} would be over the {how_large(room)} "
                            f"that fit into a message of {how_large(limit or 0)}; it got as far as {file.name}.",
                            hint="Attach less, or a link to where the files are.",
                        )
    return File(name, buffer.getvalue(), "application/zip")


def _chunks(file: File | Unread) -> Iterable[bytes]:
    if isinstance(file, File):
        data = file.data
        yield from (data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))
        return
    try:
        with file.path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise unreadable(file.path, error) from error


def unreadable(path: Path, error: OSError) -> MessageError:
    """The error for a file that was there, and cannot be read."""
    return MessageError(
        f"The attachment {str(path)!r} cannot be read: {one_line(error.strerror or str(error) or type(error).__name__)}."
    )
