"""A journal of a batch, so that it can be taken up again: who was sent what, on disk before it leaves.

One SQLite file a journal, for its owner alone: in the Jupyter data directory by a name, or at a path. It keeps a rollback
journal, not WAL, which does not work on the network file systems where many hubs' homes lie. For each message it holds the
intent to send it, before the content leaves, and then the outcome: what has an intent alone may have arrived. A transaction
is written through to the disk.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any, Final

from ...errors import OptionError
from ...formatting import shown
from ...names import decode, encode
from ...own_folder import own_folder
from ...paths import expanded
from ...store import atomic_files
from .journal_base import COLUMNS, SETTLING, TAKING, BaseJournal, JournalError, Known

__all__ = ["Journal", "JournalError", "Known", "journal_names", "journal_path", "using"]

_ENDING: Final = ".sqlite3"
_APPLICATION: Final = 0x6D636A31  # "mcj1": tells a journal from another program's file
_LOCK_SECONDS = 60.0  # for another batch, or another program, that has the file open
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS deliveries (
        key TEXT NOT NULL, recipient TEXT NOT NULL, message_id TEXT NOT NULL,
        outcome TEXT NOT NULL, code INTEGER NOT NULL, words TEXT NOT NULL, at TEXT NOT NULL,
        batch TEXT NOT NULL DEFAULT '', PRIMARY KEY (key, recipient)
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS pace (one INTEGER PRIMARY KEY CHECK (one = 1), next REAL NOT NULL, booted REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS journal (id TEXT NOT NULL)",
)
_PLACES: Final = f"INSERT INTO deliveries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, recipient)"  # noqa: S608  # fixed
_SETTLE: Final = f"{_PLACES} {SETTLING.format(table='deliveries')}"
_TAKE: Final = f"{_PLACES} {TAKING}"
_MOST_KEYS: Final = 500  # in one question
_SAME_START: Final = 60.0  # seconds: two readings of when the machine was started are of one start

# No process is forked amid a transaction: its copy of the file's state would be rolled back by the child.
_at_work = threading.RLock()


def _hold() -> None:
    _at_work.acquire()


def _let_go() -> None:
    _at_work.release()


def _renew() -> None:
    global _at_work  # noqa: PLW0603  # the thread that holds it is the parent's
    _at_work = threading.RLock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_renew)


def _folder() -> Path:
    return own_folder("data")[0] / "journals"


def journal_path(given: object) -> Path:
    """Where the journal of that name is; a path, or a text with a slash in it, is the file itself.

    Raises :class:`~mailconn_jupyter.errors.OptionError` for what is neither.
    """
    text = os.fspath(given) if isinstance(given, str | PathLike) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise OptionError(
            f"Not a journal: journal={shown(given)}.",
            trait="journal",
            hint='Give it a name, such as "churn-47", or a path.',
        )
    if isinstance(given, str) and not {"/", os.sep} & {*given}:
        return _folder() / f"{encode(given)}{_ENDING}"
    return Path(os.path.abspath(expanded(text)))  # noqa: PTH100  # a link in it stays


def journal_names() -> list[str]:
    """The journals of the Jupyter data directory."""
    with suppress(OSError):
        return sorted(decode(path.stem) for path in _folder().iterdir() if path.suffix == _ENDING)
    return []


@contextmanager
def using(
    given: str | PathLike[str], *, shared: bool = False, again: Iterable[str] = (), run: str = ""
) -> Iterator[Journal]:
    """The journal for a batch, made where there is none; no other batch uses it meanwhile, except where all are ``shared``.

    ``again`` and ``run`` are as for :class:`~mailconn_jupyter.delivery.journals.journal_base.BaseJournal`. Raises
    :class:`JournalError`, and :class:`~mailconn_jupyter.errors.StoreError` for a folder that cannot be written to.
    """
    path = journal_path(given)
    if path.parent == _folder():
        with atomic_files.locked(path.parent):
            pass
    _require_private(path)
    with _guarded(path, shared=shared):
        journal = Journal(path, shared=shared, again=again, run=run)
        try:
            yield journal
        finally:
            journal.close()


@contextmanager
def _guarded(path: Path, *, shared: bool) -> Iterator[None]:
    """Keep other batches off it, by a lock of SQLite on a file beside it: a forked child neither has it nor lets it go."""
    guard = path.with_name(f"{path.name}.lock")
    _require_private(guard)
    held = sqlite3.connect(guard, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        held.execute("BEGIN" if shared else "BEGIN EXCLUSIVE")
        # With the first question the transaction has its part of the lock.
        held.execute("SELECT * FROM sqlite_master").fetchall()
    except sqlite3.Error as error:
        held.close()
        if "locked" not in str(error):
            raise _failure(guard, error) from error
        raise JournalError(
            f"The journal {atomic_files.show(path)} is in use: another batch is being sent with it.",
            hint="Wait for that one, or end its kernel.",
        ) from None
    try:
        yield
    finally:
        held.close()


def _require_private(path: Path) -> None:
    """Make the file, for its owner alone, or raise where it is somebody else's business."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError("it is not a file")
            if not status.st_size and hasattr(os, "fchmod"):
                # A strict umask would leave a file that not even its owner can read.
                os.fchmod(descriptor, 0o600)
                status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _failure(path, error) from error
    if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o077):
        raise JournalError(
            f"The journal {atomic_files.show(path)} is not yours alone: others can read or change it.",
            hint=f"Run: chmod 600 {atomic_files.show(path)}; or choose another place.",
        )


def _failure(path: Path, error: Exception) -> JournalError:
    reason = getattr(error, "strerror", None) or str(error)
    hint = "It was left unchanged. Repair it, or move it away; then everybody would be sent everything again."
    if "locked" in reason:
        reason, hint = "another program has locked it", "Close what has it open, and run it again."
    elif not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.OperationalError):
        hint = "Its record of earlier batches is unchanged. Free some space, or choose another place, and run it again."
    return JournalError(f"The journal {atomic_files.show(path)} cannot be used: {reason.rstrip('.')}.", hint=hint)


class Journal(BaseJournal):
    """A journal in one file. ``shared``: other batches of this machine use it meanwhile."""

    def __init__(self, path: Path, *, shared: bool = False, again: Iterable[str] = (), run: str = "") -> None:
        super().__init__(again, run)
        self.path = path
        # Whoever makes the messages need not wait for what is being written, to hear that it has no word of one.
        self._before: set[str] | None = None
        with self._working():
            self._db = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._open()
                if not shared:
                    self._before = {key for (key,) in self._db.execute("SELECT DISTINCT key FROM deliveries")}
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode = TRUNCATE")
        self._db.execute("PRAGMA synchronous = FULL")
        if not self._is_whole():
            with self._transaction():
                # Another batch may have made it meanwhile.
                self._make()
        self.id = str(self._one("SELECT id FROM journal"))

    def _is_whole(self) -> bool:
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master")}
        if tables and self._one("PRAGMA application_id") != _APPLICATION:
            raise sqlite3.DatabaseError("it is another program's file")
        return "pace" in tables

    def _make(self) -> None:
        if not self._is_whole():
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            for statement in _SCHEMA:
                self._db.execute(statement)
            if "batch" not in {row[1] for row in self._db.execute("PRAGMA table_info(deliveries)")}:
                self._db.execute("ALTER TABLE deliveries ADD COLUMN batch TEXT NOT NULL DEFAULT ''")
            if not self._one("SELECT count(*) FROM journal"):
                self._db.execute("INSERT INTO journal VALUES (?)", (secrets.token_hex(16),))

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchone()[0]

    @contextmanager
    def _working(self) -> Iterator[None]:
        with _at_work:
            try:
                yield
            except sqlite3.Error as error:
                raise _failure(self.path, error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def known(self, key: str) -> dict[str, Known]:
        if self._before is not None and key not in self._before:
            return {}
        return super().known(key)

    def _rows(self, keys: Sequence[str]) -> list[Known]:
        with self._working():
            return self._there(keys)

    def _there(self, keys: Sequence[str]) -> list[Known]:
        found: list[Known] = []
        for start in range(0, len(keys), _MOST_KEYS):
            some = keys[start : start + _MOST_KEYS]
            question = f"SELECT {COLUMNS} FROM deliveries WHERE key IN ({', '.join('?' * len(some))})"  # noqa: S608  # marks
            found += map(Known._make, self._db.execute(question, some))
        return found

    def every(self) -> list[Known]:
        """All of it, the latest last."""
        with self._working():
            rows = self._db.execute(f"SELECT {COLUMNS} FROM deliveries ORDER BY at, key, recipient")  # noqa: S608  # fixed
            return list(map(Known._make, rows))

    def sent(self) -> int:
        with self._working():
            return int(self._one("SELECT count(DISTINCT key) FROM deliveries WHERE outcome = 'accepted'"))

    def _transact(self, noted: Sequence[Known], wanted: Sequence[Known]) -> list[Known]:
        asked = {(row.key, row.recipient): row for row in wanted}
        with self._transaction():
            self._db.executemany(_SETTLE, noted)
            there = self._there(list({row.key for row in wanted}))
            taken = self.not_mine(row for row in there if (row.key, row.recipient) in asked)
            for row in taken:
                del asked[row.key, row.recipient]
            self._db.executemany(_TAKE, asked.values())
        return taken

    def turns(self, count: int, interval: float) -> float:
        """By the clock that counts from the start of this machine, whatever somebody sets its time to."""
        with self._working(), self._transaction():
            now = time.monotonic()
            booted = time.time() - now
            row = self._db.execute("SELECT next, booted FROM pace").fetchone()
            begin = max(now, row[0]) if row is not None and abs(row[1] - booted) < _SAME_START else now
            self._db.execute("INSERT OR REPLACE INTO pace VALUES (1, ?, ?)", (begin + count * interval, booted))
            return begin - now

    def close(self) -> None:
        """Close the file."""
        with _at_work:
            self._db.close()
