"""Which connection is meant when none is named: one for sending mail, and one for reading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..connection import MailConnection
from ..errors import StoreError
from ..names import fold
from . import settings
from .layer import Entry

__all__ = ["Defaults"]

_SENDING: Final = "default"
_READING: Final = "default_for_reading"


class Defaults:
    """The choices that the settings of ``folder`` hold. Who changes them holds the folder's lock.

    ``find`` gives what has a name, None where nothing has; ``unknown`` the error for a name, by what is said and the hint.
    """

    def __init__(
        self, folder: Path, find: Callable[[str], Entry | None], unknown: Callable[[str, str, str], StoreError]
    ) -> None:
        self.folder = folder
        self._find = find
        self._unknown = unknown

    def pick(self, everything: Callable[[], list[MailConnection]], *, sends: bool | None) -> MailConnection:
        """The one that is meant for sending, for reading or (None) for either: a choice, or the only one that does it."""

        def fits(connection: MailConnection) -> bool:
            return sends is None or connection.sends == sends

        gone = ""
        for name in self.names():
            entry = self._find(name)
            if entry is None:
                gone = name
            elif fits(connection := entry.require()):
                return connection
        if gone:
            message = f"The default connection {gone!r} is no longer there."
            raise self._unknown(gone, message, "Choose another with %mailconn default NAME.")
        all_of_them = everything()
        # Where none does what is asked for, the caller says so of the only one.
        known = [*filter(fits, all_of_them)] or all_of_them
        if len(known) == 1:
            return known[0]
        if not known:
            raise StoreError(
                "There is no mail server connection yet.",
                hint="Make one with %mailconn new NAME HOST, or with %mailconn form.",
            )
        names = ", ".join(connection.name for connection in known[:5]) + (", ..." if len(known) > 5 else "")
        raise StoreError(
            f"Which connection? There are {len(known)}: {names}.",
            hint="Name it, or set a default with %mailconn default NAME.",
        )

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
        entry = self._find(before[0]) if before and connection.sends else None
        if entry is not None and entry.connection is not None and not entry.connection.sends:
            # One choice for everything may have been a mailbox, which is still meant for reading.
            settings.write(self.folder, _READING, entry.connection.name)
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
