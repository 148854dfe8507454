"""One message to the server, and what :mod:`smtplib` returns or raises of it."""

from __future__ import annotations

import contextlib

from ...errors import MessageError, warn
from ...message.mime.wire_format import Wire, normalised
from ...transport.transport_errors import readable
from .connection import CLOSING, SMTPConnection
from .envelope import Envelope
from .errors import DataRefused, DeliveryUnknown, LinkLost, RecipientsRefused, SenderRefused
from .flight import Flight
from .reply import Reply
from .transaction import TAKEN_ALL_THE_SAME, Refusals, Transaction

__all__ = ["content_of", "transact", "warn_of"]


def transact(link: SMTPConnection, envelope: Envelope, data: Wire) -> Refusals:
    """Send the message; returns the recipients that were refused where others were not, each with code and text.

    Raises :class:`~mailconn_jupyter.errors.MessageError` before anything is sent, and otherwise what leaves no recipient
    in doubt but :class:`~mailconn_jupyter.session.smtp.errors.DeliveryUnknown`.
    """
    one = Transaction(link, envelope, data)
    channel, lost = link.channel, None
    flight = Flight(link, iter([one]))
    try:
        flight.settle()
    except LinkLost as error:
        lost = error
    except Exception:
        raise
    except BaseException:
        # Interrupted within a message: what the server says next would be taken for the answer to something else.
        link.close()
        raise
    try:
        return _judged(one, lost, channel.handed)
    except (SenderRefused, RecipientsRefused, DataRefused):
        if flight.grouped and link.sock is not None:
            # For whoever goes on by hand; the next group begins so anyway.
            with contextlib.suppress(LinkLost):
                link.command("rset")
        raise


def _judged(one: Transaction, lost: LinkLost | None, handed: int) -> Refusals:
    refused, final, sender = one.refused, one.final, str(one.envelope.sender)
    accepted = tuple(name for name in one.names if name not in refused)
    in_doubt = final is None and one.may_be_there(handed)
    no_sender = one.sender_refused and not (one.wanted and (final is not None or in_doubt))
    # Who refuses the sender and takes the message says both.
    taken = one.wanted and final is not None and not (final.temporary or final.permanent)
    if no_sender or (lost is None and not taken and one.sender is not None and not one.sender.positive):
        assert one.sender is not None
        raise SenderRefused(f"The server refused the sender {sender}", one.sender, sender=sender) from lost
    if one.unwanted:
        raise RecipientsRefused(refused) from lost
    if lost is not None and in_doubt:
        raise DeliveryUnknown(accepted, lost.message, refused=refused) from lost
    if final is None and one.go_ahead is not None and _refuses(one.go_ahead):
        raise DataRefused("The server accepts no message at the moment", one.go_ahead) from lost
    if lost is not None and (final is None or final is one.closing):
        lost.before_message = one.sender is None or lost.before_message
        raise lost
    assert final is not None
    if final.temporary or final.permanent:
        raise DataRefused("The server refused the message", final)
    if not final.positive:
        raise DeliveryUnknown(accepted, f"The server replied {final}.", refused=refused)
    if one.sender_refused:
        raise DeliveryUnknown(accepted, TAKEN_ALL_THE_SAME, refused=refused)
    return refused


def _refuses(reply: Reply) -> bool:
    """Whether a reply to DATA is no go-ahead."""
    return reply.code != CLOSING and not 300 <= reply.code < 400


def content_of(message: Wire | bytes | bytearray | memoryview | str) -> Wire:
    """A message that is serialised already, with CR LF line ends."""
    if isinstance(message, Wire):
        return message
    if isinstance(message, str):
        if not message.isascii():
            raise MessageError(
                "A message given as text must be ASCII.", hint="Encode it as its header says, or use an EmailMessage."
            )
        message = message.encode()
    return Wire(normalised(bytes(message), ended=False))


def warn_of(envelope: Envelope, refused: Refusals) -> None:
    """Say whom a message did not reach that reached others: smtplib's return value for that is easily lost."""
    if refused:
        said = "; ".join(f"{address}: {code} {readable(text)}" for address, (code, text) in refused.items())
        everybody = len(envelope.recipients)
        warn(f"The message was delivered to {everybody - len(refused)} of {everybody} recipients. Refused: {said}")
