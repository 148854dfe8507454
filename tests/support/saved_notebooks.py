"""Notebooks on disk, as somebody has run and saved them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
from nbformat.sign import NotebookNotary

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=1, metadata={"tags": list(tags)})  # type: ignore[no-untyped-call]


def shown(data: dict[str, Any], kind: str = "display_data", **more: Any) -> Any:
    return nbformat.v4.new_output(kind, data=data, **more)  # type: ignore[no-untyped-call]


def printed(text: str, name: str = "stdout") -> Any:
    return nbformat.v4.new_output("stream", name=name, text=text)  # type: ignore[no-untyped-call]


def words(text: str, images: dict[str, dict[str, str]] | None = None, tags: tuple[str, ...] = ()) -> Any:
    """A cell of Markdown with the images that it carries: ``{"a.png": {"image/png": its base64}}``."""
    cell = nbformat.v4.new_markdown_cell(text, metadata={"tags": list(tags)})  # type: ignore[no-untyped-call]
    if images:
        cell["attachments"] = images
    return cell


def keep(folder: Path, *cells: Any, name: str = "churn.ipynb") -> Path:
    path = folder / name
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)  # type: ignore[no-untyped-call]
    return path


def weekly(folder: Path) -> Path:
    return keep(
        folder,
        words("# Churn, *week 47*\n\nThree things moved."),
        code("print('first')", printed("first\n"), printed("careful\n", "stderr")),
        code(
            "table",
            shown({"text/html": "<table><tr><td>2.1</td></tr></table>", "text/plain": "2.1"}, "execute_result"),
            shown({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider()"}),
        ),
        code("plot", shown({"image/png": PIXEL, "text/plain": "<Figure>"})),
        code("hidden = 1", printed("hidden output\n"), tags=("remove-cell",)),
        code("import secrets", printed("drop me\n"), tags=("remove_output",)),
        code("last"),
    )


def trust(path: Path) -> None:
    """Sign it as Jupyter does when it saves what this user has run."""
    # Jupyter's own programs have made it before.
    Path(os.environ["JUPYTER_DATA_DIR"]).mkdir(parents=True, exist_ok=True)
    notary = NotebookNotary()  # type: ignore[no-untyped-call]
    notary.sign(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
    notary.store.close()
