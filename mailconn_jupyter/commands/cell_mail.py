"""``send`` and ``notify`` in the first line of a cell: the cell is run, and a mail says what it showed or how it ended."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ..delivery.preview import preview
from ..delivery.report import DeliveryError
from ..documents.this_notebook import current_notebook
from ..errors import MailConnError, MessageError
from ..message.render import Preformatted
from .sending import Mail, mail_of
from .view import Aside, when_text
from .wrong_usage import WrongUsage

__all__ = ["Cell", "Ended", "notify", "send_shown"]


class Ended(Protocol):
    """A cell that has run: how it ended, and what it showed, where that was recorded."""

    seconds: float
    error: BaseException | None

    @property
    def interrupted(self) -> bool: ...

    @property
    def ended(self) -> str:
        """How it ended, in words: ``finished after 3.2 s``."""

    @property
    def left_out(self) -> Sequence[str]:
        """What it showed that cannot be sent, in sentences."""

    def content(self) -> list[Any]:
        """What it showed; :class:`~mailconn_jupyter.errors.MessageError` when it was too much."""

    def fail(self) -> NoReturn:
        """Raise the cell's own error, which shows as it did then."""


class Cell(Protocol):
    """The cell below the line: its text, and how it is run, by whoever has it."""

    source: str

    def run(self, *, record: bool, stderr: bool = False) -> Ended: ...


def send_shown(
    *,
    cell: Cell,
    results: Sequence[Any] = (),
    code: bool = False,
    stderr: bool = False,
    on_error: str = "skip",
    **mail: Any,
) -> Iterator[object]:
    """Run the cell and send what it shows; ``mail`` is a :class:`~.sending.Mail`'s. A cell that fails does so here, too."""
    asked = mail_of(mail)
    yield from _check(asked, results, "send")
    run = cell.run(record=True, stderr=stderr)
    source = cell.source if code else ""
    if run.error is None:
        try:
            yield from _send_shown(asked, run, source, say_how=on_error == "always")
        except MessageError as error:
            raise MessageError(f"Nothing was sent. {error.message}", hint=error.hint) from error
        return
    try:
        if on_error != "skip" and run.interrupted:
            # Who stops a cell has often just seen why it must not be sent.
            yield Aside("Nothing was sent: the cell was interrupted.")
        elif on_error != "skip":
            yield from _anyway(_send_shown(asked, run, source, say_how=on_error == "always"))
    finally:
        run.fail()


def _check(mail: Mail, results: Sequence[Any], command: str) -> Iterator[object]:
    """Before a cell that may take hours: the connection, the addresses, the subject."""
    if results:
        raise WrongUsage(
            f"%%mailconn {command} takes no results on its line: it is about the cell.",
            hint="With one percent sign it sends them: %mailconn send NAME --to ... --subject ... df",
        )
    # What the cell makes cannot be looked at.
    yield from mail.sent(_as_written(mail) or "A cell", [""], dry_run=True, files=False)


def _send_shown(mail: Mail, run: Ended, source: str, *, say_how: bool) -> Iterator[object]:
    content = run.content()
    if not content and not mail.attach and run.error is None and not say_how:
        yield from (
            ["Nothing was sent.", *run.left_out] if run.left_out else ["Nothing was sent: the cell showed nothing."]
        )
        return
    yield from map(Aside, run.left_out)
    if source:
        content.insert(0, Preformatted(source.strip("\n")))
    if say_how:
        content.insert(0, f"The cell {run.ended}.")
    if run.error is not None:
        content.append(run.error)
    subject = _subject(mail) if run.error is None else f"FAILED: {_subject_anyway(mail)}"
    report = yield from mail.sent(subject, content or [""], dry_run=mail.stays)
    yield preview(report.message) if mail.preview else report.summary


def _as_written(mail: Mail) -> str:
    return mail.subject if isinstance(mail.subject, str) else mail.subject.written


def _subject(mail: Mail) -> str:
    """The subject, now that the cell has run."""
    if isinstance(mail.subject, str):
        return mail.subject
    try:
        return mail.subject.text()
    except WrongUsage as error:
        raise WrongUsage(f"Nothing was sent: in the subject, {error.message}", hint=error.hint) from error


def _subject_anyway(mail: Mail) -> str:
    """The subject; as it is written where it tells of something that the cell has not made."""
    try:
        return _subject(mail)
    except WrongUsage:
        return _as_written(mail)


def _anyway(deed: Iterator[object]) -> Iterator[object]:
    """Do it, and only tell of it when it fails: something else is what the cell is about."""
    try:
        yield from deed
    except DeliveryError as failure:
        yield Aside(failure)  # somebody may have it, and it says who
    except MailConnError as failure:
        yield Aside("The message was not sent.")
        yield Aside(failure)
    except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001  # nothing of the mail may hide the cell's own end
        yield Aside(f"The message was not sent: {type(failure).__name__}: {failure}")


def notify(*, cell: Cell, if_longer: float = 0.0, code: bool = False, **mail: Any) -> Iterator[object]:
    """Run the cell, and mail how it ended, after how long (not below ``if_longer`` seconds), and with which error."""
    asked = Mail(**mail)
    yield from _check(asked, (), "notify")
    started = datetime.now().astimezone()
    run = cell.run(record=False)
    try:
        if run.seconds >= if_longer:
            # The cell's work is done: it does not fail for a mail.
            yield from _anyway(_send_notice(asked, run, started, cell.source if code else ""))
    finally:
        if run.error is not None:
            run.fail()


def _send_notice(mail: Mail, run: Ended, started: datetime, source: str) -> Iterator[object]:
    notebook = current_notebook()
    name = notebook.name if notebook is not None else ""
    where = f" in {name}" if name else ""
    text = f"The cell{where} {run.ended}.\n\nIt began at {when_text(started)} on {platform.node() or 'this machine'}."
    content: list[Any] = [text]
    if source:
        content.append(Preformatted(source.strip("\n")))
    if run.error is not None and not run.interrupted:
        content.append(run.error)
    about = _subject_anyway(mail) or Path(name).stem or "A cell"
    report = yield from mail.sent(f"{about}: {run.ended}", content)
    yield report.summary
