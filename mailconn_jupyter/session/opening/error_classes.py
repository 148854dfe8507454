"""What every protocol's errors are made of, and which of them the error of a failed opening is.

Callers of a library expect its classes, so each protocol has its own; these are what they have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ...errors import MailConnError, OpenError
from ...transport.transport_errors import TransportError

__all__ = ["DeliveryUnknown", "LinkLost", "NotLoggedIn", "OpenKinds", "Refused"]

E = TypeVar("E", bound=OpenError)


class LinkLost(TransportError):
    """The link broke, or the server did not answer in time, or not in its protocol; the session is closed."""


class DeliveryUnknown(LinkLost):
    """The link broke after the last byte of the message: the server may have taken it, or not.

    ``why`` is what happened, ``recipients`` are those that the server had accepted, ``refused`` those that it had not,
    with its words. Sending again may deliver it twice, so that is the caller's decision.
    """

    def __init__(
        self, recipients: tuple[str, ...], why: str, *, refused: dict[str, tuple[int, bytes]] | None = None
    ) -> None:
        super().__init__(
            f"It is not known whether the message was delivered to {', '.join(recipients)}. {why}",
            cause="unknown",
            hint="Ask a recipient before you send it again: it may arrive twice.",
        )
        self.why = why
        self.recipients = recipients
        self.refused = refused or {}


class Refused(TransportError):
    """The server said no; the session is still open."""


class NotLoggedIn(MailConnError):
    """A command needs a login, and the session has none; nothing was sent."""

    def __init__(self, command: str) -> None:
        super().__init__(
            f"{command} needs a login, and this session has none.",
            hint="Name a username in the connection (%mailconn edit NAME --username ...), or log in by hand first.",
        )


# What passes by itself, whatever the protocol has for it.
_PASSING: Final = frozenset({"in-use", "login-temporary", "server-busy", "too-many-connections"})


@dataclass(frozen=True)
class OpenKinds(Generic[E]):
    """The classes of one protocol, from the most general one on."""

    other: type[E]
    unreachable: type[E]
    not_offered: type[E]
    login_refused: type[E]

    def of(self, error: OpenError, origin: Exception) -> E:
        """The same error as one of them; ``origin`` is what it came from."""
        kind = self.other
        if error.cause in {"no-starttls", "no-mechanism", "no-login", "plain-text-refused"}:
            kind = self.not_offered
        elif error.stage == "authenticate" and (isinstance(origin, Refused) or error.cause == "wrong-password"):
            kind = self.login_refused
        elif error.stage in {"resolve", "connect", "secure", "greet"}:
            kind = self.unreachable
        opened = kind(error.message, stage=error.stage, cause=error.cause, hint=error.hint)
        # Where the protocol itself tells (SMTP's first digit), that counts.
        said = getattr(origin, "temporary", None)
        opened.temporary = error.cause in _PASSING if said is None else said
        return opened
