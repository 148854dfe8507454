"""What was found elsewhere: connections, what was not mapped and why, and secrets, which nothing shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from ..connection import MailConnection
from ..credentials import asked
from ..credentials.naming import word
from ..errors import CredentialError, MailConnError, StoreError
from ..formatting import columns, few, table
from ..names import quote
from ..secret import Kind, Secret
from ..store import connections
from ..store.kept_secrets import set_password

__all__ = ["FoundConnection", "FoundConnections"]


@dataclass(frozen=True, repr=False)
class FoundConnection:
    """One connection of another program. ``notes`` are sentences: what differs from there, and why.

    ``secrets`` are those that were beside it, by their kind; they show as stars.
    """

    connection: MailConnection
    notes: tuple[str, ...] = ()
    secrets: Mapping[Kind, Secret] = field(default_factory=dict)

    def save(self, *, replace: bool = False) -> list[str]:
        """Keep the connection, and its secrets where secrets are kept; returns what was done, in sentences.

        Raises as :meth:`ConnectionStore.save` and :func:`~mailconn_jupyter.set_password` do.
        """
        return FoundConnections([self]).save(replace=replace)

    def keep_secret(self, kind: Kind) -> str:
        """Keep one of the secrets, once the connection is saved; returns where, as a sentence."""
        name, secret = self.connection.name, self.secrets[kind]
        place = set_password(name, secret, **asked(kind))
        return f"The {word(kind)} of {name!r} is kept {place}."

    def __repr__(self) -> str:
        return FoundConnections([self]).__repr__()

    def _repr_html_(self) -> str:
        return FoundConnections([self])._repr_html_()


class FoundConnections(Sequence[FoundConnection]):
    """What was found, in its order; ``problems`` are the errors of what is not among it."""

    def __init__(self, found: Iterable[FoundConnection], problems: Iterable[MailConnError] = ()) -> None:
        self._found = tuple(found)
        self.problems = tuple(problems)

    @overload
    def __getitem__(self, place: int) -> FoundConnection: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[FoundConnection]: ...

    def __getitem__(self, place: int | slice) -> FoundConnection | Sequence[FoundConnection]:
        return self._found[place]

    def __len__(self) -> int:
        return len(self._found)

    def save(self, *, replace: bool = False) -> list[str]:
        """Keep all of them, or none where one is incomplete or its name is taken; returns what was done, in sentences.

        ``replace`` puts them in the place of the connections of their names. Secrets go where secrets are kept; where one
        cannot be, a :class:`~mailconn_jupyter.errors.CredentialError` says so once all the rest is done.
        """
        return [*self.save_each(replace=replace)]

    def save_each(self, *, replace: bool = False) -> Iterator[str]:
        """:meth:`save`, each when its sentence is asked for."""
        for each in self._found:
            each.connection.require_complete()
        taken = [] if replace else [each.connection.name for each in self._found if _is_there(each.connection) is False]
        if taken:
            raise StoreError(
                f"Nothing was saved: {few([repr(name) for name in taken])} already "
                f"{'exists' if len(taken) == 1 else 'exist'}, with different options.",
                hint=f"Use --replace (replace=True), or rename yours first: %mailconn rename {quote(taken[0])} NEW",
            )
        failures: list[CredentialError] = []
        for each in self._found:
            name = each.connection.name
            if not replace and _is_there(each.connection):
                yield f"{name!r} already exists, with the same options."
            else:
                connections.save(each.connection, replace=replace)
                yield f"Saved {name!r}."
            for kind in each.secrets:
                try:
                    yield each.keep_secret(kind)
                except CredentialError as error:
                    failures.append(error)
        if failures:
            more = f" The same goes for {len(failures) - 1} more." if len(failures) > 1 else ""
            raise CredentialError(f"{failures[0].message}{more}", hint=failures[0].hint)

    def _rows(self) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        if len(self._found) == 1:
            [only] = self._found
            secrets = [
                (word(kind).capitalize(), "found; --save keeps it where passwords are kept") for kind in only.secrets
            ]
            return [*_mapped(only.connection), *secrets], ("Option", "Value")
        return [_row(each) for each in self._found], ("Name", "Protocol", "Server", "Security", "User", "Secret")

    def _told(self) -> list[tuple[str, str]]:
        told = [(each.connection.name, note) for each in self._found for note in each.notes]
        return [*told, *(("not imported", str(problem).replace("\n", " ")) for problem in self.problems)]

    def __repr__(self) -> str:
        rows, header = self._rows()
        parts = [
            columns(rows, header=header) if rows else "",
            columns(self._told(), header=_TOLD) if self._told() else "",
        ]
        return "\n\n".join(filter(None, parts))

    def _repr_html_(self) -> str:
        rows, header = self._rows()
        shown = table(rows, header=header) if rows else ""
        return shown + (table(self._told(), header=_TOLD) if self._told() else "")


_TOLD = ("Connection", "What differs, and why")


def _mapped(connection: MailConnection) -> list[tuple[str, str]]:
    """What it says, without the defaults of what few other programs have."""
    usual = {
        option.label
        for name, option in MailConnection.options().items()
        if option.section not in {"Server", "Authentication", "Security"}
        and getattr(connection, name) == option.default_value
    }
    return [row for row in connection.shown() if row[0] not in usual]


def _row(found: FoundConnection) -> tuple[str, ...]:
    connection = found.connection
    port = "" if connection.port is None else f":{connection.port}"
    return (
        connection.name,
        connection.protocol,
        f"{connection.server_host}{port}",
        "" if connection.protocol == "MBOX" else connection.security or "none",
        connection.username if connection.applies("username") else "",
        ", ".join(word(kind) for kind in found.secrets),
    )


def _is_there(connection: MailConnection) -> bool | None:
    """Whether the connection of that name has the same options; None where there is none."""
    return connections[connection.name] == connection if connection.name in connections else None
