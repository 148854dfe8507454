"""A whole notebook as a mail: its text and outputs to read, and the file or an export of it attached."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from ..connection import MailConnection
from ..documents.inert import SCRIPTS_LOST, inert
from ..documents.notebook_export import FORMATS, Attach, export
from ..documents.notebook_file import NotebookError, content_of, read, title_of, was_run
from ..documents.notebook_run import run
from ..documents.this_notebook import current_notebook
from ..errors import warn
from ..formatting import did_you_mean
from ..keywords import public
from ..message.attach.attachments import listed
from ..message.compose import LIMIT
from ..message.render.part import Formulas, TableFormat
from ..message.texts import one_line
from ..paths import expanded, is_file
from .report import DeliveryError, SendReport
from .send import send

if TYPE_CHECKING:
    from ..message.answered import Answered
    from ..session.graph.session import GraphSession

__all__ = ["NotebookError", "send_notebook"]

OnError = Literal["skip", "send"]
_ON_ERROR: Final = ("skip", "send")


@public
def send_notebook(
    target: str | MailConnection | smtplib.SMTP | GraphSession | None,
    to: str | Iterable[str],
    path: str | PathLike[str] | None = None,
    *,
    subject: str | None = None,
    code: bool = False,
    attach: Attach | None = "html",
    execute: bool = False,
    parameters: Mapping[str, Any] | None = None,
    on_error: OnError = "skip",
    cc: str | Iterable[str] = (),
    bcc: str | Iterable[str] = (),
    sender: str = "",
    reply_to: str | Iterable[str] = (),
    reply_to_message: Answered | None = None,
    attachments: Any = (),
    headers: Mapping[str, str | Sequence[str]] | None = None,
    priority: str | int | None = None,
    importance: str | None = None,
    sensitivity: str | None = None,
    index: bool | None = None,
    rows: int | None = None,
    table_as: TableFormat = "csv",
    formulas: Formulas = "keep",
    zip: bool | float | str | PathLike[str] | None = False,  # noqa: A002  # the word of compose()
    variables: Mapping[str, Any] | None = None,
    limit: int | None = LIMIT,
    sign: bool = False,
    encrypt: bool = False,
    bounce_to: str | None = None,
    notify: str | Iterable[str] = (),
    ret: str | None = None,
    envid: str | None = None,
    dry_run: bool = False,
) -> SendReport:
    """Send a notebook as it was last saved: its Markdown and its outputs, in order.

    ``path`` is by default the notebook that this runs in, where Jupyter or VS Code says which it is; save it first.
    ``subject`` is by default its first heading, or its name; that of an answer (``reply_to_message``) is by default the
    answered message's. ``code`` sends the source of each cell, too. ``attach`` adds
    the whole as an HTML page, a PDF (with what nbconvert needs for one) or the notebook itself; None for nothing. What
    somebody else may have put into it is data: unless it is run first, or Jupyter trusts it, no script and no frame of it
    is in the page or the PDF, and neither loads anything (formulas stay as they are written); a warning says what was lost.
    No PDF reads a local file.

    ``execute`` runs it first, in a kernel of its own; the file stays as it is. ``parameters`` then go into a cell behind
    the one tagged ``parameters``, as Papermill has it: texts, numbers, truth values, None, and lists and dicts of those.
    When a cell fails, nothing is sent (``on_error="skip"``), or what there is, with the error (``"send"``): subject and
    first line say that it failed, and in which cell, and what looks like a secret in the error is stars. The error is
    raised in either case. Cells tagged ``remove_cell``, ``remove_input`` and ``remove_output`` go as nbconvert
    has it. The rest is as for :func:`~mailconn_jupyter.delivery.send.send`.

    Needs the extra ``notebook``. Raises :class:`NotebookError` before anything is sent, or after a failed notebook was;
    the rest is as for ``send``.
    """
    _known("attach", attach, (None, *FORMATS))
    _known("on_error", on_error, _ON_ERROR)
    if on_error != "skip" and not execute:
        raise NotebookError(
            f"on_error={on_error!r} is only for a notebook that is run first.",
            hint="Add execute=True; a saved notebook is sent with the errors that are in it.",
        )
    if parameters and not execute:
        raise NotebookError("parameters are only for a notebook that is run first.", hint="Add execute=True.")
    file = _file(path, execute=execute)
    notebook, own = read(file)
    failure = run(notebook, file, own=own, parameters=parameters) if execute else None
    if failure is not None and on_error == "skip":
        raise NotebookError(
            f"{file.name} failed{failure.where}, so it was not sent: {failure.words}"
        ) from failure.error
    if not execute and not was_run(notebook):
        raise NotebookError(
            f"{file.name} has no outputs: it was not run, or not saved since.",
            hint="Run and save it, or send it with execute=True.",
        )
    title = title_of(notebook) or file.stem
    if subject is None:
        subject = "" if reply_to_message is not None else title
    own = own or execute
    # Nothing of a stranger's gets past here: in text and page it is data.
    shown, lost = (notebook, []) if own else inert(notebook)
    readable = list(content_of(shown, code=code))
    others = listed(attachments)
    if failure is None and not readable and not others:
        raise NotebookError(
            f"{file.name} shows nothing: no text, and no output other than stderr and widgets.",
            hint="Print or display what is to be read, or send the code too (code=True).",
        )

    if attach == "ipynb" and SCRIPTS_LOST in lost:
        lost.append(f"{file.name} is attached unchanged, with its scripts and frames; none of them was run here.")
    for said in lost:
        warn(said)

    def sent(subject: str, *first: str) -> SendReport:
        whole = notebook if attach == "ipynb" else shown
        made = [export(whole, file, attach, code=code, own=own)] if attach is not None else []
        return send(
            target,
            to,
            subject,
            *first,
            *readable,
            cc=cc,
            bcc=bcc,
            sender=sender,
            reply_to=reply_to,
            reply_to_message=reply_to_message,
            attachments=[*made, *others],
            headers=headers,
            priority=priority,
            importance=importance,
            sensitivity=sensitivity,
            index=index,
            rows=rows,
            table_as=table_as,
            formulas=formulas,
            zip=zip,
            variables=variables,
            limit=limit,
            sign=sign,
            encrypt=encrypt,
            bounce_to=bounce_to,
            notify=notify,
            ret=ret,
            envid=envid,
            dry_run=dry_run,
        )

    if failure is None:
        return sent(subject)
    how = f"failed{failure}"
    try:
        report = sent(f"FAILED: {subject or title}", f"The notebook {file.name} {how}")
    except DeliveryError as trouble:
        # Somebody may have it: its own words say who.
        raise NotebookError(f"{file.name} {how}", hint=str(trouble)) from failure.error
    except Exception as trouble:  # noqa: BLE001  # nothing of the mail may hide how the notebook ended
        raise NotebookError(f"{file.name} {how}", hint=f"The message was not sent. {trouble}") from failure.error
    raise NotebookError(f"{file.name} {how}", hint=report.summary) from failure.error


def _known(option: str, given: Any, known: tuple[Any, ...]) -> None:
    if given not in known:
        words = [word for word in known if word is not None]
        raise NotebookError(f"{option}={given!r} is not one of {', '.join(words)}.{did_you_mean(str(given), words)}")


def _file(path: str | PathLike[str] | None, *, execute: bool) -> Path:
    if path is None:
        current = current_notebook()
        if current is None:
            raise NotebookError(
                "It is not known which notebook this is.", hint='Name it: send_notebook("ops", to, "churn.ipynb")'
            )
        if execute:
            raise NotebookError(
                "A notebook cannot run itself: it would send itself endlessly.",
                hint="Save it and send it as it is, or run it from another one, by its path.",
            )
        return current
    file = expanded(path)
    if not is_file(file):
        raise NotebookError(f"There is no notebook {str(file)!r}.", hint=f"Looked in {one_line(str(Path.cwd()))}")
    return file
