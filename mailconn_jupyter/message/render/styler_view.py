"""What a Styler shows of its data: its author may have hidden rows, columns or the index, and meant it."""

from __future__ import annotations

from typing import Any

from .frames import PandasFrame

__all__ = ["hides_index", "visible"]


def visible(styler: Any) -> PandasFrame:
    """The data without what is hidden, as a table that can be attached."""
    frame = styler.data
    rows, columns = (set(getattr(styler, name, ())) for name in ("hidden_rows", "hidden_columns"))
    if rows:
        frame = frame.iloc[[number for number in range(len(frame)) if number not in rows]]
    if columns:
        frame = frame.iloc[:, [number for number in range(frame.shape[1]) if number not in columns]]
    hidden = _hidden_levels(styler)
    if hidden and not all(hidden):
        frame = frame.set_axis(frame.index.droplevel([level for level, gone in enumerate(hidden) if gone]))
    return PandasFrame(frame, index=False if hides_index(styler) else None)


def hides_index(styler: Any) -> bool:
    """Whether no level of the index is shown."""
    hidden = _hidden_levels(styler)
    return bool(hidden) and all(hidden)


def _hidden_levels(styler: Any) -> list[bool]:
    return list(getattr(styler, "hide_index_", ()))
