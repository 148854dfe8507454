"""What is offered while somebody types: groups, people and earlier recipients; and the paths of files."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Final

from ...delivery.sent_log.recent_recipients import RecentRecipients
from ...errors import MailConnError
from ...formatting import counted
from ...paths import expanded
from ...store.people import Group, people

__all__ = ["Offered", "files"]

_MOST: Final = 8
_WORDS: Final = re.compile(r"[\s<>@.,;\"'()_+-]+")
_MOST_ENTRIES: Final = 2000
#: The same object each time, as where there are files.
_NOBODY: Final[Mapping[str, str]] = {}
#: Who is written to is known in another order after each mail, by the same words.
_MOST_KNOWN: Final = 20_000


class Offered:
    """Everybody who is known here, by the beginning of each word of their name or address."""

    def __init__(self) -> None:
        self._recent = RecentRecipients()
        self._lock = threading.Lock()
        self._read: tuple[object, object] = None, None
        self._all: list[tuple[str, str, str]] = []

    def prepare(self) -> None:
        """Read what there is in a thread, so that the first letter need not wait for it."""
        threading.Thread(target=self._everybody, name="mailconn-offered", daemon=True).start()

    def recipients(self, typed: str) -> list[tuple[str, str]]:
        """The first that fit, groups before people, those that were written to often before others; each with a note."""
        wanted = f" {' '.join(_WORDS.split(typed.casefold())).strip()}"
        if wanted == " ":
            return []
        found = ((text, note) for words, text, note in self._everybody() if wanted in words)
        return list(islice(found, _MOST))

    def _everybody(self) -> list[tuple[str, str, str]]:
        """The words of each, what is typed for them, and what stands beside that."""
        known = _NOBODY
        groups: Mapping[str, Group] = {}
        # A file that cannot be read is told where mail is sent.
        with suppress(MailConnError):
            known, groups = people.known(), people.groups()
        counts = self._recent.counts()
        with self._lock:
            # Each is the same object as long as nothing has changed.
            if self._read[0] is not known or self._read[1] is not counts:
                self._read = known, counts
                self._all = list(_ordered(known, groups, counts))
            return self._all


def _ordered(
    known: Mapping[str, str], groups: Mapping[str, Group], counts: Mapping[str, int]
) -> Iterator[tuple[str, str, str]]:
    for text in known.values():
        if "@" not in text:
            number = len(people.members(text, groups) or ())
            yield _words(text), text, f"group, {counted(number, 'address', 'addresses')}"
    persons: dict[str, str] = {address: address for address in counts}
    for text in known.values():
        if "@" in text:
            address = text.rpartition("<")[2].rstrip(">")
            # Better with the name.
            if "<" in text or address not in persons:
                persons[address] = text
    last = {address: place for place, address in enumerate(counts)}
    order = sorted(persons, key=lambda address: (-counts.get(address, 0), -last.get(address, -1)))
    for address in order:
        yield _words(persons[address]), persons[address], "" if address not in counts else "written to before"


@lru_cache(_MOST_KNOWN)
def _words(text: str) -> str:
    return f" {' '.join(_WORDS.split(text.casefold()))}"


def files(typed: str) -> list[tuple[str, str]]:
    """The files and folders whose paths begin so; a folder ends in a slash."""
    folder, _, name = typed.rpartition("/")
    start = f"{folder}/" if "/" in typed else ""
    found: list[tuple[str, str]] = []
    with suppress(OSError, ValueError), os.scandir(expanded(start or ".")) as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            if entry.name.startswith(name) and (name or not entry.name.startswith(".")):
                inside = entry.is_dir()
                found.append((f"{start}{entry.name}{'/' if inside else ''}", "folder" if inside else ""))
    return sorted(found)[:_MOST]
