"""Results as JSON that every reader takes (RFC 8259): numbers as numbers, dates in ISO 8601, null for what is missing."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .failure import MessageError
from .render.cells import missing
from .render.frames import Frame
from .render.registry import type_names
from .render.tables import frame_of
from .texts import mended, one_line

__all__ = ["json_bytes", "json_lines", "records", "says_nothing"]

_DIGITS: Final = 15  # that a reader's double keeps


def json_bytes(value: Any) -> bytes:
    r"""The value, indented. NaN and infinities are null, tables lists of their rows; an error for the rest.

    >>> json_bytes({"n": float("nan"), "on": datetime.date(2026, 11, 20)})
    b'{\n  "n": null,\n  "on": "2026-11-20"\n}\n'
    """
    return _dumped(value, indent=2)


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A line for each row."""
    return b"".join(map(_dumped, rows))


def _dumped(value: Any, indent: int | None = None) -> bytes:
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return f"{mended(text)}\n".encode()


def records(frame: Frame, index: bool | None) -> Iterator[dict[str, Any]]:
    """The rows of a table, each by the names of its columns."""
    names, rows = frame.records(index=index)
    last = len(names) - 1
    called = [
        "/".join(filter(None, name)) or ("value" if number == last else "index") for number, name in enumerate(names)
    ]
    for name in called:
        if called.count(name) > 1:
            raise MessageError(f"Two columns of the table are called {name!r}: JSON keeps one.", hint="Choose CSV.")
    return (dict(zip(called, row, strict=True)) for row in rows)


def _plain(value: Any) -> Any:
    """The value in what JSON has."""
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {_key(key): _plain(entry) for key, entry in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(entry) for entry in value]
        case _ if not isinstance(value, type) and "numpy.generic" in type_names(value):
            return _scalar(value)
        case _ if missing(value):
            return None
        case decimal.Decimal():
            # A sum of money with more digits than a double has stays exact as a text.
            return _plain(float(value)) if len(value.as_tuple().digits) <= _DIGITS else str(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
    return _from_library(value)


def _scalar(value: Any) -> Any:
    """A number or a date of NumPy."""
    match value.dtype.kind:
        case "M" | "m":
            return None if str(value) == "NaT" else str(value)
        case "f":
            # In its own digits: 0.1 of 32 bits is no 0.10000000149.
            return _plain(float(str(value)))
        case _:
            return _plain(value.item())


def _from_library(value: Any) -> Any:
    if "numpy.ndarray" in type_names(value):
        return _plain(list(value) if value.ndim else value[()])
    for method in ("tolist", "to_list"):
        if callable(lists := getattr(value, method, None)):
            return _plain(lists())
    if (frame := frame_of(value)) is not None:
        return [_plain(row) for row in records(frame, None)]
    if isinstance(value, type | bytes | bytearray | memoryview) or says_nothing(value):
        raise TypeError(f"an object of type {one_line(type(value).__name__)} has no form in JSON")
    return str(value)


def _key(key: Any) -> Any:
    if isinstance(key, str | int) or key is None:
        return key  # json makes texts of them
    plain = key if isinstance(key, tuple | frozenset) else _plain(key)
    if isinstance(plain, tuple | frozenset | list | dict):
        raise TypeError(f"a {one_line(type(key).__name__)} is no name in JSON; make it a text")
    return str(key) if plain is None else plain


def says_nothing(value: object) -> bool:
    """Whether its text would only be its type and where it lies in memory."""
    return {type(value).__str__, type(value).__repr__} <= {object.__str__, object.__repr__}
