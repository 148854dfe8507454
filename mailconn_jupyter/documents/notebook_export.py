"""A notebook as a file for the mail: the notebook itself, or a page or a PDF that nbconvert makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from traitlets.config import Config

from ..message.texts import one_line
from .notebook_file import NotebookError, library

__all__ = ["FORMATS", "Attach", "export"]

Attach = Literal["html", "pdf", "ipynb"]
FORMATS: Final = ("html", "pdf", "ipynb")


def export(notebook: Any, file: Path, kind: Attach, *, code: bool) -> dict[str, bytes]:
    """The attachment, by its name. ``code``: with the source of its cells, which the notebook itself always has."""
    if kind == "ipynb":
        nbformat = library("nbformat", "To write a notebook")
        return {file.name: nbformat.writes(notebook).encode()}
    nbconvert = library("nbconvert", f"To attach a notebook as {kind.upper()}")
    names = ["HTMLExporter"] if kind == "html" else ["WebPDFExporter", "PDFExporter"]
    failures: list[Exception] = []
    for name in names:
        exporter = getattr(nbconvert, name)(exclude_input=not code, exclude_output_prompt=not code, config=_tags())
        try:
            made, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": file.stem}})
        except Exception as error:  # noqa: BLE001  # each exporter has its own
            failures.append(error)
        else:
            return {f"{file.stem}.{kind}": made.encode() if isinstance(made, str) else made}
    said = "; ".join(one_line(str(error).strip() or type(error).__name__, 150) for error in failures)
    hint = 'attach="html" needs neither.' if kind == "pdf" else ""
    needs = " A PDF needs playwright with Chromium (nbconvert[webpdf]), or pandoc and XeLaTeX." if kind == "pdf" else ""
    raise NotebookError(f"{file.name} cannot be exported as {kind.upper()}.{needs} ({said})", hint=hint) from failures[
        -1
    ]


def _tags() -> Config:
    """The configuration of nbconvert: the same tags as in the text."""
    config = Config()
    remover = config.TagRemovePreprocessor
    remover.enabled = True
    for tag, option in (
        ("cell", "remove_cell_tags"),
        ("input", "remove_input_tags"),
        ("output", "remove_all_outputs_tags"),
    ):
        setattr(remover, option, {f"remove_{tag}", f"remove-{tag}"})
    return config
