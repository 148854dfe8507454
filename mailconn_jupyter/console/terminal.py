"""What a command says, on a terminal: plain text, in which no server and no file can move the cursor."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import closing
from typing import Any, Final

from ..commands import COMMANDS
from ..commands.view import Aside, Passing, Question, View
from ..credentials import may_ask

__all__ = ["CALLED", "FRONT", "say", "told"]

#: What is typed before a command's name.
FRONT: Final = "jupyter mailconn"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# What only a notebook can do keeps its name.
_MAGIC: Final = re.compile(
    rf"%%?mailconn\b(?! (?:{'|'.join(each.name for each in COMMANDS.values() if each.notebook)})\b)"
)
#: What the commands call by a notebook's words.
CALLED: Final = {
    "interrupt the cell": "press Ctrl-C",
    "so does the cell": "so does the command",
    "in this kernel only": "in this process only",
    "the notebook and the history keep what a cell says": "the shell's history and everybody's list of processes show it",
    " in a notebook, or set": " in a terminal, or set",
    "Take it out of the cell and run": "Leave it out, and run",
}


def say(text: str, *, error: bool = False) -> None:
    """Print a text, in a terminal's words."""
    text = _MAGIC.sub(FRONT, text)
    for notebooks, terminals in CALLED.items():
        text = text.replace(notebooks, terminals)
    shown = _CONTROL.sub(lambda sign: repr(sign.group())[1:-1], text)
    print(shown, file=sys.stderr if error else sys.stdout, flush=error)


def told(result: Any) -> bool:
    """Say all that a command says on the way, and ask what it asks; returns whether all is well that it tells of."""
    if not isinstance(result, Generator):
        return True
    answer, sound = None, True
    with closing(result):
        while True:
            try:
                piece = result.send(answer)
            except StopIteration:
                return sound
            if isinstance(piece, View):
                sound = sound and piece.sound
            answer = _answer(piece) if isinstance(piece, Question) else None
            if isinstance(piece, Passing):
                say(repr(piece.shown), error=True)
            elif not isinstance(piece, Question):
                say(piece if isinstance(piece, str) else repr(piece), error=isinstance(piece, Aside))


def _answer(question: str) -> str | None:
    if not may_ask():
        return None
    try:
        return input(question)
    except EOFError:
        return None
