"""Looking at what is kept: ``list``, ``show``, ``default``."""

from __future__ import annotations

import argparse

from ...store import connections
from ..display import connection_view, connections_view, say, show as display_
from ..usage_error import UsageError

__all__ = ["default", "list_", "show"]


def list_(_: argparse.Namespace) -> None:
    """Every connection in a table."""
    display_(connections_view(connections))


def show(arguments: argparse.Namespace) -> None:
    """One connection in words; never a secret."""
    display_(connection_view(connections, connections.pick(arguments.target)))


def default(arguments: argparse.Namespace) -> None:
    """Choose the connection that is meant when none is named, or say which it is."""
    if arguments.unset and arguments.target is not None:
        raise UsageError("%mailconn default: a NAME and --unset contradict each other.")
    if arguments.unset:
        connections.default = None
    elif arguments.target is not None:
        connections.default = arguments.target
    chosen = connections.default
    if chosen is None:
        say("There is no default connection.")
    else:
        say(f"The default connection is {chosen!r}.")
