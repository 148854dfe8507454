"""Logging in by hand, by the rules of an opening: never over plain text, one mechanism, once, and nothing of it shown."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ...credentials.without_traceback import sealed
from ...errors import OpenError, OptionError
from ...secret import Secret
from ...transport.channel import Channel
from ...transport.sasl.choose import Login, Mechanism, choose
from ...transport.transport_errors import TransportError
from .error_classes import LinkLost, Refused

__all__ = ["LogsIn", "log_in", "refuse_plain_text", "require_safe_link"]

R_co = TypeVar("R_co", covariant=True)


class Linked(Protocol):
    """A client with a link that may or may not be safe."""

    #: Whether a password may go over plain text, also to another machine.
    plain_allowed: bool
    #: What to do first where it may not: a sentence for a person.
    secure_first: str

    @property
    def channel(self) -> Channel:
        """The link; raises when there is none."""

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        """The same error, as the class that callers of this protocol's standard library expect."""


class LogsIn(Linked, Protocol[R_co]):
    """What a client has that can log in."""

    @property
    def place(self) -> tuple[str, int]:
        """The host and the port, as some mechanisms tell them."""

    def mechanisms(self) -> list[str]:
        """The SASL mechanisms that the server offers now."""

    def login_with(self, mechanism: Mechanism) -> R_co:
        """Run one exchange, or raise with the server's words."""

    def hang_up(self) -> None:
        """Close the link at once, without a farewell."""


def refuse_plain_text(channel: Channel, *, allowed: bool, hint: str = "") -> None:
    """Raise where a password would be readable on the way: over a plain link that leaves this machine."""
    if channel.tls is None and not (allowed or channel.loopback):
        raise TransportError(
            "The link is plain text, and the password would be readable on the way.",
            cause="plain-text-refused",
            hint=hint,
        )


def require_safe_link(client: Linked) -> None:
    """:func:`refuse_plain_text`, as the client's own class of error."""
    try:
        refuse_plain_text(client.channel, allowed=client.plain_allowed, hint=client.secure_first)
    except LinkLost:
        raise
    except TransportError as error:
        raise client.failure(_failed(error), error) from None


def log_in(client: LogsIn[R_co], user: str, secret: Secret, *, token: bool = False, pinned: str = "") -> R_co:
    """Log in by a password or an access token, with the strongest mechanism that both sides have, once.

    Raises as an opening does at its stage ``authenticate``.
    """
    if flaw := secret.flaw():
        raise OptionError(f"The password {flaw}.")
    require_safe_link(client)
    tls = client.channel.tls is not None
    try:
        login = Login(user, secret.reveal, "", *client.place)
        mechanism = choose(client.mechanisms(), login, tls=tls, token=token, pinned=pinned)
        return sealed(lambda: _run(client, mechanism))
    except LinkLost:
        raise
    except TransportError as error:
        raise client.failure(_failed(error), error) from error


def _failed(error: TransportError) -> OpenError:
    return OpenError(error.message, stage="authenticate", cause=error.cause, hint=error.hint)


def _run(client: LogsIn[R_co], mechanism: Mechanism) -> R_co:
    try:
        return client.login_with(mechanism)
    except (LinkLost, Refused):
        raise
    except TransportError:
        # A server that cheats in the login, or says yes without the proof, gets nothing more.
        client.hang_up()
        raise
