"""Logging in to an SMTP server (RFC 4954): one mechanism, once, and nothing of it is shown."""

from __future__ import annotations

from ...transport.sasl.choose import Mechanism
from ...transport.sasl.exchange import Exchange
from .connection import Command, Reply, SMTPConnection
from .errors import Refused, login_cause

__all__ = ["run_exchange"]

_LONGEST_AUTH = 512  # RFC 4954, 4: an AUTH line over this goes without its initial response


def run_exchange(link: SMTPConnection, mechanism: Mechanism) -> Reply:
    """Run one exchange, and return the server's reply; raises with its words where it is a refusal."""
    exchange = Exchange(mechanism)
    replies: list[Reply] = []

    def say(line: bytes, shown: str) -> None:
        link.write(Command(line, shown))

    def hear() -> bytes | None:
        replies.append(link.read_reply())
        return replies[-1].text if replies[-1].code == 334 else None

    link.hide = exchange.hide
    try:
        exchange.run(f"AUTH {mechanism.name}".encode(), say, hear, longest=_LONGEST_AUTH)
    finally:
        link.hide = None
    reply = replies[-1]
    if reply.code == 503 and link.logged_in:
        # It stays who it is: RFC 4954, 4.
        return reply
    if reply.code != 235:
        cause = login_cause(reply, token=mechanism.takes_token)
        raise Refused(f"The server refused the login by {mechanism.name}{exchange.reason}", reply, cause=cause)
    mechanism.finish()
    link.logged_in = True
    return reply
