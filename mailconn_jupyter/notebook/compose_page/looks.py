"""A small look at a result, where that costs little: it is drawn in the kernel's main thread, where cells wait for it."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from ...message.kinds import AXES, FIGURE, PANDAS, PICTURE, kind_of, load
from ...message.render.plots.figures import matplotlib_file, pil_file
from ...message.texts import one_line

__all__ = ["look", "rows"]

_ROWS, _COLUMNS, _CELL = 3, 4, 18
#: Characters of a text that are looked at, of which some may be spaces.
_LONG: Final = 1000
#: Bytes of the first rows of a table.
_MOST_BYTES: Final = 1_000_000
#: Pixels across.
_WIDE: Final = 220
_MOST_PIXELS: Final = 20_000_000
_TABLES: Final = "render.table.frames:"
#: What a figure may hold, in points of lines, which are about a microsecond each; and what else is, in the same measure.
_MOST_INK: Final = 500_000
_AXES_INK, _TEXT_INK, _PATCH_INK, _CELL_INK, _PIXEL_INK = 40_000, 3000, 200, 10, 0.2


def look(value: Any) -> dict[str, Any]:
    """A small look at it: ``rows`` of texts, the first of them the header, or a ``png`` in Base64; else neither.

    What takes its time to be drawn, as a chart that needs a browser or a figure of a million points, is not.
    """
    # A look is no more than that: what cannot be had, or is doubtful, is told once it is sent.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if value in FIGURE or value in AXES:
            figure = getattr(value, "figure", None) or value
            return {"png": _base64(_drawn(figure))} if _is_light(figure) else {}
        if value in PICTURE:
            if value.width * value.height > _MOST_PIXELS:
                return {}
            small = value.copy()
            small.thumbnail((_WIDE, _WIDE))
            return {"png": _base64(pil_file(small, "png"))}
    return {"rows": found} if (found := rows(value)) else {}


def rows(value: Any) -> list[list[str]]:
    """The first cells of a table as short texts, the header before them; empty for what is no table."""
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = kind_of(value)
        if kind is not None and kind.read.startswith(_TABLES):
            frame = load(kind.read)(_beginning(value))
            columns = list(frame.columns(_ROWS, _COLUMNS, index=None))
            names = [next(filter(None, reversed(column.names)), "") for column in columns]
            lines = zip(*(column.cells for column in columns), strict=True)
            return [[one_line(text[:_LONG], _CELL) for text in line] for line in (names, *lines)]
    return []


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Tables


def _beginning(value: Any) -> Any:
    """Its first rows, without what would take long to become text."""
    if value in PANDAS:
        return _short_cells(value.iloc[:_ROWS] if value.ndim == 1 else value.iloc[:_ROWS, :_COLUMNS])
    first = value.head(_ROWS) if hasattr(value, "head") else value.slice(0, _ROWS)
    weight = first.estimated_size() if hasattr(first, "estimated_size") else first.nbytes
    if weight > _MOST_BYTES:
        raise ValueError("too heavy for a look")
    return first


def _short_cells(table: Any) -> Any:
    """A table of pandas whose cells of several entries hold no more of them than can be seen."""
    if table.ndim == 1:
        if table.dtype.kind == "O":
            cells = [_short(cell) for cell in table.tolist()]
            return type(table)(cells, index=table.index, name=table.name, dtype=object)
        return table
    loose = [number for number, kind in enumerate(table.dtypes) if kind.kind == "O"]
    if loose:
        table = table.copy()
    for number in loose:
        table.isetitem(number, _short_cells(table.iloc[:, number]))
    return table


def _short(cell: Any, deep: int = 3) -> Any:
    # As many entries as characters, so that what is seen is the same.
    if isinstance(cell, str | bytes | bytearray):
        return cell[:_LONG]
    if type(cell) in {list, tuple, set, frozenset} and deep:
        return type(cell)(_short(entry, deep - 1) for entry in islice(cell, _CELL))
    if type(cell) is dict and deep:
        return {key: _short(entry, deep - 1) for key, entry in islice(cell.items(), _CELL)}
    return cell


# Figures


def _is_light(figure: Any) -> bool:
    """Whether it is drawn within a second or so, by what it holds."""
    ink = 0.0
    for each in _ink(figure):
        ink += each
        if ink > _MOST_INK:
            return False
    return True


def _ink(artist: Any) -> Iterator[float]:
    """What each artist in it takes to be drawn, the least work first."""
    children = artist.get_children()
    for child in children:
        # An axis makes all its ticks to tell of them; axes are weighed with theirs.
        if child in AXES:
            yield _AXES_INK
            yield from _ink(child)
        elif hasattr(child, "get_xdata"):
            yield len(child.get_xdata(orig=False))
        elif hasattr(child, "get_coordinates"):
            # A mesh, whose paths are made only to be told.
            yield child.get_coordinates().size / 2 * _CELL_INK
        elif hasattr(child, "get_offsets"):
            sizes = child.get_sizes() if hasattr(child, "get_sizes") else ()
            colours = child.get_facecolor() if child.get_array() is None else child.get_array()
            # What looks the same is drawn once and put everywhere.
            yield len(child.get_offsets()) * (_CELL_INK if max(len(sizes), len(colours)) > 1 else 1) + len(colours)
            yield sum(len(path.vertices) for path in child.get_paths())
        elif hasattr(child, "get_array"):
            values = child.get_array()
            yield 0 if values is None else values.shape[0] * values.shape[1] * _PIXEL_INK
        elif hasattr(child, "get_path"):
            yield _PATCH_INK + len(child.get_path().vertices)
        elif hasattr(child, "get_text"):
            yield _TEXT_INK if child.get_text() else 0
        elif child in FIGURE:
            yield from _ink(child)


def _drawn(figure: Any) -> bytes:
    sides = (float(inches) * figure.dpi for inches in figure.get_size_inches())
    return matplotlib_file(figure, "png", scale=min(_WIDE / max(*sides, 1), 1))
