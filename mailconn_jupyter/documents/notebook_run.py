"""Running a notebook with its parameters, and what is told of a run that failed: where, and the error, without secrets."""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..connection.expansion import names_a_secret
from ..connection.starred import starred
from ..errors import warn
from ..formatting import did_you_mean, shown
from ..message.texts import clean, one_line
from ..scalars import plain
from .inert import inert_outputs
from .notebook_cells import stays, tags_of
from .notebook_file import NotebookError, library

__all__ = ["FailedRun", "run"]

#: Papermill's words for the cell with the defaults, and for the one that it puts behind it.
_DEFAULTS: Final = "parameters"
_INJECTED: Final = "injected_parameters"
_LONGEST: Final = 300


class FailedRun(NamedTuple):
    """``where`` is a cell by its place, as the end of ``failed``; ``words`` the error in a line."""

    error: Exception
    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: {self.words}"


def run(notebook: Any, file: Path, *, own: bool, parameters: Mapping[str, Any] | None = None) -> FailedRun | None:
    """Run it in a kernel of its own; the outputs up to where it failed are in it, and none of an earlier time.

    ``own``: what was in it before is the user's. ``parameters`` go into a cell as Papermill has it. What is left of an
    error has stars in place of secrets.
    """
    nbclient = library("nbclient", "To run a notebook")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            if not (own and stays(cell)):
                cell["outputs"] = inert_outputs(cell)[0] if stays(cell) else []
    places = {id(cell): f" in cell {number}" for number, cell in enumerate(notebook.cells, 1)}
    if parameters:
        _put_in(notebook, parameters)
    begun: list[Any] = []

    def begin(cell: Any, cell_index: int) -> None:  # noqa: ARG001  # nbclient names both
        # Not by what the kernel says: of the cell that it dies in that may come too late.
        begun[:] = [cell]

    try:
        nbclient.execute(notebook, cwd=str(file.parent.resolve()), on_cell_execute=begin)
    except Exception as error:  # noqa: BLE001  # a cell's, or the kernel's
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for output in (output for cell in cells for output in cell.outputs if output.output_type == "error"):
            output["evalue"] = starred(output.evalue)
            output["traceback"] = [starred(clean(line)) for line in output.traceback]
        where = places.get(id(begun[0]), " in the cell of its parameters") if begun else ""
        return FailedRun(error, where, starred(_words(error)))
    return None


def _words(failure: Exception) -> str:
    """What it says, in one line; the exception of nbclient quotes the cell and its whole traceback, too."""
    own = f"{failure.ename}: {failure.evalue}" if hasattr(failure, "ename") and hasattr(failure, "evalue") else ""
    return one_line(own or clean(str(failure)).strip().rpartition("\n")[2], _LONGEST)


def _put_in(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Behind the cell with the defaults, in the place of what was put there before, or else first of all."""
    nbformat = library("nbformat", "To run a notebook")
    language = notebook.metadata.get("kernelspec", {}).get("language") or notebook.metadata.get(
        "language_info", {}
    ).get("name")
    if language and str(language).lower() != "python":
        raise NotebookError(
            f"parameters are for notebooks in Python, and this one is in {one_line(str(language), 40)}."
        )
    lines = [f"{_name(name)} = {_literal(name, value)}" for name, value in parameters.items()]
    made = nbformat.v4.new_code_cell(
        "\n".join(["# Parameters", *lines]), metadata={"tags": [_INJECTED.replace("_", "-")]}
    )
    if notebook.nbformat_minor < 5:  # cells have an id from there on
        made.pop("id", None)
    tags = [tags_of(cell) for cell in notebook.cells]
    before = next((at for at, found in enumerate(tags) if _INJECTED in found), None)
    defaults = next((at for at, found in enumerate(tags) if _DEFAULTS in found), None)
    if defaults is not None:
        _compare(list(parameters), notebook.cells[defaults].source)
    if before is not None:
        notebook.cells[before] = made
    else:
        notebook.cells.insert(0 if defaults is None else defaults + 1, made)


def _compare(names: list[str], source: str) -> None:
    """Warn of a parameter that the cell with the defaults does not have."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    known = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    for name in names:
        if name not in known:
            warn(f"The notebook has no parameter {name!r}.{did_you_mean(name, known)}")


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise NotebookError(f"A parameter needs a name that is valid in Python, not {shown(name)}.")
    if names_a_secret(name):
        raise NotebookError(
            f"parameters: {name!r} would stand in the notebook, and in what is sent of it.",
            hint="Give the notebook a secret through the environment, or in a file that it reads.",
        )
    return name


def _literal(name: str, given: Any) -> str:
    """A value as Python reads it; only what is written as it is."""
    try:
        return _written(plain(given))
    except (TypeError, RecursionError):
        raise NotebookError(
            f"parameters: {name}={shown(given)} cannot be written into a cell.",
            hint="A parameter is text, a number, True, False or None, or a list or dict of those; a date: its text.",
        ) from None


def _written(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float | str):
        # As of the class itself, whatever a subclass shows.
        kind = next((kind for kind in (bool, int, float, str) if isinstance(value, kind)), None)
        return "None" if kind is None else kind.__repr__(value)
    if isinstance(value, list | tuple):
        inner = ", ".join(_written(plain(each)) for each in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, Mapping):
        pairs = (f"{_written(plain(key))}: {_written(plain(each))}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise TypeError
