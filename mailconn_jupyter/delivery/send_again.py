"""``send_again()``: a message that was sent goes once more, to those alone who have not got it."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from typing import TYPE_CHECKING, Any, Final

from ..connection import MailConnection
from ..errors import MessageError, warn
from ..formatting import few
from ..keywords import public
from ..mailbox.portions import MOST_MESSAGE
from ..message.answered import Answered, parent_of
from ..message.incoming.header import end_of_header
from ..message.incoming.parsed import ParsedMessage
from .report import DeliveryError, SendReport
from .returns import Returns
from .send import Way, delivered, unsent
from .sent_log.named import named

if TYPE_CHECKING:
    from ..session.graph.session import GraphSession
    from .sent_log.log_entry import LogEntry

__all__ = ["send_again"]

# As it was: no field is folded anew, and none is read.
_AS_IT_WAS: Final = default.clone(refold_source="none")


@public
def send_again(
    sent: Answered,
    target: str | MailConnection | smtplib.SMTP | GraphSession | None = None,
    *,
    message: Message[Any, Any] | ParsedMessage | None = None,
    unknown: bool = False,
    bounce_to: str | None = None,
    dry_run: bool = False,
) -> SendReport:
    """Send a message again to the recipients that the log of sent mail has as refused or not sent; returns the outcomes.

    ``sent`` is a row of :func:`~mailconn_jupyter.delivery.sent_log.sent.sent`, the ID of a message in ``%mailconn sent``, its
    Message-ID, a report, or the message itself. ``target`` is by default the connection through which it went.

    Nobody for whom it was accepted gets it, and whoever may have it already (unknown) only with ``unknown``. The
    message is the one that was sent, with its header and its Message-ID; only the envelope names fewer recipients. Its
    sender is that of the header, or ``bounce_to``.

    The log keeps no content. It is in ``message``, or in the report or the message that ``sent`` is, or else in the Sent
    folder of the mailbox that the connection's ``save_sent_to`` names, where it is looked for by its Message-ID.

    ``dry_run`` finds all that, and sends nothing. The log has both tries: the outcome is the last one.

    Raises :class:`~mailconn_jupyter.errors.MessageError` where the log has no such message, where nobody is left to get
    it, and where its content is nowhere; the rest is as for :func:`~mailconn_jupyter.delivery.send.send`.
    """
    entry = _noted(sent)
    left = _left(entry, unknown=unknown)
    content = message if message is not None else _content(sent)
    way = Way.of(target if target is not None else _connection(entry))
    again = _copied(entry, way.connection) if content is None else _as_message(content)
    _require_same(again, entry)
    if dry_run:
        return unsent(again, left)
    returns = Returns.of(bounce_to)
    # Of what was accepted for somebody, a copy was kept then.
    had = any(fate.outcome == "accepted" for fate in entry.fates.values())
    with way.opened() as session:
        report = delivered(session, again, returns, left, copied=had)
    if not report.ok:
        raise DeliveryError(report, others=had)
    return report


def _noted(sent: Answered) -> LogEntry:
    text = sent.strip() if isinstance(sent, str) else parent_of(sent).message_id
    entry = named(text)
    if entry is None:
        what = text or "A message without a Message-ID"
        raise MessageError(f"{what} is not in the log of sent mail.", hint="%mailconn sent lists what is.")
    return entry


def _left(entry: LogEntry, *, unknown: bool) -> list[str]:
    """Who is to get it, and a word on who may have it."""
    doubtful = [name for name, fate in entry.fates.items() if fate.outcome == "unknown"]
    left = [name for name, fate in entry.fates.items() if fate.outcome in {"refused", "not sent"}]
    if unknown:
        return left + doubtful
    said = (
        f"{entry.subject!r} may have reached {few(doubtful)} (unknown), and is sent there again only with unknown=True"
    )
    if not left:
        if doubtful:
            raise MessageError(f"{said} (--unknown).")
        raise MessageError(f"{entry.subject!r} was accepted for everybody: nobody is left to send it to.")
    if doubtful:
        warn(f"{said} (--unknown).")
    return left


def _connection(entry: LogEntry) -> str:
    if not entry.connection:
        raise MessageError(
            f"{entry.subject!r} was sent through a session that belongs to no connection.",
            hint="Name what is to send it now: mailconn.send_again(..., target)",
        )
    return entry.connection


def _content(sent: Any) -> Message[Any, Any] | ParsedMessage | None:
    if isinstance(sent, SendReport):
        return sent.message
    return sent if isinstance(sent, Message | ParsedMessage) else None


def _copied(entry: LogEntry, connection: MailConnection | None) -> EmailMessage:
    """The copy in the mailbox that gets what the connection sends."""
    box = "" if connection is None else str(connection.resolved().save_sent_to)
    where = "the connection keeps no copies (save_sent_to)"
    if connection is not None and box:
        from .filing.found_copy import found_copy  # noqa: PLC0415  # a mailbox, for who has one

        found = found_copy(box, entry.message_id)
        if found is not None:
            return _as_message(found)
        where = f"no copy of it is in the Sent folder of {box}"
    raise MessageError(
        f"The content of {entry.subject!r} is not known: the log has none, and {where}.",
        hint=f'Give the message itself: mailconn.send_again("{entry.message_id}", message=message)',
    )


def _as_message(content: Message[Any, Any] | ParsedMessage) -> EmailMessage:
    if isinstance(content, EmailMessage):
        return content
    if isinstance(content, Message):
        raw = content.as_bytes()
    elif len(content.raw) >= MOST_MESSAGE:
        raise MessageError("The message is too large to be read whole, so it cannot be sent again.")
    elif content.complete:
        raw = content.raw
    else:
        raise MessageError(
            "Only the header of the message was read.",
            hint="Read it with its body: messages(name), without body=False.",
        )
    international = not raw[: end_of_header(raw)].isascii()
    parsed: EmailMessage = BytesParser(policy=_AS_IT_WAS.clone(utf8=international)).parsebytes(raw)
    return parsed


def _require_same(message: EmailMessage, entry: LogEntry) -> None:
    own = str(message["Message-ID"] or "").strip()
    if own != entry.message_id:
        raise MessageError(
            f"The message given is {own or 'one without a Message-ID'}, not {entry.message_id}.",
            hint="A new message is sent by mailconn.send(...).",
        )
