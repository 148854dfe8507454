"""What a protocol brings to the opening of its sessions, and nothing else: how it greets, secures, logs in."""

from __future__ import annotations

from typing import Protocol

from ...connection import MailConnection
from ...errors import OpenError
from ...transport.channel import Channel
from ...transport.sasl.choose import Mechanism

__all__ = ["Adapter", "LinkAdapter", "Openable"]


class Openable(Protocol):
    """What every kind of session brings, whether it is with a server or with a file."""

    @property
    def protocol(self) -> str:
        """The protocol of the connections that it opens."""

    def ready(self, *, testing: bool) -> dict[str, str]:
        """Make the session one that can be used, and learn its limits: facts, label to text.

        ``testing`` is for ``check()``: prove by a round trip that the server answers, look around, change nothing.
        """

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        """The same error, as the class that callers of this protocol's standard library expect."""

    def close(self) -> None:
        """Close what was opened at once, without a farewell."""


class LinkAdapter(Openable, Protocol):
    """What every session over the network brings."""

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        """Take the channel and the (resolved) connection; nothing has been read from the channel yet."""


class Adapter(LinkAdapter, Protocol):
    """The steps of one mail protocol. Those that learn something return the facts, label to text."""

    def ask_for_tls(self) -> None:
        """Read the greeting and have the server agree to STARTTLS, or raise. Nothing else may be sent."""

    def greet(self, *, greeted: bool) -> dict[str, str]:
        """Read the greeting (unless ``greeted``), and learn the server's capabilities."""

    def mechanisms(self) -> list[str]:
        """The SASL mechanisms that the server offers now."""

    def log_in(self, mechanism: Mechanism) -> str | None:
        """Run one SASL exchange, or raise with the server's words; returns what was used, if not the mechanism."""
