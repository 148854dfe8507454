"""``send_many()``: thousands of messages over a few connections, and what became of each for each recipient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from email.message import EmailMessage, Message
from functools import partial
from os import PathLike
from typing import Any

from ...connection import MailConnection
from ...discovery.sending_limits import SendingLimits
from ...errors import MessageError
from ...keywords import public
from ...session.smtp.session import SMTPSession
from ..journals.journal import journal_path, using
from ..merge import Merge
from ..returns import Returns
from ..sealed import Seal
from ..send import signature_of
from .advance import Progress
from .asked import (
    MOST_CONNECTIONS,
    MOST_WINDOW,
    count_within,
    limits_for,
    rate_for,
    target_of,
    words_of_again,
)
from .mailing import Mailing
from .many_report import DeliveryReport
from .numbered import Numbered

__all__ = ["send_many"]


@public
def send_many(
    target: str | MailConnection | SMTPSession | None,
    messages: Iterable[EmailMessage | tuple[object, EmailMessage]],
    *,
    connections: int = 3,
    window: int = 1,
    rate: str | None = None,
    journal: str | PathLike[str] | None = None,
    again: str | Iterable[str] = (),
    sign: bool = False,
    encrypt: bool = False,
    bounce_to: str | None = None,
    notify: str | Iterable[str] = (),
    ret: str | None = None,
    envid: str | None = None,
    on_progress: bool | Callable[[Progress], Any] | None = None,
    stop_after: int | None = None,
) -> DeliveryReport:
    """Send many messages, and return what became of each of them for each recipient.

    ``target`` is the name of a connection, a connection, an open session (which stays open, and is the only one), or None
    for the default. ``messages`` are those of :func:`~mailconn_jupyter.message.compose.compose`, in a list or from a
    generator: they are taken one by one, and memory stays flat. They are sent over up to so many ``connections`` at a time
    (at most 100); ``window`` is how many may be on their way over one of them (more than 1 where the server offers CHUNKING,
    at most 1000): when a link breaks, of so many it is unknown whether they arrived.

    ``rate`` is the most messages in a time (``"30/min"``, ``"1000/hour"``), evenly spread. A provider's own limits are
    kept where they are known (Microsoft 365: 3 connections, 30 messages a minute). What the server refuses for the moment
    (a 4xx) is tried again after 10 seconds, 1 minute and 5 minutes while the others go on, and what was not sent when a
    link broke, at once; nobody who was accepted, refused for good (a 5xx), or perhaps has it, is sent it again.

    ``journal`` is a name (a file in the Jupyter data directory) or a path: what became of each message is written
    there, so that the same call after a crash goes on where it ended. Then ``messages`` are pairs of a key and a
    message, or those of ``merge(..., key=...)``; a message is known by its key, from which its Message-ID is made.
    Whoever was accepted is skipped, whoever was refused for good is reported, and so is whoever may have it (unknown),
    unless ``again="unknown"`` (or ``"refused"``).

    ``sign``, ``encrypt``, ``bounce_to``, ``notify``, ``ret`` and ``envid`` are as for
    :func:`~mailconn_jupyter.delivery.send.send`; what a merge says of its messages comes first.

    ``on_progress`` is called once a second with a :class:`~mailconn_jupyter.delivery.many.advance.Progress`; None shows
    it here, False nothing. ``stop_after`` ends the batch after so many messages that were not accepted for everybody;
    an interrupt ends it, too: what is on its way is waited for, and at a second interrupt is cut off.

    The report is returned whatever the outcomes. Raises what :func:`~mailconn_jupyter.session.connect.connect` raises where
    no session can be opened at all, :class:`~mailconn_jupyter.delivery.journals.journal_base.JournalError`, and whatever
    ``messages`` raise; each has the ``report`` of what was sent before that.
    """
    if isinstance(messages, str | bytes | Mapping | Message) or not hasattr(type(messages), "__iter__"):
        raise MessageError(
            f"send_many() sends several messages, not {type(messages).__name__}.",
            hint="Pass a list or a generator; for a single message: [message].",
        )
    if hasattr(messages, "columns"):
        raise MessageError(
            "send_many() sends messages, and this is a table.",
            hint="mailconn.merge(...) makes a message from each row of it.",
        )
    returns = Returns.of(bounce_to, notify, ret, envid)
    connection, session = target_of(target)
    if isinstance(messages, Merge):
        messages = messages.signed(signature_of(connection))
    limits = SendingLimits("") if connection is None else limits_for(connection)
    taken = words_of_again(again, journal=journal is not None)
    mailing = Mailing(
        connection=connection,
        session=session,
        # Of a name alone is it known that it is the stored one.
        keep=not isinstance(target, MailConnection),
        connections=count_within("connections", connections, MOST_CONNECTIONS),
        window=count_within("window", window, MOST_WINDOW),
        limits=limits,
        rate=rate_for(rate, limits),
        # The file itself: another folder may be current when the rest is sent.
        journal=None if journal is None else partial(using, journal_path(journal), again=taken),
        on_progress=on_progress,
        stop_after=None if stop_after is None else count_within("stop_after", stop_after),
        seal=Seal(connection, sign=sign, encrypt=encrypt),
        returns=returns,
    )
    return mailing.send((), Numbered(messages))
