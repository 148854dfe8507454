"""Changing what is kept: ``new``, ``edit``, ``copy``, ``rename``, ``delete``."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from .. import credentials
from ..connection import MailConnection
from ..credentials.naming import command
from ..errors import OptionError, StoreError
from ..names import quote
from ..store import atomic_files, connections
from .option_flags import chosen_options, flags_of, option_named
from .view import Question
from .wrong_usage import WrongUsage

__all__ = ["copy", "delete", "edit", "keep", "new", "rename"]


def new(*, target: str, host: str | None = None, replace: bool = False, **options: Any) -> Iterator[str]:
    """Make a connection and keep it. Who does it again, and says the same, has nothing to do."""
    if host is not None:
        options = _with_host(host, options)
    chosen = chosen_options(options)
    connection = MailConnection(name=target, **chosen)
    try:
        connection.require_complete()
    except OptionError as error:
        if "@" in target and not connection.server_host:
            error.hint = f"%mailconn find {quote(target)} proposes a server for an address."
        raise
    yield from keep(connection, replace=replace)
    yield from _left_out(connection, chosen)


def _left_out(connection: MailConnection, chosen: Mapping[str, Any]) -> Iterator[str]:
    """What was asked for and is not kept, since no connection of this protocol has it."""
    declared = MailConnection.options()
    flags = [
        flags_of(name)[0]
        for name, value in chosen.items()
        if connection.protocol not in declared[name].protocols and value not in (None, "", declared[name].default_value)
    ]
    if flags:
        no = "no such option" if len(flags) == 1 else "no such options"
        yield f"Left out, as {connection.protocol} has {no}: {', '.join(flags)}."


def _with_host(host: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options with the host that stands behind the name."""
    if "server_host" in options:
        raise WrongUsage("%mailconn new: the host is given twice, as a word and with --host.")
    return {**options, "server_host": host}


def keep(connection: MailConnection, *, replace: bool = False) -> Iterator[str]:
    """Keep a connection that is new, and say what comes next; one that is there already may only be the same."""
    name = connection.name
    if not replace and name in connections:
        there = connections[name]
        if there != connection:
            raise StoreError(
                f"A connection {there.name!r} already exists, with different options.",
                hint=f"Change it with %mailconn edit {quote(there.name)}, or add --replace.",
            )
        yield f"{name!r} already exists, with the same options."
    else:
        connections.save(connection, replace=replace)
        yield _saved(name)
    yield from _next_steps(connection)


def _saved(name: str) -> str:
    return f"Saved {name!r} in {atomic_files.show(connections.where(name).path)}"


def _to_sign_in(connection: MailConnection) -> Iterator[str]:
    name, kinds = connection.name, credentials.Kind
    if not connection.oauth_client_id and connection.oauth_flow != "service_account":
        yield f"Give the id of the app that is registered there: %mailconn edit {quote(name)} --oauth-client-id ID"
    kind, what = (kinds.CLIENT, "Set its client secret") if connection.needs_nobody else (kinds.REFRESH, "Sign in")
    if not credentials.where(name, kind=kind):
        yield f"{what}: {command(name, kind)}"


def _next_steps(connection: MailConnection) -> Iterator[str]:
    name, kinds = connection.name, credentials.Kind
    if connection.signs_in:
        yield from _to_sign_in(connection)
    elif connection.applies("username") and not connection.password_command and not credentials.where(name):
        yield f"Set its password: {command(name, kinds.PASSWORD)}"
    proxied = connection.applies("proxy_username") and connection.proxy_username
    if proxied and not credentials.where(name, kind=kinds.PROXY):
        yield f"Set the proxy's password: {command(name, kinds.PROXY)}"
    if connection.sends and not connection.sender:
        yield f"Set the sender of its mail: %mailconn edit {quote(name)} --from-address you@example.org"
    yield f"Try it: %mailconn test {quote(name)}"


def edit(*, target: str, unset: Sequence[str] = (), **options: Any) -> Iterator[str]:
    """Set the options that are named; those of ``unset`` are set back to their defaults."""
    changes = chosen_options(options)
    declared = MailConnection.options()
    for name in map(option_named, unset):
        if name in changes:
            raise WrongUsage(f"%mailconn edit: --{name.replace('_', '-')} and --unset cannot be combined.")
        changes[name] = declared[name].default_value
    if not changes:
        stored = connections[target].name
        raise WrongUsage(
            "%mailconn edit: nothing to change; name an option.",
            hint=f"%mailconn edit -h lists them; %mailconn form {quote(stored)} shows them all.",
        )
    connection = connections.update(target, **changes)
    yield _saved(connection.name)
    yield from _left_out(connection, changes)


def copy(*, old: str, new: str) -> Iterator[str]:
    """Keep the same options under another name. The passwords stay with the old one."""
    made = connections[old].copy(name=new)
    if made.name in connections:
        raise StoreError(f"A connection {connections[made.name].name!r} already exists.", hint="Choose another name.")
    connections.save(made)
    yield _saved(made.name)
    yield from _next_steps(made)


def rename(*, old: str, new: str) -> Iterator[str]:
    """Call a connection by another name; its passwords and its last test follow."""
    connections.rename(old, new)
    yield f"{old!r} is now called {connections[new].name!r}."


def delete(*, target: str, yes: bool = False) -> Generator[str, str | None, None]:
    """Delete a connection and its passwords, after asking."""
    name = connections[target].name
    if not yes:
        answer = yield Question(f"Delete the connection {name!r} and its passwords? [y/N] ")
        if answer is None:
            raise StoreError(
                f"{name!r} was not deleted: there is nobody to ask here.",
                hint=f"To delete it without a question: %mailconn delete {quote(name)} --yes",
            )
        if answer.strip().casefold() not in {"y", "yes"}:
            yield f"{name!r} was not deleted."
            return
    left = connections.delete(name)
    yield f"{name!r} is deleted."
    yield from left
