"""Results as JSON that every reader takes (RFC 8259): numbers as numbers, dates in ISO 8601, null for what is missing."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import MessageError
from ..kinds import ARRAY, SCALAR
from ..render.no_content import says_nothing
from ..render.table.cell_texts import missing
from ..render.table.frames import Frame
from ..render.tables import frame_of
from ..texts import mended, one_line

__all__ = ["json_bytes", "json_lines", "records", "table_entries"]

_DIGITS: Final = 15  # that a reader's double keeps
_NO_FORM: Final = "an object of type {} cannot be written as JSON"


def json_bytes(value: Any, index: bool | None = None) -> bytes:
    r"""The value, indented. NaN and infinities are null, tables lists of their rows; an error for the rest.

    ``index``: whether the rows of tables have theirs; by default where it says something.

    >>> json_bytes({"n": float("nan"), "on": datetime.date(2026, 11, 20)})
    b'{\n  "n": null,\n  "on": "2026-11-20"\n}\n'
    """
    return _dumped(_plain(value, index), indent=2)


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A line for each row."""
    return b"".join(_dumped(_plain(row, None)) for row in rows)


def _dumped(value: Any, indent: int | None = None) -> bytes:
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
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
            raise MessageError(
                f"Two columns of the table are called {name!r}: JSON would keep only one.", hint="Choose CSV."
            )
    return (dict(zip(called, row, strict=True)) for row in rows)


def table_entries(frame: Frame, index: bool | None) -> list[Any]:
    """Its rows; of a column without a name and an index, the values alone."""
    names, rows = frame.records(index=index)
    return [value for (value,) in rows] if len(names) == 1 and not any(names[0]) else list(records(frame, index))


def _plain(value: Any, index: bool | None) -> Any:
    """The value in what JSON has."""
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return _object(value, index)
        case list() | tuple() | set() | frozenset():
            return [_plain(entry, index) for entry in value]
        case _ if value in SCALAR:
            return _scalar(value)
        case _ if missing(value):
            return None
        case decimal.Decimal():
            # A sum of money with more digits than a double has stays exact as a text.
            return _plain(float(value), None) if len(value.as_tuple().digits) <= _DIGITS else str(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
    return _from_library(value, index)


def _scalar(value: Any) -> Any:
    """A number or a date of NumPy."""
    match value.dtype.kind:
        case "M" | "m":
            return None if str(value) == "NaT" else str(value)
        case "f":
            # In its own digits: 0.1 of 32 bits is no 0.10000000149.
            return _plain(float(str(value)), None)
        case _:
            return _plain(value.item(), None)


def _from_library(value: Any, index: bool | None) -> Any:
    kind = one_line(type(value).__name__)
    if value in ARRAY:
        held = list(value) if value.ndim else [value[()]]
        # What a masked value or a row of a matrix holds is as deep as itself, without end.
        if any(getattr(entry, "ndim", -1) >= value.ndim and entry in ARRAY for entry in held):
            return _plain(value.tolist(), index)
        return _plain(held if value.ndim else held[0], index)
    if isinstance(value, Iterator):
        raise TypeError(f"a {kind} may never end, and is empty once read; for JSON, make it a list")
    if isinstance(value, type | bytes | bytearray | memoryview):
        raise TypeError(_NO_FORM.format(kind))
    if (frame := frame_of(value)) is not None:
        return _plain(table_entries(frame, index), index)
    for method in ("tolist", "to_list"):
        if callable(lists := getattr(value, method, None)):
            return _plain(lists(), index)
    if isinstance(value, Collection):
        return [_plain(entry, index) for entry in value]
    if says_nothing(value):
        raise TypeError(_NO_FORM.format(kind))
    return str(value)


def _object(value: Mapping[Any, Any], index: bool | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, entry in value.items():
        name = _key(key)
        if name in found:
            raise MessageError(
                f"Two keys are called {name!r} in JSON, which would keep only one.", hint="Give them other names."
            )
        found[name] = _plain(entry, index)
    return found


def _key(key: Any) -> str:
    plain = key if key is None or isinstance(key, tuple | frozenset) else _plain(key, None)
    if isinstance(plain, tuple | frozenset | list | dict):
        raise TypeError(f"a {one_line(type(key).__name__)} cannot be a name in JSON; make it text")
    if plain is None and key is not None:
        return str(key)
    return plain if isinstance(plain, str) else json.dumps(plain)
