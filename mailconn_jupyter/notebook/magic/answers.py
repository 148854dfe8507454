"""What a command says, put into the output of its cell."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import closing, suppress
from typing import Any, Final

from IPython.core.error import StdinNotImplementedError
from IPython.display import display

from ...commands.view import Aside, Passing, Question, View

__all__ = ["told"]

_NOTHING: Final = View()


def told(result: Any) -> Any:
    """The value of a command, once all that it says on the way is shown."""
    if not isinstance(result, Generator):
        return result
    answer = None
    passing: Any = None
    # What it has begun it ends, also when the cell is interrupted between two words.
    with closing(result):
        while True:
            try:
                piece = result.send(answer)
            except StopIteration as end:
                return end.value
            finally:
                if passing is not None:
                    passing.update(_NOTHING)
            passing = _show_in_passing(piece.shown) if isinstance(piece, Passing) else None
            answer = None if passing is not None else _shown(piece)


def _show_in_passing(shown: object) -> Any:
    """What takes it away again: an output of its own."""
    return display(shown, display_id=True)  # type: ignore[no-untyped-call]


def _shown(piece: object) -> str | None:
    match piece:
        case Question():
            return _answer(piece)
        case Aside():
            print(piece, file=sys.stderr)  # noqa: T201  # a magic speaks in its cell
        case str():
            print(piece)  # noqa: T201  # the same
        case _:
            display(piece)  # type: ignore[no-untyped-call]
    return None


def _answer(question: str) -> str | None:
    from ...credentials import may_ask  # noqa: PLC0415  # what asks no question goes without

    if may_ask():
        # A frontend without stdin only says so when it is asked.
        with suppress(StdinNotImplementedError, EOFError):
            return input(question)
    return None
