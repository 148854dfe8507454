"""What is attached: files, patterns, bytes, and results under a file's name. All of it is found before anything is read."""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet, ValuesView
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ...errors import MessageError, warn
from ...formatting import how_large, shown
from ...paths import expanded, is_file, is_there
from ..file_names import file_name
from ..mime.part_tree import encoded_size
from ..render.part import File, Options, unique
from ..render.registry import render
from ..texts import one_line
from .archive import Unread, packing, room_of, unreadable, zipped
from .writers import is_file_object, written

__all__ = ["attached", "listed", "pack"]

_PATTERN: Final = frozenset("*?[")


def attached(
    given: Any,
    options: Options,
    limit: int | None,
    zip: Any = False,  # noqa: A002  # the word of compose()
) -> Sequence[File | Unread]:
    """The files that ``attachments=`` means; :class:`MessageError` for one that is missing, before any is read.

    A path or a pattern (``out/*.csv``, ``out/**/*.csv``), ``(name, bytes)``, a file object, a dict from names to
    anything that can be written in the format of the name's suffix, a figure or a table; or several of those, as a list,
    a tuple, a set or a generator. A text under a name is a text, even where a file is called so: a warning says that.

    What is on disk stays there until :func:`pack` reads it; it is weighed here, by ``limit`` and ``zip``.
    """
    found = [entry for item in listed(given) for entry in _found(item)]
    on_disk = [entry for entry in found if isinstance(entry, Unread)]
    if limit is not None and packing(zip).wanted:
        room_of(limit, on_disk)
    else:
        _within(limit, on_disk)
    for entry in found:
        if isinstance(entry, tuple) and _is_path(entry[1]):
            warn(
                f"The attachment {shown(entry[0])} is the text {shown(entry[1])}, not the file of that name: "
                f"for the file, give Path({shown(entry[1])})."
            )
    return [
        replace(file, name=unique(file_name(file.name), options.names))
        for entry in found
        for file in _files(entry, options)
    ]


def listed(given: Any) -> Sequence[Any]:
    """Several attachments one by one; ``(name, bytes)`` is one, and a tuple of two paths are two."""
    if given is None:
        return ()
    match given:
        case (str(), value) if isinstance(given, tuple) and not isinstance(value, str | os.PathLike):
            return (given,)
        case str() | bytes() | bytearray() | memoryview():
            return (given,)
        case Sequence() | AbstractSet() | ValuesView():
            return list(given)
        case Iterator() if not is_file_object(given):
            return list(given)
        case _:
            return (given,)


def _found(item: Any) -> Iterable[Any]:
    """Files on disk, ``(name, value)`` pairs, and results without a name; nothing is read yet."""
    match item:
        case str() | os.PathLike():
            return list(_paths(os.fspath(item)))
        case Mapping():
            for name in item:
                if not isinstance(name, str):
                    raise MessageError(f"The attachment name {shown(name)} is not text.")
            return [_named(name, value) for name, value in item.items()]
        case (str() as name, value) if isinstance(item, tuple):
            return [_named(name, value)]
        case bytes() | bytearray() | memoryview():
            raise MessageError(
                "Bytes that are attached need a name.", hint='For example: attachments={"data.bin": data}'
            )
        case None:
            raise MessageError("An attachment is None.")
        case _ if is_file_object(item):
            name = getattr(item, "name", None)
            if not isinstance(name, str):
                raise MessageError(
                    "A file object that is attached needs a name.", hint='For example: attachments={"data.csv": file}'
                )
            return [(name, item)]
        case _:
            return [item]


def _named(name: str, value: Any) -> Any:
    return replace(_one(Path(value)), name=name) if isinstance(value, os.PathLike) else (name, value)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "\n" not in value and is_file(expanded(value))


def _one(path: Path) -> Unread:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise MessageError(f"The attachment {shown(str(path), 1000)} does not exist.", hint=_near(path)) from None
    except OSError as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise MessageError(
            f"The attachment {shown(str(path), 1000)} is a folder.", hint=f"Name its files: {path}/*.csv"
        )
    if not stat.S_ISREG(found.st_mode):
        raise MessageError(f"The attachment {shown(str(path), 1000)} is not a file.")
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise unreadable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return Unread(path.name, path, found.st_size)


def _paths(text: str) -> Iterator[Unread]:
    path = expanded(text)
    if is_there(path) or not _PATTERN & set(text):
        yield _one(path)
        return
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207  # a pattern may be absolute; Path.glob's may not
    files = [match for match in matches if is_file(match)]
    if not files:
        raise MessageError(
            f"No file matches the attachment pattern {shown(text, 1000)}.",
            hint=f"Looked in {one_line(str(Path.cwd()))}",
        )
    yield from map(_one, files)


def _near(path: Path) -> str:
    return (
        f"There is no folder {shown(str(path.parent), 1000)} either."
        if not is_there(path.parent)
        else f"Looked in {one_line(str(Path.cwd()))}"
    )


def _within(limit: int | None, on_disk: Sequence[Unread]) -> None:
    total = encoded_size(sum(file.size for file in on_disk))
    if limit is None or total <= limit or not on_disk:
        return
    largest = max(on_disk, key=lambda file: file.size)
    raise MessageError(
        f"The attachments would take {how_large(total)}, more than the {how_large(limit)} that a message may be; the largest "
        f"is {largest.name} ({how_large(largest.size)}).",
        hint="Zip them (zip=True), attach less, a compressed format such as Parquet, or a link to where the files are.",
    )


def _files(entry: Any, options: Options) -> Iterator[File | Unread]:
    match entry:
        case File() | Unread():
            yield entry
        case (name, value) if isinstance(entry, tuple):
            yield File(name, written(name, value, options))
        case _:
            yield from _rendered(entry, options)


def _rendered(value: Any, options: Options) -> Iterator[File]:
    """A result without a name: a table as a table's file, a figure as an image."""
    from ..render.tables import frame_of  # noqa: PLC0415  # only where a result is attached

    if frame_of(value) is not None:
        name = f"table.{options.table_as}"
        yield File(name, written(name, value, options))
        return
    part = render(value, Options(index=options.index, table_as=options.table_as, formulas=options.formulas))
    if not part.pictures and not part.files:
        raise MessageError(
            f"An object of type {one_line(type(value).__name__)} that is attached needs a name.",
            hint='For example: attachments={"results.txt": text}',
        )
    for picture in part.pictures:
        yield File(f"figure.{picture.subtype.replace('jpeg', 'jpg')}", picture.data)
    yield from part.files


def pack(files: Sequence[File | Unread], zip: Any = False, limit: int | None = None) -> list[File]:  # noqa: A002  # the word of compose()
    """The files, read; or one archive of them, where ``zip`` asks for it (:func:`~.archive.packing`)."""
    asked = packing(zip)
    total = sum(file.size if isinstance(file, Unread) else len(file.data) for file in files)
    if files and total > asked.above:
        return [zipped(files, asked.name, limit)]
    if not files and asked.named:
        # No error: of a batch some may have nothing attached.
        warn(f"No {asked.name} was made: nothing is attached.")
    _within(limit, [file for file in files if isinstance(file, Unread)])
    return [file.read() if isinstance(file, Unread) else file for file in files]
