"""``find``: from a mail address to the server's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..connection import MailConnection
from ..errors import MailConnError
from ..names import quote
from ..store import connections
from .keeping import keep
from .option_flags import flags_of

if TYPE_CHECKING:
    from ..discovery.proposal import Settings

__all__ = ["find"]


def find(
    *, address: str, protocol: str = "SMTP", via: str | None = None, save: str | None = None, replace: bool = False
) -> Iterator[object]:
    """The proposal, what a person must know of it, and the line to type next; or keep it at once."""
    from ..discovery.discover import discover  # noqa: PLC0415  # a socket

    route = connections[via] if via is not None else None
    try:
        settings = discover(address, protocol=protocol, via=route)
    except KeyboardInterrupt as interrupt:
        raise MailConnError("The search for settings was interrupted.") from interrupt
    # Without a proposal the note is the error's.
    yield settings or dataclasses.replace(settings, note="")
    connection = settings.connection("NAME" if save is None else save)
    if save is not None:
        yield from keep(connection, replace=replace)
    else:
        yield f"Keep it, under any NAME: {_line(settings)}"


def _line(settings: Settings) -> str:
    """The magic's line that makes the connection."""
    defaults = MailConnection.options()
    words = ["%mailconn new NAME"]
    for name, value in settings.options.items():
        flag = flags_of(name)[-1]
        if isinstance(value, bool):
            # A name of a user or of a proxy turns its own switch on.
            implied = {
                "use_authentication": "username",
                "use_proxy": "proxy_host",
                "use_xoauth2": "oauth_issuer",
            }.get(name)
            if value != (True if implied in settings.options else defaults[name].default_value):
                words.append(flag if value else f"--no-{flag.removeprefix('--')}")
        elif value != defaults[name].default_value:
            words.append(f"{flag} {quote(str(value))}")
    return " ".join(words)
