"""Cells and outputs of a notebook that some other program wrote: what they lack, or have in another form."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["mended", "stays", "tags_of"]

_EMPTY: Final = {"output_type", "data", "metadata", "execution_count"}


def mended(notebook: Any) -> Any:
    """The notebook, its cells and outputs with all that the format asks of them (nbformat 4), empty where it was not."""
    for cell in notebook.cells:
        for name, kind in (("cell_type", str), ("source", str), ("metadata", dict)):
            _have(cell, name, kind)
        if "tags" in cell.metadata:
            cell.metadata["tags"] = _texts(cell.metadata["tags"])
        if cell.cell_type == "code":
            cell.setdefault("execution_count", None)
            _have(cell, "outputs", list)
            for output in cell.outputs:
                _mend(output)
            # nbconvert fails at an output that has nothing to show.
            cell["outputs"] = [output for output in cell.outputs if output.get("data", True) or set(output) - _EMPTY]
    return notebook


def tags_of(cell: Any) -> set[str]:
    """Its tags, as nbconvert calls them with or without hyphens."""
    return {tag.replace("-", "_") for tag in cell.metadata.get("tags", ())}


def stays(cell: Any) -> bool:
    """Whether a run of the notebook leaves the outputs of this cell of code as they are (nbclient's rule)."""
    return not cell.source.strip() or "skip_execution" in tags_of(cell)


def _mend(output: Any) -> None:
    _have(output, "output_type", str)
    if output.output_type == "stream":
        output.setdefault("name", "stdout")
        _have(output, "text", str)
    elif output.output_type == "error":
        for name in ("ename", "evalue"):
            _have(output, name, str)
        output["traceback"] = _texts(output.get("traceback"))
    else:
        # Of an unknown type, too: what it shows, if anything, is there.
        for name in ("data", "metadata"):
            _have(output, name, dict)
        if output.output_type == "execute_result":
            output.setdefault("execution_count", None)


def _have(place: Any, name: str, kind: type) -> None:
    if not isinstance(place.get(name), kind):
        place[name] = type(place)() if kind is dict else kind()


def _texts(value: Any) -> list[str]:
    """Several texts; one alone is one of them, and not its letters."""
    if isinstance(value, str):
        return [value]
    return [str(entry) for entry in value] if isinstance(value, list | tuple) else []
