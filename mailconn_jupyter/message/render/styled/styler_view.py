"""What a Styler shows of its data: its author may have hidden rows, columns, headers or the index, and meant it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ..table.frames import PandasFrame

__all__ = ["part_lengths", "parts_of", "visible"]


def parts_of(styler: Any) -> Iterator[Any]:
    """The Styler and those that stand under it (``concat``), from the top."""
    yield styler
    for other in getattr(styler, "concatenated", ()):
        yield from parts_of(other)


def part_lengths(styler: Any) -> list[int]:
    """How many rows of each part are visible."""
    return [len(part.data) - len(_hidden(part, "hidden_rows")) for part in parts_of(styler)]


def visible(styler: Any) -> PandasFrame:
    """The data of all parts without what is hidden, as a table that can be attached."""
    # What is hidden across the table is said by the uppermost part.
    columns = _hidden(styler, "hidden_columns")
    frames = [_without(part.data, _hidden(part, "hidden_rows"), columns) for part in parts_of(styler)]
    frame = sys.modules["pandas"].concat(frames) if len(frames) > 1 else frames[0]
    levels = list(getattr(styler, "hide_index_", ()))
    if getattr(styler, "hide_index_names", False):
        frame = frame.set_axis(frame.index.set_names([None] * frame.index.nlevels))
    if any(levels) and not all(levels):
        frame = frame.set_axis(frame.index.droplevel([level for level, gone in enumerate(levels) if gone]))
    return PandasFrame(_headed(frame, styler), hides_index=bool(levels) and all(levels))


def _hidden(styler: Any, name: str) -> set[int]:
    return set(getattr(styler, name, ()))


def _without(frame: Any, rows: set[int], columns: set[int]) -> Any:
    if columns:
        frame = frame.iloc[:, [number for number in range(frame.shape[1]) if number not in columns]]
    if rows:
        frame = frame.iloc[[number for number in range(len(frame)) if number not in rows]]
    frame = frame.copy(deep=False)
    frame.attrs = {}
    # A file of columns lists every value that a category may have, also those of no visible row.
    for number, dtype in enumerate(frame.dtypes):
        if dtype == "category":
            frame.isetitem(number, frame.iloc[:, number].cat.remove_unused_categories())
    if frame.index.dtype == "category":
        frame.index = frame.index.remove_unused_categories()
    return frame


def _headed(frame: Any, styler: Any) -> Any:
    """The frame with the headers that are shown; numbers where none is."""
    levels = list(getattr(styler, "hide_columns_", ()))
    if getattr(styler, "hide_column_names", False):
        frame = frame.set_axis(frame.columns.set_names([None] * frame.columns.nlevels), axis="columns")
    if not any(levels):
        return frame
    if all(levels):
        return frame.set_axis([f"column {number + 1}" for number in range(frame.shape[1])], axis="columns")
    left = frame.columns.droplevel([level for level, gone in enumerate(levels) if gone])
    return frame.set_axis(left, axis="columns")
