"""``inbox``, ``bounces``: the newest messages of a mailbox, and what came back, in tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MailConnError
from ..formatting import counted, cut, how_large
from ..store import connections
from .view import View, when_text

if TYPE_CHECKING:
    from ..connection import MailConnection
    from ..mailbox.mailbox_message import MailboxMessage
    from ..message.incoming.parsed import ParsedMessage

__all__ = ["Inbox", "bounces", "inbox", "read_inbox"]


@dataclass(frozen=True)
class Inbox:
    """The newest ``messages`` of a mailbox that were ``asked`` for, their headers alone; ``more`` says that there are others."""

    connection: MailConnection
    folder: str
    limit: int
    asked: Mapping[str, Any]
    messages: Sequence[MailboxMessage]
    more: bool

    @property
    def caption(self) -> str:
        """Where they are, and how many."""
        count = len(self.messages)
        where = f"{self.connection.name}, {self.folder}" if self.connection.protocol == "IMAP" else self.connection.name
        if not count:
            return f"{where}: {'no message matches' if any(self.asked.values()) else 'the mailbox is empty'}."
        return f"{where}: the newest {count}" if self.more else f"{where}: {counted(count, 'message')}"

    @property
    def notes(self) -> list[str]:
        """What else is to be said."""
        return [f"Older ones are not shown; --limit {self.limit * 5} shows more."] if self.more else []

    @property
    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """What is shown of each."""
        return [_row(message) for message in self.messages]

    @property
    def view(self) -> View:
        """The table."""
        header = ("Date", "From", "Subject", "Size", "Read")
        return View(self.rows, header=header, caption=self.caption, notes=self.notes)

    def shown(self) -> Iterator[View]:
        """What a command says of it."""
        yield self.view

    @staticmethod
    def key(message: MailboxMessage) -> str:
        """What tells it from all others of the mailbox, also when that was written anew meanwhile."""
        from ..mailbox.acting.fingerprint import fingerprint  # noqa: PLC0415  # as below

        return f"{message.uid} {fingerprint(message).hex()[:32]}"

    def whole(self, keys: Collection[str]) -> Iterator[MailboxMessage]:
        """Those of them that have these keys, read with their bodies."""
        from ..mailbox.messages import messages  # noqa: PLC0415  # a socket

        left = set(keys)
        with messages(self.connection, **self.asked, limit=self.limit, folder=self.folder) as found:
            for message in found:
                if (key := self.key(message)) in left:
                    left.discard(key)
                    yield message
                if not left:
                    return


def read_inbox(
    *, target: str | None = None, limit: int = 20, folder: str = "INBOX", progress: bool = True, **asked: Any
) -> Inbox:
    """The newest that are ``asked`` for: only headers are fetched, and nothing is marked as read.

    What may be asked for is that of :func:`~mailconn_jupyter.mailbox.messages.messages`.
    """
    from ..mailbox.messages import messages  # noqa: PLC0415  # a socket

    connection = connections.pick(target, sends=False)
    try:
        # One more than is shown, to know whether that is all.
        found = list(messages(connection, **asked, limit=limit + 1, folder=folder, body=False, progress=progress))
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Reading {connection.name!r} was interrupted.") from interrupt
    return Inbox(connection, folder, limit, asked, found[:limit], more=len(found) > limit)


def inbox(**asked: Any) -> Iterator[View]:
    """Show it as a table."""
    yield from read_inbox(**asked).shown()


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
            rows += [(each.recipient, each.action, each.status, cut(each.words), when) for each in notices]
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Reading {connection.name!r} was interrupted.") from interrupt
    finally:
        found.close()
    if not rows:
        yield View(notes=[f"{connection.name}: nothing came back."])
        return
    yield View(
        rows,
        header=("Recipient", "Action", "Status", "The server's words", "When"),
        caption=f"{connection.name}: what mail servers report about sent messages",
        notes=[f"Older ones are not shown; --limit {limit * 5} shows more."] if count > limit else [],
    )


def _row(message: ParsedMessage) -> tuple[str, str, str, str, str]:
    return (
        _when(message),
        cut(message.sender),
        cut(message.subject) or "(no subject)",
        "" if message.size is None else how_large(message.size),
        {True: "yes", False: "no", None: ""}[message.seen],
    )


def _when(message: ParsedMessage) -> str:
    """In the time of this machine, as the other tables."""
    try:
        return when_text(message.date) if message.date is not None else ""
    except (OverflowError, ValueError, OSError):
        return str(message.date)
