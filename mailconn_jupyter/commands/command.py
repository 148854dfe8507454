"""One command: how it is used, and which function does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from .arguments import Arguments

__all__ = ["Command"]


@dataclass(frozen=True)
class Command:
    """A row of the table of commands.

    ``function`` is ``module:name`` in this room. It gets the arguments by their names, as plain values, and gives the
    command's value; a generator also yields, in between, what is to be shown: texts, and objects that know their text and
    their HTML (:mod:`~mailconn_jupyter.commands.view`). It is imported when it is first run. ``below`` is the one that
    gets, as ``cell``, the cell in whose first line the command stands (:class:`~.cell_mail.Cell`). A command with neither
    is its front end's own.

    ``stored`` is how many of its first arguments are names of stored connections (-1: all). ``results``: those after them
    are expressions, whose values it takes. ``later`` are the flags whose expressions are evaluated when the cell has run,
    ``objects`` those that take the value of an expression, not its text.
    ``templates``: its texts are templates, and so is the cell, which is not run. ``files``: its arguments are files.
    ``notebook``: it is of no use outside of a notebook.
    """

    name: str
    usage: str
    summary: str
    function: str
    build: Callable[[Arguments], None]
    stored: int = 0
    below: str = ""
    results: bool = False
    later: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    templates: bool = False
    files: bool = False
    notebook: bool = False

    @property
    def cell(self) -> Literal["never", "may", "must"]:
        """Whether it stands in the first line of a cell that it runs (``%%mailconn``)."""
        return "never" if not self.below else "may" if self.function else "must"

    @property
    def line(self) -> str:
        """How it is written."""
        return f"{self._magic} {self.name} {self.usage}".rstrip()

    @property
    def _magic(self) -> str:
        return "%%mailconn" if self.cell == "must" else "%mailconn"

    def parser(self, front: str = "") -> Arguments:
        """A parser of its arguments, which also has its help; ``front`` is what is typed before the command's name."""
        parser = Arguments(self.name, self.usage, self.summary, magic=front or self._magic)
        self.build(parser)
        return parser

    def do(self, **arguments: Any) -> Any:
        """Do it; with a ``cell`` among the arguments, do what it does with a cell."""
        module, _, name = (self.below if "cell" in arguments else self.function).partition(":")
        return getattr(import_module(f".{module}", __package__), name)(**arguments)
