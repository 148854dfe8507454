"""The errors of an SMTP session, each also the class of :mod:`smtplib` that its callers expect."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from typing import Any, Final

from ...errors import MessageError, OpenError
from ...formatting import how_large
from ...message.addresses import Address
from ...transport.transport_errors import readable
from ..opening import error_classes
from ..response_codes import refusal_cause
from .advice import advice
from .reply import Reply

__all__ = [
    "ClosedAtData",
    "ClosedAtRecipient",
    "ClosedAtSender",
    "DataRefused",
    "DeliveryUnknown",
    "ExtensionMissing",
    "GreetingRefused",
    "LinkLost",
    "LoginRefused",
    "MessageTooLarge",
    "NoRecipients",
    "NotASCII",
    "NotOffered",
    "NotSupported",
    "RecipientsRefused",
    "Refused",
    "ReplyTooLong",
    "SenderRefused",
    "ServerClosing",
    "ServerUnreachable",
    "SessionNotOpened",
    "greeting_cause",
    "login_cause",
    "no_smtputf8",
    "open_error",
]

_CLOSES = "The server is closing the session"
_LATER = "Nothing of this message was delivered; it may be sent again later."


class LinkLost(error_classes.LinkLost, smtplib.SMTPServerDisconnected):
    """The link broke, or the server did not answer in time; the session is closed.

    ``before_message`` is on when not even MAIL had been answered, and nothing of the message can have arrived.
    """

    before_message = False


class ReplyTooLong(LinkLost, smtplib.SMTPResponseException):
    """A reply, or a line of one, is longer than any server's."""

    smtp_code = 500
    smtp_error: bytes | str = b"Line too long."


class Refused(error_classes.Refused, smtplib.SMTPResponseException):
    """The server said no: ``smtp_code``, ``enhanced_code`` (RFC 3463, may be empty) and its ``words``.

    ``temporary`` tells a 4xx, which may be tried again later, from a 5xx, which may not.
    """

    def __init__(self, what: str, reply: Reply, *, cause: str = "refused-by-server", hint: str = "") -> None:
        super().__init__(f"{what}: {reply}", cause=cause, hint=hint)
        self.args = reply.pair
        self.reply = reply
        self.smtp_code, self.smtp_error = reply.pair
        self.words, self.enhanced_code, self.temporary = reply.words, reply.enhanced, reply.temporary


class GreetingRefused(Refused, smtplib.SMTPConnectError, smtplib.SMTPHeloError):
    """The server turned this client away, or refused the greeting."""


class SenderRefused(Refused, smtplib.SMTPSenderRefused):
    """The server does not take mail from this sender; nothing was sent."""

    def __init__(
        self, what: str, reply: Reply, *, sender: str, cause: str = "refused-by-server", hint: str = ""
    ) -> None:
        super().__init__(what, reply, cause=cause, hint=hint or advice(reply.code, reply.words))
        self.args = (*reply.pair, sender)
        self.sender = sender


class MessageTooLarge(SenderRefused):
    """The message is larger than the server takes; it was not sent. ``size`` and ``limit`` are in bytes."""

    def __init__(self, size: int, limit: int, *, sender: str) -> None:
        super().__init__(
            f"The message is {how_large(size)}; the server accepts at most {how_large(limit)}",
            Reply.of(552, b"5.3.4 Message size exceeds fixed limit"),
            sender=sender,
            hint="Send less, compress the attachments, or send a link. Nothing was sent.",
        )
        self.size, self.limit = size, limit


class DataRefused(Refused, smtplib.SMTPDataError):
    """The server did not take the message; it was delivered to nobody."""


class RecipientsRefused(error_classes.Refused, smtplib.SMTPRecipientsRefused):
    """The server takes the message for none of the recipients: ``recipients`` maps each to code and text.

    ``temporary`` is whether all of it may be tried again later.
    """

    def __init__(
        self,
        recipients: dict[str, tuple[int, bytes]],
        what: str = "The server refused every recipient.",
        *,
        cause: str = "refused-by-server",
        hint: str = "The message was not delivered to anybody.",
    ) -> None:
        said = "; ".join(f"{address}: {code} {readable(text)}" for address, (code, text) in recipients.items())
        advised = (advice(code, readable(text)) for code, text in recipients.values())
        super().__init__(
            f"{what} {said}", cause=cause, hint=" ".join(filter(None, (next(filter(None, advised), ""), hint)))
        )
        self.args = (recipients,)
        self.recipients: dict[str, tuple[int, bytes]] = recipients
        self.temporary = all(400 <= code < 500 for code, _ in recipients.values())


class ServerClosing(LinkLost):
    """The server ended the session with a 421: try again later. ``smtp_code`` and ``smtp_error`` are its words.

    It is also the class that :mod:`smtplib` raises for the command that was answered so.
    """

    smtp_code: int
    smtp_error: Any
    words: str
    enhanced_code: str
    temporary: bool


class ClosedAtSender(ServerClosing, SenderRefused):
    """421 in answer to MAIL."""

    def __init__(self, reply: Reply, *, sender: str) -> None:
        super().__init__(_CLOSES, reply, sender=sender, cause="closed", hint=_LATER)


class ClosedAtRecipient(ServerClosing, RecipientsRefused):
    """421 in answer to RCPT; ``recipients`` are those that were refused up to then."""

    def __init__(self, reply: Reply, recipients: dict[str, tuple[int, bytes]]) -> None:
        super().__init__(recipients, f"{_CLOSES}.", cause="closed", hint=_LATER)
        self.smtp_code, self.smtp_error = reply.pair
        self.words, self.enhanced_code, self.temporary = reply.words, reply.enhanced, True


class ClosedAtData(ServerClosing, DataRefused):
    """421 in answer to DATA, or to the message."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(_CLOSES, reply, cause="closed", hint=_LATER)


class DeliveryUnknown(error_classes.DeliveryUnknown, LinkLost):
    """The link broke after the last byte of the message: the server may have taken it, or not."""


class NoRecipients(MessageError, smtplib.SMTPRecipientsRefused):
    """A message to nobody; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("The message has no recipient.", hint="Name one in To, Cc or Bcc.")
        self.recipients: dict[str, tuple[int, bytes]] = {}
        self.args = (self.recipients,)


class NotSupported(MessageError):
    """The message needs an extension that the server does not offer; nothing was sent."""


class ExtensionMissing(NotSupported, smtplib.SMTPNotSupportedError):
    """It was asked for, or the message cannot do without it."""


class NotASCII(NotSupported, UnicodeEncodeError):
    """An address is not ASCII, which only SMTPUTF8 can carry."""

    def __init__(self, message: str, address: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.encoding, self.object, self.reason = "ascii", address, "no SMTPUTF8"
        self.start, self.end = 0, len(address)


class SessionNotOpened(OpenError, smtplib.SMTPException):
    """An SMTP session could not be opened; the rest is as for :class:`Refused`, where it was the server that said no."""

    smtp_code = -1
    smtp_error: bytes | str = b""
    words = enhanced_code = ""


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
    return failure


# Of the command or its mechanism, not of who logs in (RFC 5321, 4.2.3; RFC 4954, 6).
_NOT_TAKEN: Final = frozenset({500, 501, 502, 503, 504, 534, 538})
_ENHANCED: Final = {"5.7.9": "app-password", "5.7.30": "basic-off"}


def greeting_cause(reply: Reply) -> str:
    """Why a server does not want to talk."""
    return refusal_cause(reply.text, "server-busy" if reply.temporary else "refused-by-server")


def login_cause(reply: Reply, *, token: bool) -> str:
    """Why a login was refused, as far as the server's words tell, then its codes."""
    otherwise = "token-refused" if token else "wrong-password"
    if reply.temporary:
        otherwise = "login-temporary"
    elif reply.code in _NOT_TAKEN:
        otherwise = "mechanism-refused"
    return refusal_cause(reply.text, _ENHANCED.get(reply.enhanced, otherwise))


def no_smtputf8(addresses: Iterable[Address], *, asked: bool = True) -> NotSupported:
    """The error for a server that cannot take these addresses of an envelope, or those of its message's headers.

    ``asked``: SMTPUTF8 was asked for; :mod:`smtplib` has another class for who did not.
    """
    which = next((str(address) for address in addresses if address.international), "")
    what = f"{which or 'An address in a header'} is not ASCII before its @, and the server does not offer SMTPUTF8."
    hint = "Use another address for that person. Nothing was sent."
    return ExtensionMissing(what, hint=hint) if asked else NotASCII(what, which, hint=hint)
