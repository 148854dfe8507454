"""``password``: asking for a secret and keeping it. No secret passes through here."""

from __future__ import annotations

import argparse

from ... import credentials
from ...store import connections
from ..display import say
from ..magic.arguments import refusal
from ..usage_error import UsageError

__all__ = ["password"]


def password(arguments: argparse.Namespace) -> None:
    """Ask for the password of a stored connection and keep it; or forget what is kept."""
    if arguments.rest:
        raise refusal("A password cannot be given here, and a name with spaces goes in quotes")
    connection = connections[arguments.target]
    name = connection.name
    if arguments.delete:
        if arguments.proxy:
            raise UsageError("%mailconn password: --delete forgets both passwords; leave out --proxy.")
        _forget(name)
        return
    whose = "The proxy password" if arguments.proxy else "The password"
    say(f"{whose} of {name!r} is kept {credentials.set_password(name, proxy=arguments.proxy)}.")
    if not connection.applies("proxy_username" if arguments.proxy else "username"):
        say(f"{name!r} does not use it: its {'proxy' if arguments.proxy else 'authentication'} is off.")


def _forget(name: str) -> None:
    left = credentials.forget(name)
    for kind in credentials.Kind:
        place = credentials.where(name, kind=kind)
        if place:
            left.append(f"One is still to be had {place}.")
    say(*(left or [f"The passwords of {name!r} are forgotten."]))
