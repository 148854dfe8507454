"""One folder of connections: which files it has, which connection each holds, and what is wrong with it.

Reading never changes a file and never fails for the sake of one: a file that cannot be read is an :class:`Entry` that
says why, and the others go on.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ..connection import MailConnection
from ..errors import MailConnError, StoreError
from ..names import decode, encode, fold
from ..own_folder import Refusal
from ..paths import is_file
from . import atomic_files
from .file_trust import NotTrusted, require_trusted

__all__ = ["Entry", "Layer", "Origin", "Problem", "open_to_others", "serialise", "winners_of"]

MOST_BYTES: Final = 1_000_000
"""The size up to which a file is read; a connection has about 1,000 bytes."""

FORMAT: Final = 1
"""The format of a file that says none in ``"format"``; a higher one is of a version to come."""

_OPTIONS: Final = frozenset(MailConnection.options())
# A file with none of these is something else that lies in the folder.
_SIGNS: Final = ("protocol", "server_host", "name")


@dataclass(frozen=True)
class Origin:
    """Where a connection was read from, and what was there, so that a save can see whether it still is."""

    path: Path
    digest: str
    layer: Literal["user", "shared"]
    key: str


@dataclass(frozen=True)
class Problem:
    """A file or folder that a person should look at, and why."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{atomic_files.show(self.path)}: {self.message}"


@dataclass(frozen=True)
class Entry:
    """A file of a layer: the connection in it, or the reason why there is none."""

    path: Path
    name: str
    digest: str = ""
    locked: bool = False
    connection: MailConnection | None = None
    reason: str = ""
    refusal: Refusal | None = None

    @property
    def key(self) -> str:
        """What the name is compared by."""
        return fold(self.name)

    def require(self) -> MailConnection:
        """The connection, or a :class:`StoreError` that names the file and the reason."""
        if self.connection is None:
            raise atomic_files.unreadable(self.path, self.reason)
        return self.connection


class _UnreadableError(Exception):
    """Why a file is not read as a connection."""


@dataclass(frozen=True)
class Layer:
    """The connections of one folder: the user's own, or a shared one that an administrator fills."""

    folder: Path
    kind: Literal["user", "shared"]
    #: Whether it is asked who could have written a shared file; not of one that is yet to be put where it counts.
    judged: bool = True

    def path(self, name: str) -> Path:
        """Where a connection of that name is kept, unless a file made by hand already holds it."""
        return self.folder / f"{encode(name)}.json"

    def find(self, name: str) -> Entry | None:
        """The file that counts for ``name``, or that is not used; the folder is read only when the usual one has not it."""
        key = fold(name)
        if not key:
            return None
        usual = self.read(self.path(name))
        if usual is not None and usual.refusal is None and usual.key == key:
            return usual
        claims = (self.read(path) for path in self._claiming(key))
        return min((entry for entry in claims if entry is not None and entry.key == key), key=_rank, default=None)

    def _claiming(self, key: str) -> list[Path]:
        """The files that claim a name, in the form names are compared by; only those that have changed are read."""
        claiming = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for found in entries:
                if not _is_ours(found.name):
                    continue
                seen, claimed = _claimed.get(found.path, ((), ""))
                if seen != (now := _seen(found)):
                    entry = self.read(Path(found.path))
                    claimed = entry.key if entry is not None else ""
                    # Whether others can write it depends on the folders of a link, too.
                    if entry is None or entry.refusal is None:
                        _claimed[found.path] = now, claimed
                if claimed == key:
                    claiming.append(Path(found.path))
        return claiming

    def entries(self) -> list[Entry]:
        """Every file that may be a connection, in the order of their names; none where there is no folder."""
        try:
            paths = sorted(path for path in self.folder.iterdir() if _is_ours(path.name))
        except OSError:
            return []
        return [entry for path in paths if (entry := self.read(path)) is not None]

    def signature(self) -> set[tuple[str, int, int]]:
        """What changes with any of the files, their owners and modes."""
        with suppress(OSError), os.scandir(self.folder) as entries:
            return {(entry.path, *_seen(entry)) for entry in entries if _is_ours(entry.name)}
        return set()

    def read(self, path: Path) -> Entry | None:
        """What ``path`` holds; None when there is nothing."""
        name = decode(path.name.removesuffix(".json"))
        digest = ""
        try:
            judged = self.kind == "shared" and self.judged
            data = atomic_files.read(path, MOST_BYTES, require_trusted if judged else None)
            digest = atomic_files.digest(data)
            options = _parse(data)
            claimed = options.setdefault("name", name)
            if isinstance(claimed, str) and claimed.strip():
                name = claimed
            locked = options.pop("locked", False) if self.kind == "shared" else False
            if not isinstance(locked, bool):
                raise _UnreadableError('"locked" is neither true nor false')
            connection = MailConnection(**{key: value for key, value in options.items() if key in _OPTIONS})
        except FileNotFoundError:
            return Entry(path, name, reason="the link is broken") if path.is_symlink() else None
        except NotTrusted as error:
            # Not read: a stranger's file may claim any name.
            return Entry(path, name, refusal=error.refusal)
        except OSError as error:
            return Entry(path, name, reason=error.strerror or str(error))
        except (_UnreadableError, MailConnError) as error:
            reason = error.message.rstrip(".") if isinstance(error, MailConnError) else str(error)
            return Entry(path, name, digest, reason=_short(reason))
        connection.unknown = {key: value for key, value in options.items() if key not in _OPTIONS}
        connection.origin = Origin(path, digest, self.kind, fold(connection.name))
        connection.shared = self.kind == "shared"
        return Entry(path, connection.name, digest, locked, connection)

    def problems(self, entries: Sequence[Entry] | None = None) -> Iterator[Problem]:
        """What a person should look at in this folder; ``entries`` are its files, if they were read already."""
        from .strange_keys import strange_keys  # noqa: PLC0415  # it needs the credentials, which reading does not

        try:
            next(self.folder.iterdir(), None)
        except FileNotFoundError:
            return
        except OSError as error:
            yield Problem(self.folder, f"The folder cannot be read: {error.strerror or error}.")
            return
        # Who can write a shared one was asked before it was read.
        if self.kind == "user":
            yield from open_to_others(self.folder, "700")
        entries = self.entries() if entries is None else entries
        winners = winners_of(entries)
        for entry in entries:
            if entry.refusal is not None:
                yield Problem(entry.path, entry.refusal.sentence)
                continue
            if entry.connection is None:
                yield Problem(entry.path, f"It is not used: {entry.reason}.")
            else:
                yield from (Problem(entry.path, sentence) for sentence in strange_keys(entry.connection))
            winner = winners[entry.key]
            if winner.path != entry.path:
                yield Problem(
                    entry.path,
                    f"It is not used: {atomic_files.show(winner.path)} has the same connection name {winner.name!r}.",
                )
            if self.kind == "user" and is_file(entry.path):
                yield from open_to_others(entry.path, "600")


def open_to_others(path: Path, mode: str) -> Iterator[Problem]:
    """That others can read or change a file or folder of the user's own; ``mode`` is the one that it should have."""
    # Windows' modes say nothing about other users.
    if os.name == "nt":
        return
    try:
        open_to = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    except OSError:
        return
    if open_to:
        place = shlex.quote(atomic_files.show(path))
        yield Problem(path, f"Others can read or change it. Run: chmod {mode} {place}")


def serialise(connection: MailConnection, kept: Mapping[str, Any]) -> bytes:
    """The bytes of a connection's file; ``kept`` are keys that the file has and this version does not know.

    Raises :class:`StoreError` when an unknown key cannot be written.
    """
    options = connection.as_dict()
    content = {**options, **kept, **connection.unknown, **options}
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        try:
            data = text.encode()
        except UnicodeEncodeError:  # an unknown key with half a surrogate goes back as it came
            data = json.dumps(content, indent=2).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"{connection.name!r} has an unknown key that JSON cannot represent: {error}.") from error
    if len(data) >= MOST_BYTES:
        raise StoreError(f"{connection.name!r} cannot be kept: it is larger than {MOST_BYTES // 1000} kB.")
    return data + b"\n"


def winners_of(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The file that counts for each name, by the form in which names are compared."""
    winners: dict[str, Entry] = {}
    for entry in entries:
        before = winners.get(entry.key)
        if before is None or _rank(entry) < _rank(before):
            winners[entry.key] = entry
    return winners


#: The names that files claim, each as of a state of its file: a folder of a thousand is not read for one that is new.
_claimed: dict[str, tuple[tuple[int, ...], str]] = {}


def _seen(entry: os.DirEntry[str]) -> tuple[int, int]:
    """What changes with a file, its owner and its mode."""
    try:
        status = entry.stat()
    except OSError:  # a link that leads nowhere
        return 0, 0
    return status.st_ino, status.st_ctime_ns


def _rank(entry: Entry) -> tuple[bool, bool, bool, str]:
    """Of several files that claim one name the least counts: the one the store would write, then a readable one."""
    usual = entry.path.name == f"{encode(entry.name)}.json"
    return entry.refusal is not None, not usual, entry.connection is None, entry.path.name


def _is_ours(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _short(reason: str, most: int = 300) -> str:
    return reason if len(reason) <= most else f"{reason[:most]}..."


def _parse(data: bytes) -> dict[str, Any]:
    """The keys of a connection's file that say something, or the reason why it is not one."""
    try:
        # Editors on Windows write a byte order mark.
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _UnreadableError("it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise _UnreadableError(f"it is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(f"it is not JSON that can be read ({error})") from None
    if not isinstance(found, dict):
        raise _UnreadableError("it is not a JSON object")
    if not any(sign in found for sign in _SIGNS):
        raise _UnreadableError("it is not a mail server connection")
    version = found.get("format", FORMAT)
    if version != FORMAT:
        raise _UnreadableError(f"it has the format {version!r}, of a newer version of mailconn-jupyter")
    return {key: value for key, value in found.items() if value is not None or key not in _OPTIONS}
