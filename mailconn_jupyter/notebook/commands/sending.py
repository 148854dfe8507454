"""Sending from a cell: ``send``, ``notify``."""

from __future__ import annotations

import argparse
import platform
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from IPython.core.getipython import get_ipython

from ...delivery.report import DeliveryError, SendReport
from ...delivery.send import send as deliver
from ...delivery.send_notebook import current_notebook
from ...errors import MailConnError, MailConnWarning, MessageError
from ...message.render import Preformatted
from ..cell.cell_preview import Preview
from ..cell.recorder import Recorder
from ..cell.run_cell import CellRun, run_cell
from ..display import say, show, when_text
from ..magic.deferred_text import Later
from ..usage_error import UsageError

__all__ = ["notify", "send"]

_NOTHING_SHOWN: Final = "Nothing was sent: the cell showed nothing."


def send(arguments: argparse.Namespace) -> SendReport | Preview | None:
    """Send the results that are named, or run the cell and send what it shows."""
    if arguments.cell is not None:
        _send_cell(arguments)
        return None
    if not arguments.results:
        raise UsageError(
            "%mailconn send: there is nothing to send.",
            hint='Name it: %mailconn send NAME --to ADDRESS --subject TEXT df "A text." Or a cell: %%mailconn send ...',
        )
    if arguments.code or arguments.stderr or arguments.on_error != "skip":
        raise UsageError(
            "%mailconn send: --code, --stderr and --on-error are for a cell.",
            hint="With two percent signs, in its first line: %%mailconn send ...",
        )
    report = _deliver(
        arguments, arguments.subject, arguments.results, **_of_content(arguments), dry_run=arguments.preview
    )
    return Preview(report) if arguments.preview else report


def _of_content(arguments: argparse.Namespace) -> dict[str, Any]:
    options = {
        "attachments": arguments.attach,
        "index": arguments.index,
        "rows": arguments.rows,
        "table_as": arguments.table_as,
        "zip": arguments.zip,
    }
    return options if arguments.limit is None else {**options, "limit": arguments.limit}


def _headers(arguments: argparse.Namespace) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in arguments.header:
        headers.setdefault(name, []).append(value)
    return headers


def _deliver(arguments: argparse.Namespace, subject: str, content: list[Any], **options: Any) -> SendReport:
    """One message to those whom the line names; what was lost on the way into it is told in the cell."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MailConnWarning)
        try:
            return deliver(
                arguments.target,
                arguments.to,
                subject,
                *content,
                cc=arguments.cc,
                bcc=arguments.bcc,
                sender=arguments.sender,
                reply_to=arguments.reply_to,
                priority=arguments.priority,
                importance=arguments.importance,
                sensitivity=arguments.sensitivity,
                headers=_headers(arguments),
                **options,
            )
        finally:
            said = [str(warning.message) for warning in caught if issubclass(warning.category, MailConnWarning)]
            _complain(*dict.fromkeys(said))


def _complain(*lines: str) -> None:
    """A word to the author, not in the way of the cell's results."""
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201  # a magic speaks in its cell


def _check(arguments: argparse.Namespace) -> None:
    """Before a cell that may take hours: the connection, the addresses, the subject."""
    if arguments.results:
        raise UsageError(
            f"%%mailconn {arguments.what} takes no results in its line: it is about the cell.",
            hint="With one percent sign it sends them: %mailconn send NAME --to ... --subject ... df",
        )
    early = arguments.subject if isinstance(arguments.subject, str) else arguments.subject.written
    _deliver(arguments, early or "A cell", [""], dry_run=True)


def _send_cell(arguments: argparse.Namespace) -> None:
    arguments.what = "send"
    _check(arguments)
    shell = get_ipython()
    recorder = Recorder(shell, stderr=arguments.stderr)
    run = run_cell(shell, arguments.cell, recorder)
    if run.error is None:
        try:
            _send_shown(arguments, run, recorder)
        except MessageError as error:
            raise MessageError(f"Nothing was sent. {error.message}", hint=error.hint) from error
        return
    try:
        if arguments.on_error != "skip" and run.interrupted:
            # Who stops a cell has often just seen why it must not be sent.
            _complain("Nothing was sent: the cell was interrupted.")
        elif arguments.on_error != "skip":
            _anyway(lambda: _send_shown(arguments, run, recorder))
    finally:
        run.fail()


def _send_shown(arguments: argparse.Namespace, run: CellRun, recorder: Recorder) -> None:
    content = recorder.content()
    if not content and not arguments.attach and run.error is None and arguments.on_error != "always":
        say(*(["Nothing was sent.", *recorder.left_out] if recorder.left_out else [_NOTHING_SHOWN]))
        return
    _complain(*recorder.left_out)
    if arguments.code:
        content.insert(0, Preformatted(arguments.cell.strip("\n")))
    if arguments.on_error == "always":
        content.insert(0, f"The cell {run.ended}.")
    if run.error is not None:
        content.append(run.error)
    report = _deliver(
        arguments,
        _subject(arguments) if run.error is None else f"FAILED: {_subject_anyway(arguments)}",
        content or [""],
        **_of_content(arguments),
        dry_run=arguments.preview,
    )
    if arguments.preview:
        show(Preview(report))
    else:
        say(report.summary)


def _subject(arguments: argparse.Namespace) -> str:
    """The subject, now that the cell has run."""
    if isinstance(arguments.subject, Later):
        try:
            return arguments.subject.text()
        except UsageError as error:
            raise UsageError(f"Nothing was sent: in the subject, {error.message}", hint=error.hint) from error
    return str(arguments.subject)


def _subject_anyway(arguments: argparse.Namespace) -> str:
    """The subject; as it is written where it tells of something that the cell has not made."""
    try:
        return _subject(arguments)
    except UsageError:
        return str(arguments.subject.written)


def _anyway(deed: Callable[[], object]) -> None:
    """Do it, and only tell of it when it fails: something else is what the cell is about."""
    try:
        deed()
    except DeliveryError as failure:
        _complain(str(failure))  # somebody may have it, and it says who
    except MailConnError as failure:
        _complain("The mail was not sent.", str(failure))
    except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001  # nothing of the mail may hide the cell's own end
        _complain(f"The mail was not sent: {type(failure).__name__}: {failure}")


def notify(arguments: argparse.Namespace) -> None:
    """Run the cell, and mail how it ended, after how long, and with which error."""
    arguments.results, arguments.what = [], "notify"
    _check(arguments)
    started = datetime.now().astimezone()
    run = run_cell(get_ipython(), arguments.cell)
    try:
        if run.seconds >= arguments.if_longer:
            # The cell's work is done: it does not fail for a mail.
            _anyway(lambda: _send_notice(arguments, run, started))
    finally:
        if run.error is not None:
            run.fail()


def _send_notice(arguments: argparse.Namespace, run: CellRun, started: datetime) -> None:
    notebook = current_notebook()
    name = notebook.name if notebook is not None else ""
    where = f" in {name}" if name else ""
    text = f"The cell{where} {run.ended}.\n\nIt began at {when_text(started)} on {platform.node() or 'this machine'}."
    content: list[Any] = [text]
    if arguments.code:
        content.append(Preformatted(arguments.cell.strip("\n")))
    if run.error is not None and not run.interrupted:
        content.append(run.error)
    about = _subject_anyway(arguments) or Path(name).stem or "A cell"
    report = _deliver(arguments, f"{about}: {run.ended}", content)
    say(report.summary)
