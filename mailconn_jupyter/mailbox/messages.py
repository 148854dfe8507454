"""``messages()``: one way to read a mailbox, whatever the protocol."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..connection import MailConnection
from ..connection.declarations import SENDING
from ..errors import OptionError
from ..keywords import public
from ..message.texts import bytes_of
from ..progress import Tell, finish, teller
from ..scalars import count_of
from ..session.connect import protocol_of
from ..store import connections
from .acting.action import folder_name
from .acting.place import Place
from .found_messages import Messages
from .mailbox_message import MailboxMessage
from .portions import Reading
from .selection import Selection, When, moment

if TYPE_CHECKING:
    from ..session.any_session import ReadingSession

__all__ = ["folder_of", "messages", "taken"]

_READERS = {"IMAP": "by_imap", "POP3": "by_pop3", "MBOX": "by_mbox"}


@public
def messages(
    target: str | MailConnection | ReadingSession | None = None,
    *,
    since: When = None,
    before: When = None,
    sender: str = "",
    to: str = "",
    subject: str = "",
    text: str = "",
    unseen: bool = False,
    flagged: bool = False,
    larger: int | str | None = None,
    has_attachment: bool = False,
    limit: int | None = None,
    folder: str | None = "INBOX",
    body: bool = True,
    mark_seen: bool = False,
    progress: bool | Tell | None = None,
) -> Messages:
    """The messages of a mailbox, newest first, each read when it is asked for.

    ``target`` is the name of a connection (IMAP, POP3 or MBOX), a connection, an open session (which stays open, with the
    folder that it had), or None for the default. The session is opened by the first message and closed after the last one,
    or when the iterator is closed; newest is what arrived last.

    ``since`` and ``before`` are about the date of a message (its Date header, or its arrival where that has none): a date
    (the day that is written there; ``since`` includes it), a datetime (local where it has no zone), those of NumPy and
    pandas, ISO 8601, ``"3 days"`` (ago), ``"today"`` or ``"yesterday"``. ``sender``, ``to`` and ``subject`` are looked for
    anywhere in the header, ``text`` in header and body, without regard to case. ``unseen`` takes what is not marked as read,
    ``flagged`` what has a flag or a star (POP3 keeps no such marks). ``larger`` is a size in bytes, or a text such as
    ``"10 MB"``; ``has_attachment`` takes what has a file beside its text; pictures in the text are none. ``limit`` is how
    many are taken at most, ``folder`` (IMAP) where they are looked for (None: INBOX). An IMAP server does the search
    itself, as it understands it.

    Without ``body`` only headers are fetched. Nothing is marked as read, unless with ``mark_seen`` (IMAP) each message that
    was taken. ``progress`` is called with the number of messages looked at, and the part of all that is done (0 to 1);
    True shows that where it can be shown.

    What it gives is an iterator, and what can be done with all that were asked for, or with those that were taken from it:
    :class:`~mailconn_jupyter.mailbox.found_messages.Messages` (``move``, ``copy``, ``flag``, ``mark_seen``, ``delete``,
    ``save_attachments``), which each message has, too.

    A message that is broken is read as far as it can be, and its ``problems`` say what could not. Raises
    :class:`~mailconn_jupyter.errors.OptionError` at once for what the protocol cannot do,
    :class:`~mailconn_jupyter.errors.OpenError` with the first message, and the session's own errors.
    """
    left = math.inf if limit is None else count_of(limit)
    if left is None:
        raise OptionError("limit must be a whole number of messages, or None for all.")
    reading = Reading(
        selection=Selection(
            since=moment("since", since),
            before=moment("before", before),
            sender=sender,
            to=to,
            subject=subject,
            unseen=unseen,
            text=text,
            flagged=flagged,
            larger=_size(larger),
            has_attachment=has_attachment,
        ),
        left=left,
        folder=folder_of(folder),
        body=body,
        mark_seen=mark_seen,
        tell=teller(progress),
    )
    return taken(target, reading)


def taken(target: str | MailConnection | ReadingSession | None, reading: Reading) -> Messages:
    """The messages of a reading, each read when it is asked for; raises at once for what the protocol cannot do."""
    source: Any = target
    protocol = protocol_of(source)
    if not protocol:
        source = connections.pick(source, sends=False)
        protocol = source.protocol
    _require(protocol, reading)
    place = Place(source, protocol, reading.folder)
    return Messages.asked_for(place, reading, lambda: _read(place, replace(reading)))


def folder_of(given: str | None) -> str:
    """The name of a folder; None is INBOX."""
    return "INBOX" if given is None else folder_name(given)


def _require(protocol: str, reading: Reading) -> None:
    """Raise for what the protocol cannot do."""
    if protocol in SENDING:
        raise OptionError(
            f"{protocol} sends mail; it cannot read any.",
            trait="protocol",
            hint="Make a connection with the protocol IMAP, POP3 or MBOX.",
        )
    if protocol != "IMAP" and reading.folder.upper() != "INBOX":
        raise OptionError(f"{protocol} has no folders.", hint="Leave folder out.")
    if protocol != "IMAP" and reading.mark_seen:
        hint = "" if protocol == "POP3" else "connect(name, readonly=False) opens the file to be changed."
        raise OptionError(f"messages() cannot mark a message as read by {protocol}.", hint=hint)
    marks = {"unseen": reading.selection.unseen, "flagged": reading.selection.flagged}
    for mark, asked in marks.items():
        if protocol == "POP3" and asked:
            kept = "were read" if mark == "unseen" else "have a flag"
            raise OptionError(
                f"POP3 does not know which messages {kept}, so {mark} cannot be asked for.",
                hint=f"Leave {mark} out, or read the mailbox by IMAP.",
            )


def _size(given: int | str | None) -> int | None:
    """The bytes that are meant."""
    number = bytes_of(given) if isinstance(given, str) else count_of(given)
    if number is None and given is not None:
        raise OptionError("larger must be a number of bytes, or a size such as '10 MB'.")
    return number


def _read(place: Place, reading: Reading) -> Generator[MailboxMessage, None, None]:
    if reading.left <= 0:
        return
    reader: Any = import_module(f".{_READERS[place.protocol]}", __package__)
    session, reading.fresh = place.session, place.session is None
    if session is None:
        session = place.reading = place.open(readonly=not reading.mark_seen)
    try:
        with contextlib.closing(reading.first(reader.read(session, reading))) as found:
            for message in found:
                place.came_from(session)
                yield MailboxMessage.of(message, place)
    finally:
        place.read_up()
        if reading.fresh:
            session.quit()
        finish(reading.tell)
