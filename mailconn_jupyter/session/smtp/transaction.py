"""One message over an SMTP connection: MAIL, RCPT, DATA, and what became of each recipient (RFC 5321, 3.3)."""

from __future__ import annotations

import contextlib

from ...errors import MessageError, warn
from ...message.mime.wire_format import Wire, normalised
from ...transport.transport_errors import readable
from .connection import CLOSING, SMTPConnection
from .envelope import Envelope, address_line
from .errors import (
    ClosedAtData,
    ClosedAtRecipient,
    ClosedAtSender,
    DataRefused,
    DeliveryUnknown,
    ExtensionMissing,
    LinkLost,
    MessageTooLarge,
    NoRecipients,
    RecipientsRefused,
    SenderRefused,
    no_smtputf8,
)
from .reply import Reply

__all__ = ["Refusals", "content_of", "send_data", "transact", "warn_of"]

#: Recipient to code and text, as :mod:`smtplib` returns it.
Refusals = dict[str, tuple[int, bytes]]


def transact(link: SMTPConnection, envelope: Envelope, data: Wire) -> Refusals:
    """Send the message; returns the recipients that were refused where others were not, each with code and text.

    Raises :class:`~mailconn_jupyter.errors.MessageError` before anything is sent, and otherwise what leaves no recipient
    in doubt but :class:`~mailconn_jupyter.session.smtp.errors.DeliveryUnknown`.
    """
    if not envelope.recipients:
        raise NoRecipients
    options = _options_for(link, envelope, data)
    try:
        _name_sender(link, envelope, options)
        refused = _name_recipients(link, envelope)
        return _send_content(link, envelope, data, refused)
    except Exception:
        raise
    except BaseException:
        # Interrupted within a message: what the server says next would be taken for the answer to something else.
        link.close()
        raise


def _options_for(link: SMTPConnection, envelope: Envelope, data: Wire) -> tuple[str, ...]:
    asked = envelope.asks_for("SMTPUTF8")
    if "size" in link.features and not envelope.asks_for("SIZE"):
        if 0 < link.size_limit < len(data):
            raise MessageTooLarge(len(data), link.size_limit, sender=str(envelope.sender))
        envelope = envelope.asking_for(f"size={len(data)}")
    if asked or envelope.international or data.international:
        if "smtputf8" not in link.features:
            raise no_smtputf8(envelope.addresses, asked=asked)
        envelope = envelope.asking_for("SMTPUTF8")
    if not data.isascii() and not envelope.asks_for("BODY"):
        if "8bitmime" not in link.features:
            raise ExtensionMissing(
                "The message holds bytes over 127, and the server takes only 7 bit (no 8BITMIME).",
                hint="Send it as an EmailMessage, which is then encoded. Nothing was sent.",
            )
        envelope = envelope.asking_for("BODY=8BITMIME")
    return envelope.parameters if link.esmtp else ()


def _name_sender(link: SMTPConnection, envelope: Envelope, options: tuple[str, ...]) -> None:
    sender = str(envelope.sender)
    try:
        reply = link.command(address_line("mail from", envelope.sender, options))
        if reply.code == CLOSING:
            link.close()
            raise ClosedAtSender(reply, sender=sender)
    except LinkLost as error:
        error.before_message = True
        raise
    if not reply.positive:
        _reset(link)
        raise SenderRefused(f"The server refused the sender {sender}", reply, sender=sender)


def _name_recipients(link: SMTPConnection, envelope: Envelope) -> Refusals:
    refused: Refusals = {}
    for recipient in envelope.recipients:
        options = recipient.parameters if link.esmtp else ()
        reply = link.command(address_line("rcpt to", recipient.address, options))
        if not reply.positive:
            refused[str(recipient.address)] = reply.pair
        if reply.code == CLOSING:
            link.close()
            raise ClosedAtRecipient(reply, refused)
    if len(refused) == len(envelope.recipients):
        _reset(link)
        raise RecipientsRefused(refused)
    return refused


def _send_content(link: SMTPConnection, envelope: Envelope, data: Wire, refused: Refusals) -> Refusals:
    accepted = tuple(name for each in envelope.recipients if (name := str(each.address)) not in refused)
    try:
        reply = send_data(link, data)
    except LinkLost as error:
        if error.after_message:
            raise DeliveryUnknown(accepted, error.message, refused=refused) from error
        raise
    except DataRefused:
        _reset(link)
        raise
    if reply.code == CLOSING:
        link.close()
        raise ClosedAtData(reply)
    if reply.temporary or reply.permanent:
        raise DataRefused("The server refused the message", reply)
    if not reply.positive:
        raise DeliveryUnknown(accepted, f"The server answers {reply}.", refused=refused)
    return refused


def send_data(link: SMTPConnection, data: Wire) -> Reply:
    """DATA and the content; returns the reply to it. Line ends are CR LF already, leading dots are doubled here.

    An error of the link tells by its ``after_message`` whether the last byte had left.
    """
    reply = link.command("DATA")
    if reply.code == CLOSING:
        link.close()
        raise ClosedAtData(reply)
    if not 300 <= reply.code < 400:
        raise DataRefused("The server takes no message now", reply)
    link.write_content(data.stuffed())
    try:
        return link.read_reply(link.message_patience)
    except LinkLost as error:
        error.after_message = True
        raise


def _reset(link: SMTPConnection) -> None:
    with contextlib.suppress(LinkLost):
        link.command("rset")


def content_of(message: Wire | bytes | bytearray | memoryview | str) -> Wire:
    """A message that is serialised already, with CR LF line ends."""
    if isinstance(message, Wire):
        return message
    if isinstance(message, str):
        if not message.isascii():
            raise MessageError(
                "A message that is a text must be ASCII.", hint="Encode it as its header says, or use an EmailMessage."
            )
        message = message.encode()
    return Wire(normalised(bytes(message), ended=False))


def warn_of(envelope: Envelope, refused: Refusals) -> None:
    """Say whom a message did not reach that reached others: smtplib's return value for that is easily lost."""
    if refused:
        said = "; ".join(f"{address}: {code} {readable(text)}" for address, (code, text) in refused.items())
        everybody = len(envelope.recipients)
        warn(f"The message was delivered to {everybody - len(refused)} of {everybody} recipients. Refused: {said}")
