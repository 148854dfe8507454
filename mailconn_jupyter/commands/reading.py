"""``inbox``, ``bounces``: the newest messages of a mailbox, and what came back, in tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import MailConnError
from ..formatting import counted, how_large
from ..store import connections
from .view import View, when_text

if TYPE_CHECKING:
    from ..message.incoming.parsed import ParsedMessage

__all__ = ["bounces", "inbox"]

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
        notes = ["No message matches." if chosen else "The mailbox is empty."]
    where = f"{connection.name}, {folder}" if connection.protocol == "IMAP" else connection.name
    caption = f"{where}: the newest {len(shown)}" if more else f"{where}: {counted(len(shown), 'message')}"
    yield View(map(_row, shown), header=("Date", "From", "Subject", "Size", "Read"), caption=caption, notes=notes)


def bounces(
    *, target: str | None = None, since: str | None = None, limit: int = 20, folder: str = "INBOX"
) -> Iterator[View]:
    """What the newest notifications say, a row for each recipient."""
    from ..mailbox.returned_mail import returned_mail  # noqa: PLC0415  # a socket

    connection = connections.pick(target, sends=False)
    rows: list[tuple[str, str, str, str, str]] = []
    count = 0
    found = returned_mail(connection, since=since, before=None, folder=folder, progress=True)
    try:
        for message, notices in found:
            count += 1
            if count > limit:
                break
            when = _when(message)
            rows += [(each.recipient, each.action, each.status, _cut(each.words), when) for each in notices]
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Reading {connection.name!r} was interrupted.") from interrupt
    finally:
        found.close()
    notes = [f"Older ones are not shown; --limit {limit * 5} shows more."] if count > limit else []
    if not rows:
        notes = ["Nothing came back."]
    yield View(
        rows,
        header=("Recipient", "Action", "Status", "The server's words", "When"),
        caption=f"{connection.name}: what servers say of mail that was sent",
        notes=notes,
    )


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


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
