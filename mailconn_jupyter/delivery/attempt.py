"""One transaction through a session of either kind, and what it leaves each recipient with."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ..errors import OpenError, warn
from ..message.addresses import envelope_address
from ..message.mime.wire_format import Wire
from ..session.graph.errors import Refused as RefusedByGraph
from ..session.opening.error_classes import DeliveryUnknown, LinkLost
from ..session.smtp.envelope import Envelope
from ..session.smtp.errors import ClosedAtRecipient, MessageTooLarge, Refused, no_smtputf8
from ..session.smtp.session import SMTPSession
from ..session.smtp.status_request import NO_NOTICES, StatusRequest
from ..transport.transport_errors import readable
from .report import Outcome

if TYPE_CHECKING:
    from ..session.graph.session import GraphSession

__all__ = ["Sender", "attempt"]

_LONGEST: Final = 4000  # characters

_Otherwise = Literal["unknown", "not sent"]
#: What sends: the session of a connection, or a caller's own.
Sender: TypeAlias = "smtplib.SMTP | GraphSession"


def attempt(
    session: Sender,
    message: EmailMessage,
    data: Wire,
    sender: str,
    recipients: list[str],
    *,
    request: StatusRequest | None = None,
    taken: Callable[[Wire], object] = bool,
) -> dict[str, Outcome]:
    """Send to the recipients once; ``data`` is the message with 8-bit parts and without SMTPUTF8.

    ``taken`` is given what a session of a connection has sent, where it was accepted for somebody.

    Raises only what is known before anything is sent.
    """
    try:
        if isinstance(session, SMTPSession):
            envelope = Envelope.of(sender, recipients, request=request)
            refused = session.transact(envelope, message, taken=taken, written=data)
        elif isinstance(session, smtplib.SMTP):
            refused = _by_smtplib(session, data, sender, recipients, request)
        else:
            asked = () if request is None else (*request.for_anybody, *request.for_mail)
            refused = session.send_message(message, sender, recipients, asked)
    except ClosedAtRecipient as error:
        # The 421 is not about the recipient at whom it came.
        refused = {
            name: reply for name, reply in error.recipients.items() if reply != (error.smtp_code, error.smtp_error)
        }
        return _not_sent(recipients, error.message) | _refusals(refused, "not sent")
    except smtplib.SMTPRecipientsRefused as error:
        # After a 421 smtplib asks no further, and those whom the server had taken get nothing either.
        return {name: Outcome(name, "not sent") for name in recipients} | _refusals(error.recipients, "not sent")
    except DeliveryUnknown as error:
        unknown = {name: Outcome(name, "unknown", words=_whole(error.why)) for name in error.recipients}
        return unknown | _refusals(error.refused, "unknown")
    except LinkLost as error:
        return _not_sent(recipients, error.message)
    except OpenError as error:
        # The server had hung up, and the session could not open again.
        return _not_sent(recipients, str(error))
    except RefusedByGraph as error:
        no = Outcome("", "refused", error.status, error.words, passing=error.temporary, hint=error.hint)
        return {name: replace(no, recipient=name) for name in recipients}
    except MessageTooLarge:
        # Known before anything was sent, and the error has both sizes.
        raise
    except (Refused, smtplib.SMTPResponseException) as error:
        # Of an smtplib.SMTP it may have been the reply to the message itself, unless that would have been a yes.
        in_doubt = (
            isinstance(error, smtplib.SMTPDataError) and not isinstance(error, Refused) and error.smtp_code != 250
        )
        otherwise: _Otherwise = "unknown" if in_doubt else "not sent"
        return _refusals(dict.fromkeys(recipients, (error.smtp_code, error.smtp_error)), otherwise)
    return {name: Outcome(name, "accepted") for name in recipients} | _refusals(refused, "unknown")


def _not_sent(recipients: list[str], why: str) -> dict[str, Outcome]:
    return {recipient: Outcome(recipient, "not sent", words=_whole(why)) for recipient in recipients}


def _refusals(refused: Mapping[str, tuple[int, bytes | str]], otherwise: _Otherwise) -> dict[str, Outcome]:
    """The outcomes of those whom the server did not take, and ``otherwise`` where its reply does not say no."""
    return {name: _refusal(name, code, _whole(words), otherwise) for name, (code, words) in refused.items()}


def _refusal(name: str, code: int, words: str, otherwise: _Otherwise) -> Outcome:
    if 400 <= code < 600:
        return Outcome(name, "refused", code, words)
    if code > 0:
        return Outcome(name, otherwise, code, words)
    # For what has no code, smtplib has one of its own, and cuts off where the code would be.
    return Outcome(name, otherwise, words=f"The server's reply is not valid SMTP: ...{words}")


def _whole(words: bytes | str) -> str:
    """All that a server said; a reply has no more than this."""
    return readable(words, _LONGEST)


def _why(error: BaseException | None) -> str:
    """The words of what broke a transaction: those that :mod:`smtplib` has from a reply stand in a tuple."""
    return _whole(str(getattr(error, "message", getattr(error, "smtp_error", error))))


def _by_smtplib(
    session: smtplib.SMTP, data: Wire, sender: str, recipients: list[str], request: StatusRequest | None
) -> dict[str, tuple[int, bytes]]:
    """What :meth:`~mailconn_jupyter.session.smtp.session.SMTPSession.transact` does, as far as an ``smtplib.SMTP`` can tell."""
    if session.sock is None:
        raise LinkLost("The session is not open.", cause="closed")
    try:
        session.ehlo_or_helo_if_needed()
    except smtplib.SMTPServerDisconnected as error:
        raise LinkLost(str(error), cause="closed") from error
    addresses = [envelope_address(sender, what="sender", empty=True), *map(envelope_address, recipients)]
    options: tuple[str, ...] = ()
    if data.international or any(address.international for address in addresses):
        if not session.has_extn("smtputf8"):
            raise no_smtputf8(addresses)
        options = ("SMTPUTF8", "BODY=8BITMIME")
    of_each: tuple[str, ...] = ()
    if request is not None and session.has_extn("dsn"):
        # It has the same parameters for every recipient.
        options, of_each = (*options, *request.for_mail), request.for_anybody
    elif request is not None:
        warn(NO_NOTICES)
    try:
        return session.sendmail(sender, recipients, bytes(data), options, of_each)
    except (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused):
        raise
    except smtplib.SMTPDataError:
        # Where DATA itself was refused, smtplib leaves the transaction open for the next MAIL to stumble over.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            session.rset()
        raise
    except (smtplib.SMTPException, OSError) as error:
        # It does not say whether the link broke before or after the last byte.
        raise DeliveryUnknown(tuple(recipients), _why(error)) from error
