"""The errors of an SMTP session, each also the class of :mod:`smtplib` that its callers expect."""

from __future__ import annotations

import re
import smtplib
from typing import Final

from ...errors import MailConnError, MessageError, OpenError
from ...formatting import how_large
from ...transport.transport_errors import readable
from ..opening import error_classes

__all__ = [
    "DataRefused",
    "DeliveryUnknown",
    "LinkLost",
    "LoginRefused",
    "MessageTooLarge",
    "NotOffered",
    "NotSupported",
    "RecipientsRefused",
    "Refused",
    "SenderRefused",
    "ServerClosing",
    "ServerUnreachable",
    "SessionNotOpened",
    "login_cause",
    "open_error",
]

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s|$)")


def _enhanced(text: bytes) -> str:
    match = _ENHANCED.match(readable(text))
    return match.group(1) if match else ""


class LinkLost(error_classes.LinkLost, smtplib.SMTPServerDisconnected):
    """The link broke, or the server did not answer in time; the session is closed.

    ``before_message`` is on when not even MAIL had been answered, ``after_message`` when the last byte had been sent.
    """

    before_message = False
    after_message = False


class Refused(error_classes.Refused, smtplib.SMTPResponseException):
    """The server said no: ``smtp_code``, ``enhanced_code`` (RFC 3463, may be empty) and its ``words``.

    ``temporary`` tells a 4xx, which may be tried again later, from a 5xx, which may not.
    """

    def __init__(self, what: str, code: int, text: bytes, *, cause: str = "refused-by-server", hint: str = "") -> None:
        self.words = readable(text)
        super().__init__(f"{what}: {code} {self.words}", cause=cause, hint=hint)
        self.smtp_code = code
        self.smtp_error = self.text = text
        self.enhanced_code = _enhanced(text)
        self.temporary = 400 <= code < 500


class SenderRefused(Refused, smtplib.SMTPSenderRefused):
    """The server does not take mail from this sender; nothing was sent."""

    def __init__(self, what: str, code: int, text: bytes, *, sender: str, hint: str = "") -> None:
        super().__init__(what, code, text, hint=hint)
        self.sender = sender


class MessageTooLarge(SenderRefused):
    """The message is larger than the server takes; it was not sent. ``size`` and ``limit`` are in bytes."""

    def __init__(self, size: int, limit: int, *, sender: str) -> None:
        super().__init__(
            f"The message is {how_large(size)}; the server accepts at most {how_large(limit)}",
            552,
            b"5.3.4 Message size exceeds fixed limit",
            sender=sender,
            hint="Send less, compress the attachments, or send a link. Nothing was sent.",
        )
        self.size, self.limit = size, limit


class DataRefused(Refused, smtplib.SMTPDataError):
    """The server did not take the message; it was delivered to nobody."""


class RecipientsRefused(MailConnError, smtplib.SMTPRecipientsRefused):
    """The server takes the message for none of the recipients: ``recipients`` maps each to code and text.

    ``temporary`` is whether all of it may be tried again later.
    """

    def __init__(self, recipients: dict[str, tuple[int, bytes]]) -> None:
        said = "; ".join(f"{address}: {code} {readable(text)}" for address, (code, text) in recipients.items())
        super().__init__(f"The server refused every recipient. {said}", hint="The message was delivered to nobody.")
        self.recipients: dict[str, tuple[int, bytes]] = recipients
        self.temporary = all(400 <= code < 500 for code, _ in recipients.values())


class ServerClosing(LinkLost):
    """The server ended the session with a 421: try again later. ``smtp_code`` and ``smtp_error`` are its words."""

    def __init__(self, code: int, text: bytes) -> None:
        super().__init__(
            f"The server closes the session: {code} {readable(text)}",
            cause="closed",
            hint="Nothing of this message was delivered; it may be sent again later.",
        )
        self.smtp_code, self.smtp_error = code, text
        self.words, self.enhanced_code = readable(text), _enhanced(text)
        self.temporary = True


class DeliveryUnknown(LinkLost):
    """The link broke after the last byte of the message: the server may have taken it, or not.

    ``recipients`` are those that the server had accepted, ``refused`` those that it had not, with its words. Sending
    again may deliver it twice, so that is the caller's decision.
    """

    def __init__(
        self, recipients: tuple[str, ...], why: str, *, refused: dict[str, tuple[int, bytes]] | None = None
    ) -> None:
        super().__init__(
            f"It is not known whether the message was delivered to {', '.join(recipients)}. {why}",
            cause="unknown",
            hint="Ask a recipient before you send it again: it may arrive twice.",
        )
        self.recipients = recipients
        self.refused = refused or {}


class NotSupported(MessageError, smtplib.SMTPNotSupportedError):
    """The message needs an extension that the server does not offer; nothing was sent."""


class SessionNotOpened(OpenError, smtplib.SMTPException):
    """An SMTP session could not be opened; the rest is as of :class:`Refused`, where it was the server that said no."""

    smtp_code = -1
    smtp_error: bytes | str = b""
    words = enhanced_code = ""
    temporary = False


class ServerUnreachable(SessionNotOpened, smtplib.SMTPConnectError):
    """The server could not be reached, or its link is not what the connection asks for."""


class NotOffered(SessionNotOpened, smtplib.SMTPNotSupportedError):
    """The server does not offer what the connection requires."""


class LoginRefused(SessionNotOpened, smtplib.SMTPAuthenticationError):
    """The server refused the login."""


_KINDS: Final = error_classes.OpenKinds(SessionNotOpened, ServerUnreachable, NotOffered, LoginRefused)


def open_error(error: OpenError, origin: Exception) -> OpenError:
    """The error of a failed opening, as the class that callers of smtplib expect."""
    failure = _KINDS.of(error, origin)
    if isinstance(origin, Refused):
        failure.smtp_code, failure.smtp_error = origin.smtp_code, origin.smtp_error
        failure.words, failure.enhanced_code = origin.words, origin.enhanced_code
        failure.temporary = origin.temporary
    return failure


def login_cause(code: int, text: bytes, *, token: bool) -> str:
    """Why a login was refused, as far as the server's words tell."""
    words = text.decode("utf-8", "replace").casefold()
    if 400 <= code < 500:
        return "login-temporary"
    if token:
        return "token-refused"
    if "5.7.139" in words or "basic authentication is disabled" in words:
        return "basic-off"
    if "5.7.9" in words or "application-specific" in words or "app password" in words:
        return "app-password"
    return "wrong-password"
