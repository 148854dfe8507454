"""What the form says of a mail: whom it is from, what became of it, and where it was when its kernel ended."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from ...connection import MailConnection
from ...delivery.report import SendReport
from ...delivery.send import sender_of
from ...errors import MailConnError
from ...formatting import counted
from .unsent import Kept

__all__ = ["from_of", "restored", "rows_of"]

_MOST: Final = 200


def from_of(connection: MailConnection) -> str:
    try:
        return sender_of(connection)
    except MailConnError:
        return ""


def restored(kept: Kept) -> str:
    when = ""
    # At either end of the calendar the time here may be none.
    with suppress(OverflowError, ValueError, OSError):
        if kept.written is not None:
            then = kept.written.astimezone()
            when = f" of {then.day} {then:%B, %H:%M}"
    said = f"This is the unsent mail{when}; Discard begins a new one."
    if kept.sending:
        return f"{said} The kernel ended while it was being sent: see %mailconn sent before you send it again."
    return said


def rows_of(report: SendReport) -> list[tuple[str, str, str]]:
    """What became of it for each, first of those who do not have it."""
    order = sorted(report.outcomes, key=lambda each: each.outcome == "accepted")
    rows: list[tuple[str, str, str]] = [
        (each.recipient, each.outcome, f"{each.code or ''} {each.words}".strip()) for each in order[:_MOST]
    ]
    more = len(order) - len(rows)
    return [*rows, (f"and {counted(more, 'recipient')} more", "", "")] if more > 0 else rows
