"""The connections on disk: the user's folder, and the shared folders that an administrator fills.

A connection is one JSON file, ``mailconn/NAME.json`` in the Jupyter config directory, so two kernels that save two
connections never meet. The other directories of ``jupyter_config_path()`` are layers that are only read: the user's own
connection hides a shared one of the same name, unless that says ``"locked": true``. Secrets are not kept here; see
:mod:`mailconn_jupyter.credentials`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..connection import MailConnection, known, takes_options
from ..connection.changes import changed
from ..errors import ConnectionChanged, StoreError, warn
from ..formatting import counted, did_you_mean
from ..keywords import public
from ..names import fold
from ..own_folder import own_folder
from . import atomic_files, last_tests, settings
from .defaults import Defaults
from .layer import Entry, Layer, Origin, Problem, serialise, winners_of
from .shared_folders import Folders, find_folders

__all__ = ["ConnectionStore", "Location", "Problem", "UnknownConnection", "connections"]


class UnknownConnection(StoreError, KeyError):
    """No connection has that name."""


@dataclass(frozen=True)
class Location:
    """Where a connection comes from; ``locked``: an administrator has fixed it."""

    path: Path
    layer: Literal["user", "shared"]
    locked: bool
    modified: datetime


class ConnectionStore:
    """The connections by their names, which are compared without regard to case.

    ``folder`` is the user's own, ``layers`` are the shared ones, nearest first; both are looked up in
    ``jupyter_core.paths`` at each use when they are not given. What is read is a copy: change it, then :meth:`save` it.
    """

    def __init__(self, folder: Path | None = None, layers: Sequence[Path] | None = None) -> None:
        self._folder = folder
        self._layers = layers
        self._names: tuple[object, list[str]] = None, []
        #: What :meth:`pick` takes for the name of a sandbox in this process, by the folded name; a person's own comes first.
        self.aliases: dict[str, str] = {}

    @property
    def folder(self) -> Path:
        """The user's own folder; it may not exist yet."""
        return own_folder()[0] if self._folder is None else Path(self._folder)

    @property
    def layers(self) -> list[Path]:
        """The shared folders that count, nearest first; they may not exist."""
        return self._folders().shared

    def _folders(self) -> Folders:
        return find_folders(self._folder, self._layers)

    def __repr__(self) -> str:
        return f"<ConnectionStore {atomic_files.show(self.folder)}: {counted(len(self), 'connection')}>"

    def __getitem__(self, name: str) -> MailConnection:
        """The connection called ``name``.

        Raises :class:`UnknownConnection` when there is none, :class:`~mailconn_jupyter.errors.StoreError` when its
        file cannot be read.
        """
        return self._require(name).require()

    def __contains__(self, name: object) -> bool:
        entry = self._find(name) if isinstance(name, str) else None
        return entry is not None and entry.connection is not None

    def __iter__(self) -> Iterator[str]:
        return iter([connection.name for connection in self.values()])

    def __len__(self) -> int:
        return len(self.values())

    def names(self) -> Sequence[str]:
        """The name of every connection that can be read; the files are read only where one has changed."""
        seen = [layer.signature() for layer in self._all()]
        if self._names[0] != seen:
            read = [layer.entries() for layer in self._all()]
            # Whether others can write a file depends on the folders of a link, too.
            refused = any(entry.refusal is not None for entries in read for entry in entries)
            self._names = None if refused else seen, [connection.name for connection in _values(read)]
        return self._names[1]

    def values(self) -> list[MailConnection]:
        """Every connection that can be read, sorted by name without regard to case; :meth:`problems` has the rest."""
        return _values([layer.entries() for layer in self._all()])

    def survey(self) -> tuple[list[MailConnection], list[Problem]]:
        """:meth:`values` and :meth:`problems`, from one reading of the files."""
        layers = self._all()
        read = [layer.entries() for layer in layers]
        found = [problem for layer, entries in zip(layers, read, strict=True) for problem in layer.problems(entries)]
        try:
            settings.read(self.folder)
        except StoreError as error:
            found.append(Problem(settings.path(self.folder), error.message))
        refused = [*self._folders().refused, own_folder("data")[1]]
        found += [Problem(refusal.path, refusal.sentence) for refusal in refused if refusal]
        return _values(read), found

    def where(self, name: str) -> Location:
        """Which file ``name`` comes from. Raises as ``connections[name]`` does."""
        entry = self._require(name)
        origin = entry.require().origin
        try:
            modified = datetime.fromtimestamp(entry.path.stat().st_mtime, UTC)
        except OSError as error:
            raise StoreError(f"{atomic_files.show(entry.path)} has just disappeared: {error.strerror}.") from error
        return Location(entry.path, origin.layer, entry.locked, modified)

    def problems(self) -> list[Problem]:
        """Files that are not used and why, and files that others can read or change. It never raises."""
        return self.survey()[1]

    def pick(self, target: str | MailConnection | None = None, *, sends: bool | None = None) -> MailConnection:
        """The connection that a person means: by its name, itself, or with None the default or the only one.

        With None, ``sends`` says what for: True for sending mail, False for reading it, None for either.
        """
        if isinstance(target, MailConnection):
            return target
        if target is not None:
            alias = self.aliases.get(fold(str(target)))
            there = self._find(target) if alias is not None else None
            meant = there is None or (there.connection is not None and there.connection.is_sandbox)
            return self[alias if alias is not None and meant else target]
        return self._defaults.pick(self.values, sends=sends)

    @public
    def save(self, connection: MailConnection, replace: bool = False) -> None:
        """Keep ``connection`` in the user's folder, under its name.

        Raises :class:`~mailconn_jupyter.errors.OptionError` when it is incomplete,
        :class:`~mailconn_jupyter.errors.ConnectionChanged` when the file is not the one that it was read from, and
        :class:`~mailconn_jupyter.errors.StoreError` when a new connection's name is taken or the file cannot be
        written. ``replace`` puts it in the place of whatever connection is there; a file that cannot be read, and one
        that is locked, stay in any case.
        """
        connection.require_complete()
        new = connection.name not in self
        with atomic_files.locked(self.folder):
            self._save(connection, replace=replace)
        changed(connection.name)
        if new:
            _tell_lookalikes(connection)

    @takes_options(MailConnection)
    def update(self, name: str, /, **options: Any) -> MailConnection:
        """Set options of a stored connection, whoever else saves it at the time; returns what is now stored."""
        with atomic_files.locked(self.folder):
            connection = self[name]
            connection.update(**options)
            connection.require_complete()
            if fold(connection.name) != fold(name):
                raise StoreError(f"{name!r} cannot be renamed by an update.", hint="Use rename(old, new).")
            self._save(connection, replace=False)
        changed(name)
        return connection

    def delete(self, name: str) -> list[str]:
        """Remove the user's own connection and its secrets; returns what could not be removed, in sentences."""
        with atomic_files.locked(self.folder):
            entry = self._own(name, "deleted")
            gone = entry.require()
            atomic_files.remove(entry.path)
            left = []
            again = Layer(self.folder, "user").find(name)
            if again is not None:
                left.append(f"{atomic_files.show(again.path)} has the same connection name and is still there.")
            left += self._defaults.follow(entry.key, None)
        changed(name)
        from .. import credentials  # noqa: PLC0415  # the keyring is slow to load

        left += credentials.forget(gone)
        last_tests.forget(name)
        return left

    def rename(self, old: str, new: str) -> None:
        """Call a connection ``new``; its secrets, its last test and the default follow.

        Raises :class:`~mailconn_jupyter.errors.StoreError` when ``new`` is taken, and
        :class:`~mailconn_jupyter.errors.CredentialError` when the secrets cannot be moved; then nothing was renamed.
        """
        with atomic_files.locked(self.folder):
            entry = self._own(old, "renamed")
            connection, before = entry.require(), entry.require().copy()
            connection.name = new
            new = connection.name
            same = fold(new) == entry.key
            data = serialise(connection, {})
            if same:
                atomic_files.write(entry.path, data)
            else:
                self._move(entry, before, new, data)
            self._defaults.follow(entry.key, new)
        changed(old, new)
        if not same:
            last_tests.move(old, new)
            _tell_lookalikes(connection)

    @property
    def default(self) -> str | None:
        """The name of the connection that is meant when none is named; None when there is no such choice.

        One can be chosen for sending and one for reading mail; where both are, this is the one for sending.
        """
        return next(iter(self._defaults.names()), None)

    @default.setter
    def default(self, name: str | None) -> None:
        chosen = None if name is None else self[self.pick(name).name]
        with atomic_files.locked(self.folder):
            if chosen is None:
                self._defaults.clear()
            else:
                self._defaults.choose(chosen)

    def drop_default(self, name: str) -> None:
        """Have no default in place of the connection of this name, if it is a default."""
        with atomic_files.locked(self.folder):
            self._defaults.follow(fold(name), None)

    @property
    def defaults(self) -> Sequence[str]:
        """The names of those that are meant when none is named: for sending, for reading, or both."""
        return self._defaults.names()

    @property
    def _defaults(self) -> Defaults:
        return Defaults(self.folder, self._find, self._unknown)

    def _all(self) -> list[Layer]:
        folders = self._folders()
        return [Layer(folders.own, "user"), *(Layer(folder, "shared") for folder in folders.shared)]

    def _find(self, name: str) -> Entry | None:
        own, *shared = (layer.find(name) for layer in self._all())
        return _effective(own, shared)

    def _require(self, name: object) -> Entry:
        entry = self._find(name) if isinstance(name, str) else None
        if entry is None:
            raise self._unknown(str(name), f"There is no connection {name!r}.", "%mailconn lists all connections.")
        return entry

    def _unknown(self, name: str, message: str, hint: str) -> UnknownConnection:
        """The error for a name that nothing has; a folder that has it and is not used is named."""
        folders = self._folders()
        claims = [(entry, each) for each in folders.refused if (entry := Layer(each.path, "shared").find(name))]
        held = (Layer(folder, "shared").find(name) for folder in folders.shared)
        claims += [(entry, entry.refusal) for entry in held if entry is not None and entry.refusal is not None]
        for entry, refusal in claims:
            place = atomic_files.show(entry.path)
            return UnknownConnection(f"{message} {place} is not used: {refusal.reason}.", hint=refusal.remedy)
        near = did_you_mean(name, list(self))
        if "@" in name and not near:
            hint = "That looks like an address; the connection comes before it, or None for the default."
        return UnknownConnection(message + near, hint=hint)

    def _own(self, name: str, done: str) -> Entry:
        """The user's own file of ``name``, readable, which is to be renamed or deleted."""
        entry = self._require(name)
        if entry.require().origin.layer != "user":
            why = "is locked" if entry.locked else "is shared"
            raise StoreError(
                f"{name!r} {why}: it comes from {atomic_files.show(entry.path)} and cannot be {done} here.",
                hint="Ask whoever administers this Jupyter.",
            )
        return entry

    def _save(self, connection: MailConnection, *, replace: bool) -> None:
        name = connection.name
        own = Layer(self.folder, "user")
        there = self._find(name)
        if there is not None and there.locked:
            raise StoreError(
                f"{name!r} is locked: it comes from {atomic_files.show(there.path)} and cannot be changed here.",
                hint="Save it under another name, or ask whoever administers this Jupyter.",
            )
        before = own.find(name)
        known = {} if before is None else before.require().unknown
        if not replace:
            self._require_unchanged(connection, there)
        path = own.path(name) if before is None else before.path
        if before is None:
            _require_free(own, path)
        # Without ``replace`` what is there was read into the connection, so a key that was taken out stays out.
        data = serialise(connection, known if replace else {})
        atomic_files.write(path, data)
        connection.origin = Origin(path, atomic_files.digest(data), "user", fold(name))
        connection.shared, connection.hides = False, None

    def _require_unchanged(self, connection: MailConnection, there: Entry | None) -> None:
        """Refuse to undo what somebody else did since ``connection`` was read, or to hide an existing one."""
        name, origin = connection.name, connection.origin
        folders = {layer.folder for layer in self._all()}
        # Under another name, or in another store, it is a new connection.
        if isinstance(origin, Origin) and origin.key == fold(name) and origin.path.parent in folders:
            if there is None or there.path != origin.path or there.digest != origin.digest:
                raise ConnectionChanged(
                    f"{name!r} was changed by someone else since it was read.",
                    hint=f"Read it again with connections[{name!r}], or save(..., replace=True).",
                )
        elif there is not None:
            raise StoreError(
                f"A connection {there.name!r} already exists ({atomic_files.show(there.path)}).",
                hint=f"Change it with connections.update({there.name!r}, ...), or save(..., replace=True).",
            )

    def _move(self, entry: Entry, before: MailConnection, new: str, data: bytes) -> None:
        """Rename the file and the secrets; what was done is undone when a later step fails.

        The name inside the file changes last: a crash before leaves a connection of the old name.
        """
        from .. import credentials  # noqa: PLC0415  # the keyring is slow to load

        taken = self._find(new)
        if taken is not None:
            raise StoreError(
                f"A connection {taken.name!r} already exists ({atomic_files.show(taken.path)}).",
                hint="Choose another name, or delete that one first.",
            )
        own = Layer(self.folder, "user")
        path = own.path(new)
        if path != entry.path:
            _require_free(own, path)
            atomic_files.move(entry.path, path)
        moved = False
        try:
            credentials.move(before, new)
            moved = True
            atomic_files.write(path, data)
        except BaseException:
            if path != entry.path:
                atomic_files.move(path, entry.path)
            if moved:
                credentials.move(new, entry.name)
            raise


def _tell_lookalikes(connection: MailConnection) -> None:
    for sentence in connection.lookalikes():
        warn(sentence)


def _values(read: Sequence[Sequence[Entry]]) -> list[MailConnection]:
    """The connections of all layers, the user's first in ``read``, of which each name counts once."""
    own, *shared = (winners_of(entries) for entries in read)
    keys = own.keys() | {key for layer in shared for key in layer}
    effective = (_effective(own.get(key), [layer.get(key) for layer in shared]) for key in sorted(keys))
    return [entry.connection for entry in effective if entry is not None and entry.connection is not None]


def _effective(own: Entry | None, shared: Sequence[Entry | None]) -> Entry | None:
    """Which of the files that hold one name counts: the farthest that is locked, else the nearest."""
    entries = [entry for entry in (own, *shared) if entry is not None and entry.refusal is None]
    locked = [entry for entry in entries if entry.locked]
    winner = locked[-1] if locked else next(iter(entries), None)
    if own is not None and winner is not None and winner is not own and winner.connection is not None:
        winner.connection.hides = own.connection
    return winner


def _require_free(own: Layer, path: Path) -> None:
    """A new connection must not take the place of a file that is there for something else."""
    entry = own.read(path)
    if entry is not None:
        entry.require()
        raise StoreError(
            f"{atomic_files.show(path)} is in the way: it holds the connection {entry.name!r}.",
            hint="Give that file another name.",
        )


connections = ConnectionStore()
"""The connections of the user's Jupyter config directory."""

known.stored = connections
