"""A connection while it is being edited: what was typed, what is wrong with it, and how it is kept.

Nothing here knows of widgets: a draft is what a form shows, and what it does when Save is pressed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

from ... import credentials
from ...connection import MailConnection
from ...connection.option_kinds import Switch
from ...credentials import Kind, Secret
from ...credentials.naming import word
from ...errors import CredentialError, OptionError, StoreError
from ...names import fold
from ...store import UnknownConnection, connections

__all__ = ["Draft"]


class Draft:
    """The values of a form as they stand; ``stored`` is the connection that they started from, None for a new one.

    Secrets that were typed are held here and reach the keyring only when the draft is saved, so a form that is left
    without saving leaves nothing behind.
    """

    def __init__(self, stored: MailConnection | None = None) -> None:
        self._load(stored)
        self.connection = _new() if stored is None else stored.copy()
        self.secrets: dict[Kind, Secret] = {}
        # What was typed and is not valid, and why; the connection keeps the last value that was.
        self._wrong: dict[str, tuple[Any, OptionError]] = {}

    @classmethod
    def of(cls, name: str | None) -> Draft:
        """The draft of a stored connection, or with None of a new one. Raises as ``connections[name]`` does."""
        return cls(None if name is None else connections[name])

    @classmethod
    def copy_of(cls, name: str) -> Draft:
        """The draft of a new connection with the options of a stored one, under a name that is free."""
        draft = cls()
        original = connections[name]
        names = (f"{original.name} copy{f' {number}' if number > 1 else ''}" for number in count(1))
        draft.connection = original.copy(name=next(name for name in names if name not in connections))
        return draft

    def _load(self, stored: MailConnection | None) -> None:
        self.stored = stored
        where = None if stored is None else connections.where(stored.name)
        self.locked = where is not None and where.locked
        self.path = None if where is None else where.path
        self._shared = where is not None and where.layer == "shared"

    def set(self, name: str, value: Any) -> None:
        """Take what was typed; a bad value is remembered as a problem, and the last good one stays."""
        try:
            setattr(self.connection, name, value)
        except OptionError as error:
            self._wrong[name] = (value, error)
        else:
            self._wrong.pop(name, None)
        if name == "protocol":
            self._read_host_again()

    def propose(self, options: Mapping[str, Any], typed: Collection[str]) -> dict[str, str]:
        """Take the options that nobody has ``typed``; returns the others as a text each, where they differ."""
        kept = {}
        for name, value in options.items():
            if name not in typed:
                self.set(name, value)
            elif self.is_wrong(name) or getattr(self.connection, name) != value:
                kept[name] = _shown(value)
        return kept

    def propose_name(self, address: str) -> None:
        """Call it after the domain of a mail address: ``company`` for ``ana@mail.company.co.uk``; a number makes it free."""
        labels = address.rpartition("@")[2].casefold().split(".")
        # Without a list of public suffixes: of those that are left, the longest says most.
        name = max(labels[:-1] or labels, key=len)
        names = (f"{name}{f'-{number}' if number > 1 else ''}" for number in count(1))
        self.set("name", next(name for name in names if name not in connections))

    def _read_host_again(self) -> None:
        # A path is not a host: the protocol decides which of the two it is.
        host, _ = self._wrong.get("server_host", (self.connection.server_host, None))
        self.connection.server_host = ""
        self.set("server_host", host)

    def is_wrong(self, name: str) -> bool:
        """Whether the value itself is bad, not only missing or at odds with another."""
        return name in self._wrong

    def problems(self) -> dict[str, OptionError]:
        """What keeps the draft from being used, by the option beside which it is to be shown."""
        found = {name: error for name, (_, error) in self._wrong.items() if self.connection.applies(name)}
        for error in (*self.outgoing().problems(), *self._taken()):
            found.setdefault(error.trait, error)
        return found

    def _taken(self) -> list[OptionError]:
        name = self.connection.name
        if not name or (self.stored is not None and fold(self.stored.name) == fold(name)) or name not in connections:
            return []
        label = MailConnection.options()["name"].label
        return [
            OptionError(
                f"{label}: there is already a connection {name!r}.",
                trait="name",
                hint="Choose another name, or open that one.",
            )
        ]

    def outgoing(self) -> MailConnection:
        """The connection as it would be saved and tested.

        A switch that is hidden because another is off goes back to its default: what nobody sees must not count.
        """
        return _without_hidden(self.connection)

    @property
    def outdated(self) -> bool:
        """Whether what is stored is no longer what the draft started from."""
        if self.stored is None:
            return False
        try:
            return bool(connections[self.stored.name].origin != self.stored.origin)
        except UnknownConnection:
            return True
        except StoreError:
            # A file that cannot be read just now: saving will say so.
            return False

    @property
    def shown_name(self) -> str:
        """The name of the stored connection, as a sentence has it."""
        return "The connection" if self.stored is None else repr(self.stored.name)

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        before = _new() if self.stored is None else _without_hidden(self.stored)
        return bool(self._wrong or self.secrets) or self.outgoing().as_dict() != before.as_dict()

    @property
    def may_save(self) -> bool:
        """Whether Save would do something, as far as can be told before."""
        return self.dirty and not self.is_fixed and not self.problems()

    @property
    def is_fixed(self) -> bool:
        """Whether an administrator has locked what stands under this name; under another one it can be changed."""
        return self.locked and self.stored is not None and fold(self.stored.name) == fold(self.connection.name)

    @property
    def secrets_name(self) -> str:
        """The name that the secrets are kept under: until it is saved, a renamed connection's are under the old."""
        if self.stored is not None and not self._becomes_new:
            return str(self.stored.name)
        return "" if "name" in self._wrong else str(self.connection.name)

    @property
    def _becomes_new(self) -> bool:
        # What an administrator provides cannot be renamed here, only copied under another name.
        return self.stored is None or (self._shared and fold(self.stored.name) != fold(self.connection.name))

    def testable(self) -> MailConnection:
        """What a test is run on: the stored connection while nothing differs from it, so that the outcome is kept."""
        if self.stored is not None and not self.dirty:
            return self.stored
        return self.outgoing().copy(name=self.secrets_name)

    def save(self, *, replace: bool = False) -> list[tuple[str, str]]:
        """Keep the connection, rename it if its name was changed, then its secrets.

        Returns what came of it in sentences, each with its kind: good, warn or bad.

        Raises :class:`~mailconn_jupyter.errors.ConnectionChanged` when the file is not the one that was read
        (``replace`` saves over it), and :class:`~mailconn_jupyter.errors.StoreError`. The draft still has what was
        not kept.
        """
        connection = self.outgoing()
        name = connection.name
        if self.stored is None or self._becomes_new:
            connections.save(connection)
            self._load(connection)
        else:
            old = self.stored.name
            connection.name, connection.origin = old, self.stored.origin
            connections.save(connection, replace=replace)
            self._load(connection)
            if old != name:
                self._rename(old, name)
        odd = [("warn", sentence) for sentence in connection.lookalikes()]
        return [("good", f"Saved as {name!r}."), *odd, *self._keep_secrets(name)]

    def _rename(self, old: str, new: str) -> None:
        try:
            connections.rename(old, new)
        except (StoreError, CredentialError) as error:
            raise StoreError(f"Saved as {old!r}, but not renamed. {error.message}", hint=error.hint) from error
        self._load(connections[new])

    def _keep_secrets(self, name: str) -> list[tuple[str, str]]:
        done = []
        for kind in Kind:
            if kind not in self.secrets:
                continue
            try:
                place = credentials.set_password(name, self.secrets[kind], **credentials.asked(kind))
            except CredentialError as error:
                # It stays typed, so that Save can be tried again.
                done.append(("bad", error.in_one_line))
                continue
            del self.secrets[kind]
            kept = "good" if place.startswith("in the keyring") else "warn"
            done.append((kept, f"{word(kind).capitalize()} {place}."))
        return done

    def reload(self) -> list[str]:
        """Read the stored connection again, keep what was typed, take the rest; returns what to look at, in words."""
        before = self.stored
        assert before is not None
        try:
            fresh = connections[before.name]
        except UnknownConnection:
            self._load(None)
            return [f"{before.name!r} has been deleted in the meantime; Save creates it again."]
        kept = []
        for name, option in MailConnection.options().items():
            theirs, mine = getattr(fresh, name), getattr(self.connection, name)
            if name not in self._wrong and mine == getattr(before, name):
                self.set(name, theirs)
            elif mine != theirs and theirs != getattr(before, name):
                kept.append(f"{option.label} (elsewhere: {_shown(theirs)})")
        self.connection.unknown = dict(fresh.unknown)
        self._load(fresh)
        took = "The changes from elsewhere are included; what you typed is unchanged."
        return [took, f"Changed on both sides, yours kept: {'; '.join(kept)}."] if kept else [took]


def _new() -> MailConnection:
    """What most begin with: a login."""
    return MailConnection(use_authentication=True)


def _without_hidden(connection: MailConnection) -> MailConnection:
    hidden: dict[str, Any] = {
        name: option.default_value
        for name, option in MailConnection.options().items()
        if isinstance(option, Switch) and connection.protocol in option.protocols and not connection.applies(name)
    }
    return connection.copy(**hidden)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "empty" if value in (None, "") else str(value)
