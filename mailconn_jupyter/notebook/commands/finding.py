"""``find``: from a mail address to the server's settings."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from ...connection import MailConnection
from ...errors import MailConnError
from ...names import quote
from ...store import connections
from ..display import say, show
from ..magic.arguments import flags_of
from .keeping import keep

if TYPE_CHECKING:
    from ...discovery.discover import Settings

__all__ = ["find"]


def find(arguments: argparse.Namespace) -> None:
    """Show the proposal, what a person must know of it, and the line to type next; or keep it at once."""
    from ...discovery.discover import discover  # noqa: PLC0415  # a socket

    via = connections[arguments.via] if arguments.via is not None else None
    try:
        settings = discover(arguments.address, protocol=arguments.protocol, via=via)
    except KeyboardInterrupt as interrupt:
        raise MailConnError("The search for settings was interrupted.") from interrupt
    # Without a proposal the note is the error's.
    show(settings or replace(settings, note=""))
    connection = settings.connection("NAME" if arguments.save is None else arguments.save)
    if arguments.save is not None:
        keep(connection, replace=arguments.replace)
    else:
        say(f"Keep it, under any NAME: {_line(settings)}")


def _line(settings: Settings) -> str:
    """The magic's line that makes the connection."""
    defaults = MailConnection.options()
    words = ["%mailconn new NAME"]
    for name, value in settings.options.items():
        flag = flags_of(name)[-1]
        if isinstance(value, bool):
            # A name of a user or of a proxy turns its own switch on.
            implied = {"use_authentication": "username", "use_proxy": "proxy_host"}.get(name)
            if value != (True if implied in settings.options else defaults[name].default_value):
                words.append(flag if value else f"--no-{flag.removeprefix('--')}")
        elif value != defaults[name].default_value:
            words.append(f"{flag} {quote(str(value))}")
    return " ".join(words)
