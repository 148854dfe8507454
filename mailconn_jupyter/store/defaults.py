"""Which connection is meant when none is named: one for sending mail, and one for reading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..connection import MailConnection
from ..errors import StoreError
from ..names import fold
from . import settings

__all__ = ["Defaults"]

_SENDING: Final = "default"
_READING: Final = "default_for_reading"


class Defaults:
    """The choices that the settings of ``folder`` hold; ``find`` gives the connection of a name, None where there is none.

    Who changes them holds the folder's lock.
    """

    def __init__(self, folder: Path, find: Callable[[str], MailConnection | None]) -> None:
        self.folder = folder
        self._find = find

    def names(self) -> list[str]:
        """The connections that were chosen, that for sending first; none where the settings cannot be read."""
        try:
            said = settings.read(self.folder)
        except StoreError:
            return []
        return [name for key in (_SENDING, _READING) if isinstance(name := said.get(key), str) and name]

    def choose(self, connection: MailConnection) -> None:
        """Let this one be meant for what it does."""
        before = self.names()
        if connection.sends and before and (reader := self._find(before[0])) is not None and not reader.sends:
            # One choice for everything may have been a mailbox, which is still meant for reading.
            settings.write(self.folder, _READING, reader.name)
        settings.write(self.folder, _SENDING if connection.sends else _READING, connection.name)

    def clear(self) -> None:
        """Choose none."""
        for key in (_SENDING, _READING):
            settings.write(self.folder, key, None)

    def follow(self, key: str, new: str | None) -> list[str]:
        """Go with a connection (``key`` is its folded name) that is renamed, or with None deleted; returns what went wrong."""
        said = settings.read(self.folder) if self.names() else {}
        wrong = []
        for setting in (_SENDING, _READING):
            name = said.get(setting)
            if isinstance(name, str) and fold(name) == key:
                try:
                    settings.write(self.folder, setting, new)
                except OSError as error:
                    wrong.append(f"{name!r} is still the default: {error.strerror or error}.")
        return wrong
