"""The notifications in a mailbox: found by their headers, which a server searches, and of each only the beginning read."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

from ..connection import MailConnection
from ..errors import warn
from ..extras import install
from ..message.incoming.parsed import ParsedMessage
from ..message.incoming.returned.notice import Notice
from ..message.incoming.returned.notices import notices_in
from ..message.incoming.returned.signs import SERVERS, may_be_returned
from ..progress import Tell, teller
from .found_messages import Messages
from .messages import folder_of, taken
from .portions import Reading
from .selection import Selection, When, moment
from .sought import Sought, any_of, header_has

if TYPE_CHECKING:
    from ..session.any_session import ReadingSession

__all__ = ["BEGINNING", "NOTIFICATIONS", "returned_mail", "selected"]

#: Bytes of a notification that are read: what it says, and the header of what came back, stand before the attachments.
BEGINNING: Final = 2**18
#: The words of a search for notifications, each of which one of the large systems is found by.
NOTIFICATIONS: Final = any_of(
    [
        header_has("Content-Type", "multipart/report"),
        header_has("Content-Type", "delivery-status"),
        header_has("X-Failed-Recipients", ""),
        header_has("Return-Path", "<>"),
        *(("FROM", name.encode()) for name in SERVERS),
    ]
)
_SOUGHT: Final = Sought(NOTIFICATIONS, takes=may_be_returned, whole=may_be_returned, most=BEGINNING)


def selected(sought: Sought, *, since: When, before: When, folder: str | None, progress: bool | Tell | None) -> Reading:
    """What is to be read of a mailbox; raises for a date or a folder that is none."""
    return Reading(
        selection=Selection(since=moment("since", since), before=moment("before", before), sought=sought),
        left=math.inf,
        folder=folder_of(folder),
        body=True,
        mark_seen=False,
        tell=teller(progress),
    )


def returned_mail(
    target: str | MailConnection | ReadingSession | None,
    *,
    since: When,
    before: When,
    folder: str | None,
    progress: bool | Tell | None,
) -> Generator[tuple[ParsedMessage, tuple[Notice, ...]], None, None]:
    """Each message that says something of a delivery, and what it says; the newest first."""
    reading = selected(_SOUGHT, since=since, before=before, folder=folder, progress=progress)
    return _with_notices(taken(target, reading))


def _with_notices(found: Messages) -> Generator[tuple[ParsedMessage, tuple[Notice, ...]], None, None]:
    unread = 0
    with found:
        for message in found:
            notices, more = notices_in(message)
            unread += more
            if notices:
                yield message, notices
    tell_unread(unread)


def tell_unread(count: int) -> None:
    """Say that more could be read with the extra."""
    if count:
        what = "1 message may be a bounce" if count == 1 else f"{count} messages may be bounces"
        warn(f"{what} in an older format. Run: %{install('bounces')}")
