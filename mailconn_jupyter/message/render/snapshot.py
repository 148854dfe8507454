"""Objects that a message shows better than their output in a notebook would be: kept as they are at that moment.

A table is sent with all of its rows, a figure sharp and with its title as alternative text. What a cell does to the
object afterwards must not change what was displayed.
"""

from __future__ import annotations

import copy
import sys
from typing import Any

from ..kinds import kind_of, load

__all__ = ["snapshot"]


def snapshot(value: Any) -> Any:
    """The object as it is now, in a form that :func:`~mailconn_jupyter.message.compose.compose` takes.

    None when its output in the notebook says as much, or when no copy can be had.
    """
    kind = kind_of(value)
    if kind is None or not kind.keep:
        return None
    try:
        return load(kind.keep)(value)
    except Exception:  # noqa: BLE001  # its output is there
        return None


def deep_copy(value: Any) -> Any:
    return copy.deepcopy(value)


def clone(value: Any) -> Any:
    return value.clone()


def copy_of_pandas(value: Any) -> Any:
    # From version 3 on a copy costs nothing until one of the two is changed.
    lazy = int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3
    return value.copy(deep=not lazy)


def copy_of_styler(value: Any) -> Any:
    return _with_own_tables(copy.deepcopy(value))


def _with_own_tables(styler: Any) -> Any:
    """Even a deep copy of a Styler, and of those below it, has the same table."""
    styler.data = copy_of_pandas(styler.data)
    for below in getattr(styler, "concatenated", ()):
        _with_own_tables(below)
    return styler
