"""Changing what is kept: ``new``, ``edit``, ``copy``, ``rename``, ``delete``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress

from IPython.core.error import StdinNotImplementedError

from ... import credentials
from ...connection import MailConnection
from ...credentials.naming import command
from ...errors import StoreError
from ...names import quote
from ...store import atomic_files, connections
from ..display import say
from ..magic.arguments import chosen_options, option_named
from ..usage_error import UsageError

__all__ = ["copy", "delete", "edit", "keep", "new", "rename"]


def new(arguments: argparse.Namespace) -> None:
    """Make a connection and keep it. A cell that is run again, and says the same, has nothing to do."""
    connection = MailConnection(name=arguments.target, **chosen_options(arguments))
    connection.require_complete()
    keep(connection, replace=arguments.replace)


def keep(connection: MailConnection, *, replace: bool = False) -> None:
    """Keep a connection that is new, and say what comes next; one that is there already may only be the same."""
    name = connection.name
    if not replace and name in connections:
        there = connections[name]
        if there != connection:
            raise StoreError(
                f"A connection {there.name!r} already exists, with other options.",
                hint=f"Change it with %mailconn edit {quote(there.name)}, or say --replace.",
            )
        say(f"{name!r} is there already, with the same options.")
    else:
        connections.save(connection, replace=replace)
        say(_saved(name))
    say(*_next_steps(connection))


def _saved(name: str) -> str:
    return f"Saved {name!r} in {atomic_files.show(connections.where(name).path)}"


def _next_steps(connection: MailConnection) -> Iterator[str]:
    name, kinds = connection.name, credentials.Kind
    if connection.applies("username") and not credentials.where(name):
        yield f"Set its password: {command(name, kinds.PASSWORD)}"
    proxied = connection.applies("proxy_username") and connection.proxy_username
    if proxied and not credentials.where(name, kind=kinds.PROXY):
        yield f"Set the proxy's password: {command(name, kinds.PROXY)}"
    yield f"Try it: %mailconn test {quote(name)}"


def edit(arguments: argparse.Namespace) -> None:
    """Set the options that are named; ``--unset`` sets one back to its default."""
    changes = chosen_options(arguments)
    declared = MailConnection.options()
    for name in map(option_named, arguments.unset):
        if name in changes:
            raise UsageError(f"%mailconn edit: --{name.replace('_', '-')} and --unset contradict each other.")
        changes[name] = declared[name].default_value
    if not changes:
        stored = connections[arguments.target].name
        raise UsageError(
            "%mailconn edit: nothing to change; name an option.",
            hint=f"%mailconn edit -h lists them; %mailconn form {quote(stored)} shows them all.",
        )
    changed = connections.update(arguments.target, **changes)
    say(_saved(changed.name))


def copy(arguments: argparse.Namespace) -> None:
    """Keep the same options under another name. The passwords stay with the old one."""
    made = connections[arguments.old].copy(name=arguments.new)
    if made.name in connections:
        raise StoreError(f"A connection {connections[made.name].name!r} already exists.", hint="Choose another name.")
    connections.save(made)
    say(_saved(made.name))
    say(*_next_steps(made))


def rename(arguments: argparse.Namespace) -> None:
    """Call a connection by another name; its passwords and its last test follow."""
    connections.rename(arguments.old, arguments.new)
    say(f"{arguments.old!r} is now called {connections[arguments.new].name!r}.")


def delete(arguments: argparse.Namespace) -> None:
    """Delete a connection and its passwords, after asking."""
    name = connections[arguments.target].name
    if not arguments.yes and not _agreed(name):
        say(f"{name!r} was not deleted.")
        return
    left = connections.delete(name)
    say(f"{name!r} is deleted.", *left)


def _agreed(name: str) -> bool:
    answer: str | None = None
    if credentials.may_ask():
        # A frontend without stdin only says so when it is asked.
        with suppress(StdinNotImplementedError, EOFError):
            answer = input(f"Delete the connection {name!r} and its passwords? [y/N] ")
    if answer is None:
        raise StoreError(
            f"{name!r} was not deleted: nobody can be asked here.",
            hint=f"To delete it without a question: %mailconn delete {quote(name)} --yes",
        )
    return answer.strip().casefold() in {"y", "yes"}
