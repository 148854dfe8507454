"""Objects that a message shows better than their output in a notebook would be: kept as they are at that moment.

A table is sent with all of its rows, a figure sharp and with its title as alternative text. What a cell does to the
object afterwards must not change what was displayed.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any, Final

from ...message.render import render
from ...message.render.registry import type_names

__all__ = ["snapshot"]


def snapshot(value: Any) -> Any:
    """The object as it is now, in a form that :func:`~mailconn_jupyter.message.compose.compose` takes.

    None when its output in the notebook says as much, or when no copy can be had.
    """
    for name in type_names(value):
        if name in _KEPT:
            try:
                return _KEPT[name](value)
            except Exception:  # noqa: BLE001  # its output is there
                return None
    return None


def _pandas(value: Any) -> Any:
    # From version 3 on a copy costs nothing until one of the two is changed.
    lazy = int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3
    return value.copy(deep=not lazy)


def _styler(value: Any) -> Any:
    return _with_own_tables(copy.deepcopy(value))


def _with_own_tables(styler: Any) -> Any:
    """Even a deep copy of a Styler, and of those below it, has the same table."""
    styler.data = _pandas(styler.data)
    for below in getattr(styler, "concatenated", ()):
        _with_own_tables(below)
    return styler


_KEPT: Final[dict[str, Callable[[Any], Any]]] = {
    "pandas.DataFrame": _pandas,
    "pandas.Series": _pandas,
    "pandas.io.formats.style.Styler": _styler,
    "polars.DataFrame": lambda value: value.clone(),
    "polars.Series": lambda value: value.clone(),
    # Drawn now: a picture takes less memory than a figure, and cannot be drawn over.
    "matplotlib.figure.FigureBase": render,
    "plotly.basedatatypes.BaseFigure": copy.deepcopy,
    "altair.TopLevelMixin": copy.deepcopy,
}
