"""One transaction through a session of either kind, and what it leaves each recipient with."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Mapping
from email.message import EmailMessage

from ..message.addresses import envelope_address
from ..message.wire import Wire
from ..session.smtp import SMTPSession
from ..session.smtp_errors import DeliveryUnknown, LinkLost, MessageTooLarge, Refused
from ..session.smtp_transaction import no_smtputf8
from ..transport.failure import readable
from .report import Outcome

__all__ = ["attempt"]


def attempt(
    session: smtplib.SMTP, message: EmailMessage, data: Wire, sender: str, recipients: list[str]
) -> dict[str, Outcome]:
    """Send to the recipients once; ``data`` is the message as a session of the standard library sends it.

    Raises only what is known before anything is sent.
    """
    try:
        if isinstance(session, SMTPSession):
            refused = session.deliver(message, sender, recipients)
        else:
            refused = _by_smtplib(session, data, sender, recipients)
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except DeliveryUnknown as error:
        words = readable(str(getattr(error.__cause__, "message", error.__cause__)))
        return {name: Outcome(name, "unknown", words=words) for name in error.recipients} | _refusals(error.refused)
    except LinkLost as error:
        return {recipient: Outcome(recipient, "not sent", words=readable(error.message)) for recipient in recipients}
    except MessageTooLarge:
        # Known before anything was sent, and the error has both sizes.
        raise
    except (Refused, smtplib.SMTPResponseException) as error:
        code, words = error.smtp_code, readable(error.smtp_error)
        return {recipient: Outcome(recipient, "refused", code, words) for recipient in recipients}
    return {name: Outcome(name, "accepted") for name in recipients} | _refusals(refused)


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> dict[str, Outcome]:
    return {name: Outcome(name, "refused", code, readable(words)) for name, (code, words) in refused.items()}


def _by_smtplib(session: smtplib.SMTP, data: Wire, sender: str, recipients: list[str]) -> dict[str, tuple[int, bytes]]:
    """What :meth:`~mailconn_jupyter.session.smtp.SMTPSession.deliver` does, as far as an ``smtplib.SMTP`` can tell."""
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
    try:
        return session.sendmail(sender, recipients, bytes(data), options)
    except smtplib.SMTPRecipientsRefused:
        raise
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        if isinstance(error, smtplib.SMTPDataError):
            # Where DATA itself was refused, smtplib leaves the transaction open for the next MAIL to stumble over.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                session.rset()
        if 400 <= error.smtp_code < 600:
            raise
        # What was no reply at all has a code of smtplib's own.
        raise DeliveryUnknown(tuple(recipients), readable(error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        # It does not say whether the link broke before or after the last byte.
        raise DeliveryUnknown(tuple(recipients), readable(str(error))) from error
