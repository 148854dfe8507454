"""Groups of people: a name that stands wherever an address goes, for all the addresses in it.

They are kept beside the connections, in ``mailconn/.people.json``: ``{"groups": {"team": ["Ana <ana@example.org>", ...]}}``.
The shared folders may have such a file, too: a user's own group of a name comes first, unless the shared one is
``{"members": [...], "locked": true}``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import StoreError
from ..formatting import counted, did_you_mean, shown
from ..message.mime.mailboxes import Mailbox, mailboxes, named_by
from ..names import fold
from ..paths import is_there
from . import atomic_files
from .file_trust import NotTrusted, require_trusted
from .layer import Problem, open_to_others
from .store import ConnectionStore, connections

__all__ = ["Group", "People", "UnknownGroup", "people"]

_FILE: Final = ".people.json"
_MOST_BYTES: Final = 5_000_000
_LONGEST_NAME: Final = 200
#: What would make of a name an address, several of them, or an expression.
_UNFIT: Final = frozenset('@<>",;{}\\')


class UnknownGroup(StoreError, KeyError):
    """No group has that name."""


@dataclass(frozen=True)
class Group:
    """A group as a file has it; ``members`` are addresses, with names or without, and names of other groups."""

    name: str
    members: tuple[str, ...]
    path: Path
    shared: bool
    locked: bool


class People(MutableMapping[str, list[str]]):
    """The groups by their names, which are compared without regard to case.

    ``people["team"] = ["ana@example.org", "Bea <bea@example.org>"]`` keeps one; a member may be the name of another.
    ``store`` says in which folders they are. Files are read again where one has changed.
    """

    def __init__(self, store: ConnectionStore) -> None:
        self._store = store
        self._read: dict[Path, tuple[object, dict[str, Group]]] = {}
        self._known: tuple[object, dict[str, str]] = None, {}

    def __repr__(self) -> str:
        return f"<People {atomic_files.show(self._path)}: {counted(len(self), 'group')}>"

    @property
    def _path(self) -> Path:
        return self._store.folder / _FILE

    def groups(self) -> dict[str, Group]:
        """Each group that counts, by its folded name."""
        layers = [self._of(self._path, shared=False)]
        layers += [self._of(folder / _FILE, shared=True) for folder in self._store.layers]
        found: dict[str, Group] = {}
        # The farthest that is locked counts, else the nearest, as of connections.
        for layer in layers:
            for key, group in layer.items():
                if group.locked or key not in found:
                    found[key] = group
        return found

    def __getitem__(self, name: str) -> list[str]:
        return list(self._require(name).members)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted((group.name for group in self.groups().values()), key=fold))

    def __len__(self) -> int:
        return len(self.groups())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and fold(name) in self.groups()

    def __setitem__(self, name: str, members: str | Iterable[str]) -> None:
        """Raises :class:`~mailconn_jupyter.errors.StoreError` for a group that is locked, or a name that cannot be one."""
        name = _checked(name)
        texts = [members] if isinstance(members, str) else list(members)
        groups = self.groups()
        before = groups.get(fold(name))
        # A group that was deleted since stays a member until it is taken out.
        known = groups.keys() | {fold(name)} | {fold(one) for one in (before.members if before else ())}
        kept = []
        for text in texts:
            if isinstance(text, str) and fold(text) in known:  # type: ignore[redundant-expr]  # a notebook may give anything
                kept.append(text.strip())
            else:
                kept += [_written(mailbox) for mailbox in mailboxes(text, "member")]
        self._change(name, list(dict.fromkeys(kept)))

    def __delitem__(self, name: str) -> None:
        group = self._require(name)
        if group.shared and not group.locked:
            raise StoreError(f"The group {group.name!r} is shared: it comes from {atomic_files.show(group.path)}.")
        self._change(group.name, None)

    def members(self, name: str, groups: Mapping[str, Group] | None = None) -> list[str] | None:
        """The addresses of a group, those of groups in it among them, each once; None where no group is called so.

        Whoever asks for many gives the :meth:`groups`, which are read anew each time otherwise.
        """
        groups = self.groups() if groups is None else groups
        key = fold(name)
        if key not in groups:
            return None
        found: dict[str, None] = {}
        left, seen = [*reversed(groups[key].members)], {key}
        while left:
            text = left.pop()
            key = fold(text)
            if "@" in text or key not in groups:
                found[text] = None
            elif key not in seen:
                seen.add(key)
                left += reversed(groups[key].members)
        return list(found)

    def known(self) -> dict[str, str]:
        """What can be typed for a person: groups, addresses, and addresses with names, each by its case-folded form."""
        groups = self.groups()
        # As long as no file has changed they are the same objects, which are not compared any further.
        state = tuple(groups.values())
        if self._known[0] != state:
            texts = [group.name for group in groups.values()]
            for group in groups.values():
                for text in group.members:
                    if "@" in text:
                        texts += [text.rpartition("<")[2].rstrip(">"), text]
            self._known = state, {text.casefold(): text for text in texts}
        return self._known[1]

    def problems(self) -> Iterator[Problem]:
        """Files that cannot be read or do not count, and one of the user's own that others can read or change."""
        for folder in (self._store.folder, *self._store.layers):
            path, shared = folder / _FILE, folder != self._store.folder
            # Of a folder that cannot be looked into, the store tells.
            if not is_there(path):
                if os.path.islink(path):  # noqa: PTH114  # the same
                    yield Problem(path, "It cannot be read: the link is broken.")
                continue
            try:
                list(_groups(_content(path, shared=shared), path, shared=shared))
            except NotTrusted as error:
                yield Problem(path, error.refusal.sentence)
            except StoreError as error:
                yield Problem(path, f"It {error.message.removeprefix(f'{atomic_files.show(path)} ')}")
            if not shared:
                yield from open_to_others(path, "600")

    def _require(self, name: str) -> Group:
        groups = self.groups()
        group = groups.get(fold(str(name)))
        if group is None:
            raise UnknownGroup(
                f"There is no group {shown(name)}.{did_you_mean(str(name), [one.name for one in groups.values()])}",
                hint="%mailconn people lists those there are.",
            )
        return group

    def _of(self, path: Path, *, shared: bool) -> dict[str, Group]:
        try:
            status = path.stat()
            state = status.st_ino, status.st_ctime_ns, status.st_size
        except OSError:
            return {}
        before = self._read.get(path)
        if before is None or before[0] != state:
            try:
                content = _content(path, shared=shared)
            except NotTrusted:
                # Not read: a stranger's file may name anybody. Nor kept: what was wrong may be a folder that a link leads to.
                return {}
            groups = {fold(name): group for name, group in _groups(content, path, shared=shared)}
            before = self._read[path] = state, groups
        return before[1]

    def _change(self, name: str, members: list[str] | None) -> None:
        with atomic_files.locked(self._store.folder):
            there = self.groups().get(fold(name))
            if there is not None and there.locked:
                raise StoreError(
                    f"The group {there.name!r} is locked: it comes from {atomic_files.show(there.path)} and cannot be "
                    "changed here."
                )
            content = _content(self._path, shared=False)
            known = content.get("groups")
            groups = {key: value for key, value in (known or {}).items() if fold(key) != fold(name)}
            if members is not None:
                groups[name] = members
            data = json.dumps({**content, "groups": groups}, indent=2, ensure_ascii=False).encode(errors="replace")
            if len(data) >= _MOST_BYTES:
                raise StoreError(f"The group {name!r} cannot be kept: with it the file is larger than 5 MB.")
            atomic_files.write(self._path, data + b"\n")


def _content(path: Path, *, shared: bool) -> dict[str, Any]:
    """What the file says; an error names it, for a group that is missing would be a message that nobody gets."""
    try:
        data = atomic_files.read(path, _MOST_BYTES, require_trusted if shared else None)
        found = json.loads(data.decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise atomic_files.unreadable(path, error) from error
    except (ValueError, RecursionError):
        raise atomic_files.unreadable(path, "it is not JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("groups", {}), dict):
        raise atomic_files.unreadable(path, "it holds no groups")
    return found


def _groups(content: dict[str, Any], path: Path, *, shared: bool) -> Iterator[tuple[str, Group]]:
    for name, said in content.get("groups", {}).items():
        members = said.get("members") if isinstance(said, dict) else said
        if not isinstance(members, list) or not all(isinstance(one, str) for one in members):
            raise atomic_files.unreadable(path, f"the group {shown(name)} is not a list of addresses")
        locked = shared and isinstance(said, dict) and said.get("locked") is True
        yield name, Group(name, tuple(members), path, shared, locked)


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise StoreError(f"{shown(name)} cannot be the name of a group.", hint="A word will do, for example: team")
    if bad := _UNFIT.intersection(name):
        raise StoreError(f"{shown(name)} cannot be the name of a group: it contains {min(bad)!r}.")
    return name.strip()


def _written(mailbox: Mailbox) -> str:
    if not mailbox.name:
        return str(mailbox.address)
    name = mailbox.name
    if not all(sign.isalnum() or sign in " -'._" for sign in name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{mailbox.address}>"


#: The groups of the user's config.
people: Final = People(connections)
named_by(people.members)
