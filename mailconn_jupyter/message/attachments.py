"""What is attached: files, patterns, bytes, and results under a file's name. All of it is found before anything is read."""

from __future__ import annotations

import glob
import os
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from .failure import MessageError
from .mime import encoded_size
from .names import file_name
from .render.part import File, Options, unique
from .render.registry import render
from .texts import one_line, size
from .writers import written

__all__ = ["attached", "pack"]

_PATTERN: Final = frozenset("*?[")
_ARCHIVE: Final = "attachments.zip"


def attached(given: Any, options: Options, limit: int | None) -> list[File]:
    """The files that ``attachments=`` means; :class:`MessageError` for one that is missing, before any is read.

    A path or a pattern (``out/*.csv``, ``out/**/*.csv``), ``(name, bytes)``, a file object, a dict from names to
    anything that can be written in the format of the name's suffix, a figure or a table; or a list of those.
    """
    found = [entry for item in _items(given) for entry in _found(item)]
    on_disk = [entry for entry in found if isinstance(entry, Path)]
    total = encoded_size(sum(path.stat().st_size for path in on_disk))
    if limit is not None and total > limit:
        largest = max(on_disk, key=lambda path: path.stat().st_size)
        raise MessageError(
            f"The attachments would take {size(total)}, more than the {size(limit)} that a message may have; the largest "
            f"is {largest.name} ({size(largest.stat().st_size)}).",
            hint="Attach less, a compressed format such as Parquet, or a link to where the files are.",
        )
    return [
        replace(file, name=unique(file_name(file.name), options.names))
        for entry in found
        for file in (_read(entry, options) if isinstance(entry, Path | tuple) else _rendered(entry, options))
    ]


def _items(given: Any) -> Sequence[Any]:
    if given is None:
        return ()
    if (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and not isinstance(given[1], str | Path)
    ):
        return (given,)  # a name and what it names
    return given if isinstance(given, list | tuple | set | frozenset) or _is_iterator(given) else (given,)


def _is_iterator(given: Any) -> bool:
    return isinstance(given, Iterator) and not hasattr(given, "read")


def _found(item: Any) -> list[Any]:
    """Paths that exist, and ``(name, value)`` pairs; nothing is read yet."""
    match item:
        case str() | os.PathLike():
            return list(_paths(os.fspath(item)))
        case Mapping():
            for name in item:
                if not isinstance(name, str):
                    raise MessageError(f"The attachment name {name!r} is not a text.")
            return [
                (name, next(iter(_one(value))) if isinstance(value, os.PathLike) else value)
                for name, value in item.items()
            ]
        case (str() as name, value):
            return [(name, value)]
        case bytes() | bytearray() | memoryview():
            raise MessageError(
                "Bytes that are attached need a name.", hint='For example: attachments={"data.bin": data}'
            )
        case None:
            raise MessageError("An attachment is None.")
        case _ if hasattr(item, "read"):
            name = getattr(item, "name", None)
            if not isinstance(name, str):
                raise MessageError(
                    "A file object that is attached needs a name.", hint='For example: attachments={"data.csv": file}'
                )
            return [(name, item)]
        case _:
            return [item]


def _one(value: os.PathLike[str]) -> list[Path]:
    path = Path(value)
    if not path.exists():
        raise MessageError(f"The attachment {os.fspath(value)!r} does not exist.", hint=_near(path))
    _check(path)
    return [path]


def _paths(text: str) -> Iterator[Path]:
    path = Path(text).expanduser()
    if path.exists() or not _PATTERN & set(text):
        yield from _one(path)
        return
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207  # a pattern may be absolute; Path.glob's may not
    files = [match for match in matches if match.is_file()]
    if not files:
        raise MessageError(
            f"No file matches the attachment pattern {text!r}.", hint=f"Looked from {one_line(str(Path.cwd()))}"
        )
    for file in files:
        _check(file)
        yield file


def _check(path: Path) -> None:
    if path.is_dir():
        raise MessageError(f"The attachment {str(path)!r} is a folder.", hint=f"Name its files: {path}/*.csv")
    if not path.is_file():
        raise MessageError(f"The attachment {str(path)!r} is not a file.")
    if not os.access(path, os.R_OK):
        raise MessageError(f"The attachment {str(path)!r} cannot be read.")


def _near(path: Path) -> str:
    return (
        f"There is no folder {str(path.parent)!r} either."
        if not path.parent.exists()
        else f"Looked from {one_line(str(Path.cwd()))}"
    )


def _read(entry: Any, options: Options) -> Iterator[File]:
    if isinstance(entry, Path):
        yield File(entry.name, _bytes_of(entry))
        return
    name, value = entry
    if isinstance(value, Path):
        yield File(name, _bytes_of(value))
    else:
        yield File(name, written(name, value, options))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MessageError(f"The attachment {str(path)!r} cannot be read: {error.strerror}.") from error


def _rendered(value: Any, options: Options) -> Iterator[File]:
    """A result without a name: a table as a table's file, a figure as an image."""
    from .render.tables import frame_of  # noqa: PLC0415  # only where a result is attached

    if frame_of(value) is not None:
        name = f"table.{options.table_as}"
        yield File(name, written(name, value, options))
        return
    if isinstance(value, File):
        yield value
        return
    part = render(value, Options(index=options.index, table_as=options.table_as))
    if not part.pictures and not part.files:
        raise MessageError(
            f"An object of type {one_line(type(value).__name__)} that is attached needs a name.",
            hint='For example: attachments={"results.txt": text}',
        )
    for picture in part.pictures:
        yield File(f"figure.{picture.subtype.replace('jpeg', 'jpg')}", picture.data)
    yield from part.files


def pack(files: list[File], wanted: bool | int | str) -> list[File]:
    """The files, or one archive of them: always (True, or the archive's name), or above ``wanted`` bytes together."""
    total = sum(len(file.data) for file in files)
    if not files or wanted is False or (isinstance(wanted, int) and wanted is not True and total <= wanted):
        return files
    name = file_name(wanted) if isinstance(wanted, str) else _ARCHIVE
    if not name.lower().endswith(".zip"):
        name = f"{name}.zip"
    buffer = BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(unique(file_name(file.name), taken), time.localtime()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.data)
    return [File(name, buffer.getvalue(), "application/zip")]
