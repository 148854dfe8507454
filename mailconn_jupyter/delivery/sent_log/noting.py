"""What ``send()`` and ``send_many()`` note in the log; never is a delivery held up, or made to fail, by that."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Protocol

from ...connection import MailConnection
from ...errors import MailConnError, warn
from ...store import connections, settings
from ..report import SendReport, Word
from .log_entry import Fate, LogEntry
from .log_file import LogFile

__all__ = ["Noting", "keeps", "note", "set_keeping"]

_SETTING: Final = "sent_log"
_OFF: Final = "off"
_SECONDS: Final = 1.0


def keeps() -> bool:
    """Whether what is sent is noted: unless the user's settings say otherwise."""
    try:
        return settings.read(connections.folder).get(_SETTING) != _OFF
    except MailConnError:
        # A file that cannot be read may say so.
        return False


def set_keeping(*, on: bool) -> None:
    """Note what is sent from now on, or do not. Raises :class:`~mailconn_jupyter.errors.StoreError`."""
    from ...store import atomic_files  # noqa: PLC0415  # for this alone

    with atomic_files.locked(connections.folder):
        settings.write(connections.folder, _SETTING, None if on else _OFF)


def note(report: SendReport, connection: MailConnection | None) -> None:
    """Note one message that was sent, or was to be."""
    noting = Noting(connection)
    noting.add(report.message_id, report.subject, report.size, report.outcomes)
    noting.flush()


class Noted(Protocol):
    """What became of a message for one recipient, as any report has it."""

    @property
    def recipient(self) -> str: ...

    @property
    def outcome(self) -> Word: ...

    @property
    def code(self) -> int: ...

    @property
    def words(self) -> str: ...


class Noting:
    """Notes messages, together where many come in a second. Threads may share it."""

    def __init__(self, connection: MailConnection | None) -> None:
        self._connection = "" if connection is None else str(connection.name)
        self._keeps = keeps()
        self._waiting: list[LogEntry] = []
        self._flushed = time.monotonic()
        self._lock = threading.Lock()

    def add(self, message_id: str, subject: str, size: int, outcomes: Iterable[Noted]) -> None:
        """Note what became of a message for some of its recipients."""
        fates = {each.recipient: Fate(each.outcome, each.code, each.words) for each in outcomes}
        if not self._keeps or not fates:
            return
        entry = LogEntry(datetime.now(UTC), self._connection, subject, message_id, size, fates)
        with self._lock:
            self._waiting.append(entry)
            if time.monotonic() - self._flushed > _SECONDS:
                self._write()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._flushed = time.monotonic()
        if not waiting:
            return
        try:
            LogFile().add(waiting)
        except MailConnError as error:
            self._keeps = False
            warn(
                f"The sent message could not be logged: {error.message} To turn the log off, run: %mailconn sent --off"
            )
