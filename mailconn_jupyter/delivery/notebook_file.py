"""A whole notebook as a mail: its text and outputs to read, and the file or an export of it attached."""

from __future__ import annotations

import os
import re
import smtplib
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

from traitlets.config import Config

from ..connection import MailConnection
from ..errors import MailConnError
from ..message.outputs import displayed, printed
from ..message.render import Markdown, Preformatted
from ..message.texts import clean, one_line
from ..options import did_you_mean
from .report import SendReport
from .send import send

__all__ = ["NotebookError", "current_notebook", "send_notebook"]

Attach = Literal["html", "pdf", "ipynb"]
_ATTACH: Final = ("html", "pdf", "ipynb")
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"


class NotebookError(MailConnError):
    """A notebook that cannot be found, read, run or exported. Nothing was sent."""


def send_notebook(
    target: str | MailConnection | smtplib.SMTP | None,
    to: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    subject: str | None = None,
    code: bool = False,
    attach: Attach | None = "html",
    execute: bool = False,
    attachments: Any = (),
    **options: Any,
) -> SendReport:
    """Send a notebook as it was last saved: its Markdown and its outputs, in order.

    ``path`` is by default the notebook that this runs in, where Jupyter or VS Code says which it is; save it first.
    ``subject`` is by default its first heading, or its name. ``code`` sends the source of each cell, too. ``attach`` adds
    the whole as an HTML page, a PDF (with what nbconvert needs for one) or the notebook itself; None for nothing.
    ``execute`` runs it first, in a kernel of its own; the file stays as it is. Cells tagged ``remove_cell``,
    ``remove_input`` and ``remove_output`` go as nbconvert has it. The other options are those of
    :func:`~mailconn_jupyter.delivery.send.send`.

    Needs the extra ``notebook``. Raises :class:`NotebookError` before anything is sent; the rest is as of ``send``.
    """
    if attach is not None and attach not in _ATTACH:
        raise NotebookError(
            f"attach={attach!r} is none of {', '.join(_ATTACH)}.{did_you_mean(str(attach), list(_ATTACH))}"
        )
    file = _file(path, execute=execute)
    notebook = _read(file)
    if execute:
        _execute(notebook, file)
    elif not _was_run(notebook):
        raise NotebookError(
            f"{file.name} has no outputs: it was not run, or not saved since.",
            hint="Run and save it, or send it with execute=True.",
        )
    content = list(_content(notebook, code=code))
    files = [attachments] if attachments else []
    if attach is not None:
        files.insert(0, _export(notebook, file, attach, code=code))
    return send(
        target,
        to,
        subject if subject is not None else _title(notebook) or file.stem,
        *content,
        attachments=[entry for given in files for entry in (given if isinstance(given, list) else [given])],
        **options,
    )


def current_notebook() -> Path | None:
    """The file of the notebook that this runs in: as VS Code or Jupyter says; None where neither does."""
    said = getattr(sys.modules.get("__main__"), "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME", "")
    path = Path(str(said))
    if path.suffix != ".ipynb":
        return None
    # Older servers say it from their own folder; a kernel stands in the notebook's.
    return next((found for found in (path, Path(path.name)) if found.is_file()), None)


def _file(path: str | os.PathLike[str] | None, *, execute: bool) -> Path:
    if path is None:
        current = current_notebook()
        if current is None:
            raise NotebookError(
                "It is not known which notebook this is.", hint='Name it: send_notebook("ops", to, "churn.ipynb")'
            )
        if execute:
            raise NotebookError(
                "A notebook cannot run itself: it would send itself without end.",
                hint="Save it and send it as it is, or run it from another one, by its path.",
            )
        return current
    file = Path(path).expanduser()
    if not file.is_file():
        raise NotebookError(f"There is no notebook {str(file)!r}.", hint=f"Looked from {one_line(str(Path.cwd()))}")
    return file


def _library(name: str, what: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise NotebookError(
            f"{what} needs {name.partition('.')[0]}, which is missing.", hint="pip install mailconn-jupyter[notebook]"
        ) from error


def _read(file: Path) -> Any:
    nbformat = _library("nbformat", "To read a notebook")
    try:
        return nbformat.read(file, as_version=4)
    except Exception as error:
        raise NotebookError(f"{file.name} cannot be read as a notebook: {one_line(str(error))}") from error


def _execute(notebook: Any, file: Path) -> None:
    nbclient = _library("nbclient", "To run a notebook")
    try:
        nbclient.execute(notebook, cwd=str(file.parent.resolve()))
    except Exception as error:
        # The exception of nbclient quotes the cell and its whole traceback.
        last = clean(str(error)).strip().rpartition("\n")[2]
        raise NotebookError(f"{file.name} failed, so it was not sent: {one_line(last, 300)}") from error


def _was_run(notebook: Any) -> bool:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return not cells or any(cell.outputs or cell.execution_count for cell in cells)


def _title(notebook: Any) -> str:
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("# "):
                return one_line(re.sub(r"[*`]|\s#+$", "", line[2:]), 200)
    return ""


def _content(notebook: Any, *, code: bool) -> Iterator[Any]:
    for cell in notebook.cells:
        tags = {str(tag).replace("-", "_") for tag in cell.metadata.get("tags", ())}
        if "remove_cell" in tags or not cell.source.strip():
            continue
        if cell.cell_type == "markdown":
            yield Markdown(cell.source)
        elif cell.cell_type == "code":
            if code and "remove_input" not in tags:
                yield Preformatted(cell.source)
            if "remove_output" not in tags:
                yield from filter(None, map(_shown, cell.outputs))


def _shown(output: Any) -> Any:
    """An output as content; None for warnings, progress bars and widgets, which say nothing to a reader."""
    match output.output_type:
        case "stream":
            return printed(output.text) if output.name == "stdout" else None
        case "error":
            return Preformatted("\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
        case _:
            return None if _WIDGET in output.data else displayed(output.data, output.metadata)


def _export(notebook: Any, file: Path, kind: Attach, *, code: bool) -> dict[str, bytes]:
    if kind == "ipynb":
        nbformat = _library("nbformat", "To write a notebook")
        return {file.name: nbformat.writes(notebook).encode()}
    nbconvert = _library("nbconvert", f"To attach a notebook as {kind.upper()}")
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
