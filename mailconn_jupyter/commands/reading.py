"""``inbox``: the newest messages of a mailbox in a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import MailConnError
from ..formatting import how_large
from ..store import connections
from .view import View, when_text

if TYPE_CHECKING:
    from ..message.incoming.parsed import ParsedMessage

__all__ = ["inbox"]

_LONGEST = 120


def inbox(*, target: str | None = None, limit: int = 20, folder: str = "INBOX", **asked: Any) -> Iterator[View]:
    """The newest that are ``asked`` for: only headers are fetched, and nothing is marked as read.

    What may be asked for is that of :func:`~mailconn_jupyter.mailbox.messages.messages`.
    """
    from ..mailbox.messages import messages  # noqa: PLC0415  # a socket

    connection = connections.pick(target, sends=False)
    try:
        # One more than is shown, to know whether that is all.
        found = list(messages(connection, **asked, limit=limit + 1, folder=folder, body=False, progress=True))
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Reading {connection.name!r} was interrupted.") from interrupt
    shown = found[:limit]
    more = len(found) > limit
    notes = [f"Older ones are not shown; --limit {limit * 5} shows more."] if more else []
    if not found:
        chosen = any(asked.values())
        notes = ["No message is like that." if chosen else "The mailbox is empty."]
    where = f"{connection.name}, {folder}" if connection.protocol == "IMAP" else connection.name
    caption = f"{where}: the newest {len(shown)}" if more else f"{where}: {_count(len(shown))}"
    yield View(map(_row, shown), header=("Date", "From", "Subject", "Size", "Read"), caption=caption, notes=notes)


def _row(message: ParsedMessage) -> tuple[str, str, str, str, str]:
    return (
        _when(message),
        _cut(message.sender),
        _cut(message.subject) or "(no subject)",
        "" if message.size is None else how_large(message.size),
        {True: "yes", False: "no", None: ""}[message.seen],
    )


def _when(message: ParsedMessage) -> str:
    """In the time of this machine, as the other tables."""
    try:
        return when_text(message.date) if message.date is not None else ""
    except (OverflowError, ValueError, OSError):
        return str(message.date)


def _count(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
