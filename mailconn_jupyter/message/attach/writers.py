"""A result as a file of the format that the file's name asks for: ``{"churn.parquet": df, "plot.svg": figure}``."""

from __future__ import annotations

import gzip
import pprint
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, Final

from ...errors import MessageError, warn
from ..kinds import kind_of, load
from ..render.no_content import says_nothing
from ..render.part import Options
from ..render.registry import render
from ..render.table.formulas import told
from ..render.tables import frame_of
from ..texts import mended_lines, one_line
from .json_text import json_bytes
from .table_files import SEPARATORS, TABLE_FILES

__all__ = ["is_file_object", "write_array", "written"]


def written(name: str, value: Any, options: Options) -> bytes:
    """The bytes of a file called ``name`` that holds ``value``; :class:`MessageError` when there is no such format.

    Bytes and file objects go as they are. Everything else is written by the name's suffix, and packed for a ``.gz``.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if is_file_object(value):
        return _from_file(name, value)
    stem, _, suffix = name.rpartition(".")
    suffix = suffix.lower() if stem else ""
    if suffix == "gz":
        # No time in it: the same result is the same file.
        return gzip.compress(written(stem, value, options), mtime=0)
    if isinstance(value, str):
        return mended_lines(value).encode()
    try:
        data = None if value is None else _written(name, suffix, value, options)
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(f"The attachment {name!r} cannot be written: {one_line(str(error), 200)}") from error
    if data is None:
        raise MessageError(
            f"An object of type {one_line(type(value).__name__)} cannot be attached as {name!r}.",
            hint=f"Tables can be {_suffixes(TABLE_FILES)}, .html; figures .png, .svg, .pdf; "
            "arrays .npy, .json; dicts and lists .json, .txt.",
        )
    return data


def is_file_object(value: Any) -> bool:
    """Whether it can be read like an open file; a table with a column called ``read`` cannot."""
    return callable(getattr(value, "read", None))


def _from_file(name: str, file: Any) -> bytes:
    """All of the file, from its start wherever it stands, and it stands there again; a stream, what is left of it."""
    try:
        seekable = hasattr(file, "seekable") and file.seekable()
        if seekable:
            place = file.tell()
            file.seek(0)
        data = file.read()
        if seekable:
            file.seek(place)
    except (OSError, ValueError) as error:
        raise MessageError(
            f"The attachment {name!r} cannot be read: {error}.", hint="Is the file still open, and for reading?"
        ) from error
    if not isinstance(data, str | bytes | bytearray):
        raise MessageError(f"The attachment {name!r} cannot be read: its read() gave {type(data).__name__}.")
    if not data and not seekable:
        raise MessageError(
            f"There is nothing left to read for the attachment {name!r}.",
            hint='It has already been read: read it once, and attach the result. An empty file is {"name": b""}.',
        )
    return mended_lines(data).encode() if isinstance(data, str) else bytes(data)


def _written(name: str, suffix: str, value: Any, options: Options) -> bytes | None:
    if (kind := kind_of(value)) is not None and kind.write:
        written_by: bytes | None = load(kind.write)(value, suffix)
        if written_by is not None:
            return written_by
    if (frame := frame_of(value)) is not None:
        if (table := TABLE_FILES.get(suffix)) is not None:
            data = table(frame, options)
            for said in told(name, data, SEPARATORS[suffix]) if suffix in SEPARATORS else ():
                warn(said)
            return data
        return str(value.to_html()).encode() if suffix == "html" and hasattr(value, "to_html") else None
    if suffix == "json":
        return json_bytes(value, options.index)
    writer = _OTHERS.get(suffix)
    return None if writer is None else writer(value)


def _text(value: Any) -> bytes | None:
    """What a notebook would print of it."""
    if isinstance(value, BaseException):
        return render(value).text.encode()
    if hasattr(value, "__array__"):
        return None  # its repr leaves out the middle
    if isinstance(value, dict | list | tuple | set | frozenset):
        return mended_lines(pprint.pformat(value, width=100, sort_dicts=False) + "\n").encode()
    return None if says_nothing(value) else mended_lines(str(value)).encode()


def write_array(value: Any, suffix: str) -> bytes | None:
    """An array in numpy's own format."""
    if suffix != "npy":
        return None
    import numpy as np  # noqa: PLC0415  # the array is its own

    buffer = BytesIO()
    # A pickle runs what it holds when it is opened.
    np.save(buffer, value, allow_pickle=False)
    return buffer.getvalue()


def _html(value: Any) -> bytes | None:
    return str(value._repr_html_()).encode() if hasattr(type(value), "_repr_html_") else None


_OTHERS: Final[dict[str, Callable[[Any], bytes | None]]] = {
    "html": _html,
    "txt": _text,
}


def _suffixes(names: Iterable[str]) -> str:
    return ", ".join(f".{name}" for name in names)
