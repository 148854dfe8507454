"""Where the journal of a campaign is: a file, for the processes of one machine, or a database, for those of any number."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...store import atomic_files
from .journal import journal_path, using
from .journal_base import BaseJournal, JournalError

__all__ = ["Place", "place_of"]


class Place(Protocol):
    """It goes along with a campaign."""

    def opened(self, again: frozenset[str], run: str) -> AbstractContextManager[BaseJournal]:
        """The journal, made where there is none; raises :class:`JournalError`."""

    @property
    def shown(self) -> str:
        """For a person."""


@dataclass(frozen=True)
class _File:
    campaign: str
    path: str
    machine: tuple[str, str]

    @contextmanager
    def opened(self, again: frozenset[str], run: str) -> Iterator[BaseJournal]:
        here = _this_machine()
        if here != self.machine:
            raise JournalError(
                f"The journal of the campaign {self.campaign!r} is a file on {self.machine[0]}, and this is {here[0]}: "
                "what one of them sends, the other would send again.",
                hint='Give the campaign a database that all of them reach: journal="postgresql+psycopg://user@host/name"',
            )
        with using(Path(self.path), shared=True, again=again, run=run) as journal:
            yield journal

    @property
    def shown(self) -> str:
        return atomic_files.show(Path(self.path))


def _this_machine() -> tuple[str, str]:
    """Its name, and what tells it from others of that name (Linux: the id of its last start)."""
    started = ""
    with suppress(OSError):
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return platform.node(), started


def place_of(given: Any, campaign: str) -> Place:
    """The journal that was asked for, by default a file of the campaign's name; raises OptionError for what is none."""
    if isinstance(given, str) and "://" in given:
        from .database_place import database_of  # noqa: PLC0415  # an extra

        return database_of(given, campaign)
    return _File(campaign, str(journal_path(campaign if given is None else given)), _this_machine())
