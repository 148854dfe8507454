"""``inbox``: the newest messages of a mailbox in a table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...errors import MailConnError
from ...formatting import how_large
from ...store import connections
from ..display import View, show, when_text
from ..usage_error import UsageError

if TYPE_CHECKING:
    from ...message.incoming.parsed import ParsedMessage

__all__ = ["inbox"]

_LONGEST = 120


def inbox(arguments: argparse.Namespace) -> None:
    """Show them; only headers are fetched, and nothing is marked as read."""
    from ...mailbox.messages import messages  # noqa: PLC0415  # a socket

    connection = connections.pick(arguments.target)
    limit = _number(arguments.limit)
    asked = {name: getattr(arguments, name) for name in ("since", "before", "sender", "to", "subject", "unseen")}
    try:
        # One more than is shown, to know whether that is all.
        found = list(messages(connection, **asked, limit=limit + 1, folder=arguments.folder, body=False, progress=True))
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Reading {connection.name!r} was interrupted.") from interrupt
    shown = found[:limit]
    more = len(found) > limit
    notes = [f"Older ones are not shown; --limit {limit * 5} shows more."] if more else []
    if not found:
        chosen = any(asked.values())
        notes = ["No message is like that." if chosen else "The mailbox is empty."]
    where = f"{connection.name}, {arguments.folder}" if connection.protocol == "IMAP" else connection.name
    caption = f"{where}: the newest {len(shown)}" if more else f"{where}: {_count(len(shown))}"
    show(View(map(_row, shown), header=("Date", "From", "Subject", "Size", "Read"), caption=caption, notes=notes))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 7 or int(text) == 0:
        raise UsageError("%mailconn inbox: --limit takes a number of messages, 1 or more.")
    return int(text)


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
