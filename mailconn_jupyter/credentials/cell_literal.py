"""Telling that a secret that a function was called with stands in the cell that called it."""

from __future__ import annotations

import ast
import itertools
import linecache
import sys
from types import FrameType
from typing import Final

from ..errors import hidden_warning

__all__ = ["BY_HAND", "tell_of_literal"]

BY_HAND: Final = "use connect() with a connection, or ask for it with getpass.getpass()"
"""What to do in the place of a login with a literal."""


def tell_of_literal(place: int, keyword: str, what: str, instead: str) -> None:
    """Warn where the secret of the call in a cell, its argument at ``place`` or by ``keyword``, is a text of the cell."""
    if _stands_in_cell(place, keyword):
        hidden_warning(
            f"There is a {what} in this cell, and the notebook, its checkpoints and the history keep it. Take it out and {instead}; "
            "if others may have read it, change it on the server."
        )


def _stands_in_cell(place: int, keyword: str) -> bool:
    """Whether the call in a cell that led here has a text of the cell as this argument. Nothing is evaluated."""
    frame = _outside()
    # A notebook's own namespace has it; a script, a module or a terminal's Python has not.
    if frame is None or frame.f_globals.get("__name__") != "__main__" or "get_ipython" not in frame.f_globals:
        return False
    try:
        cell = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except SyntaxError:
        return False
    # Where the instruction stands that is running there.
    where = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    return any(
        _is_written(argument, cell)
        for call in ast.walk(cell)
        if isinstance(call, ast.Call) and (call.lineno, call.end_lineno, call.col_offset, call.end_col_offset) == where
        for argument in [*call.args[place : place + 1], *(each.value for each in call.keywords if each.arg == keyword)]
    )


def _outside() -> FrameType | None:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # as warnings itself finds the caller
    package = __name__.partition(".")[0]
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == package:
        frame = frame.f_back
    return frame


def _is_written(node: ast.expr, cell: ast.Module) -> bool:
    """Whether the value is a text of the cell, as it is, put together, wrapped, or by a name that it has there."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _is_written(node.left, cell) or _is_written(node.right, cell)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Secret", "str"}:
        return any(_is_written(argument, cell) for argument in node.args)
    if isinstance(node, ast.Name):
        return any(
            isinstance(target, ast.Name)
            and target.id == node.id
            and isinstance(given.value, ast.Constant | ast.JoinedStr)
            for given in ast.walk(cell)
            if isinstance(given, ast.Assign)
            for target in given.targets
        )
    return False
