"""A notebook as content of a mail: what it is called, and what a reader of it would read."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import MailConnError
from ..extras import install
from ..message.render import Preformatted
from ..message.render.cell_outputs import WIDGET, displayed, printed
from ..message.texts import one_line
from .notebook_cells import mended, tags_of
from .notebook_markdown import headings, shown_markdown
from .notebook_trust import is_trusted

__all__ = ["NotebookError", "content_of", "library", "read", "title_of", "was_run"]


class NotebookError(MailConnError):
    """A notebook that cannot be found, read, run or exported. Nothing was sent, unless it says so."""


def library(name: str, what: str) -> Any:
    """A package of the extra ``notebook``."""
    try:
        return import_module(name)
    except ImportError as error:
        raise NotebookError(
            f"{what} needs {name.partition('.')[0]}, which is not installed.", hint=install("notebook")
        ) from error


def read(file: Path) -> tuple[Any, bool]:
    """The notebook in the format of today, with empty places for what its cells and outputs lack; whether it is trusted."""
    nbformat = library("nbformat", "To read a notebook")
    try:
        notebook = nbformat.read(file, as_version=4)
        trusted = is_trusted(notebook)
        return mended(notebook), trusted
    except Exception as error:
        raise NotebookError(f"{file.name} cannot be read as a notebook: {one_line(str(error))}") from error


def was_run(notebook: Any) -> bool:
    """Whether there is anything to send of its code."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return not cells or any(cell.outputs or cell.execution_count for cell in cells)


def title_of(notebook: Any) -> str:
    """Its first heading of the first level, or its first heading, without the markup; empty when it has none."""
    found = [
        heading for cell, _ in _cells(notebook) if cell.cell_type == "markdown" for heading in headings(cell.source)
    ]
    top = [words for level, words in found if level == 1] or [words for _, words in found]
    return one_line(top[0], 200) if top else ""


def content_of(notebook: Any, *, code: bool) -> Iterator[Any]:
    """Its texts and outputs in order, with ``code`` the source of each cell before its outputs."""
    for cell, tags in _cells(notebook):
        if cell.cell_type == "markdown":
            yield shown_markdown(cell)
        elif cell.cell_type == "code":
            if code and "remove_input" not in tags:
                yield Preformatted(cell.source)
            if "remove_output" not in tags:
                yield from _outputs(cell)


def _cells(notebook: Any) -> Iterator[tuple[Any, set[str]]]:
    """The cells that hold something, each with its tags."""
    for cell in notebook.cells:
        tags = tags_of(cell)
        if "remove_cell" not in tags and cell.source.strip():
            yield cell, tags


def _outputs(cell: Any) -> Iterator[Any]:
    """The outputs as content, but warnings, progress bars and widgets, which say nothing to a reader.

    What was printed is one text, however often something else came between on stderr.
    """
    pieces: list[str] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            pieces += [output.text] if output.name == "stdout" else []
            continue
        if output.output_type != "error" and (WIDGET in output.data or not output.data):
            continue
        yield from _text(pieces)
        if output.output_type == "error":
            yield Preformatted("\n".join(output.traceback) or ": ".join(filter(None, (output.ename, output.evalue))))
        else:
            yield displayed(output.data, output.metadata)
    yield from _text(pieces)


def _text(pieces: list[str]) -> Iterator[str]:
    """What was printed so far, once."""
    text = printed("".join(pieces))
    pieces.clear()
    if text:
        yield text
