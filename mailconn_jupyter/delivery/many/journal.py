"""A journal of a batch, so that it can be taken up again: who was sent what, on disk before it leaves.

One SQLite file a journal, for its owner alone: in the Jupyter data directory by a name, or at a path. It keeps a rollback
journal, not WAL, which does not work on the network file systems where many hubs' homes lie. For each message it holds the
intent to send it, before the content leaves, and then the outcome: what has an intent alone may have arrived. A transaction
is written through to the disk.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import MailConnError, OptionError
from ...formatting import shown
from ...names import decode, encode
from ...own_folder import own_folder
from ...store import atomic_files

__all__ = ["Journal", "JournalError", "Known", "journal_names", "journal_path", "using"]

_ENDING: Final = ".sqlite3"
_APPLICATION: Final = 0x6D636A31  # "mcj1": tells a journal from another program's file
_LOCK_SECONDS = 10.0  # for another program that has the file open
_SCHEMA: Final = """
    BEGIN EXCLUSIVE;
    PRAGMA application_id = {application};
    CREATE TABLE journal (id TEXT NOT NULL);
    CREATE TABLE deliveries (
        key TEXT NOT NULL, recipient TEXT NOT NULL, message_id TEXT NOT NULL,
        outcome TEXT NOT NULL, code INTEGER NOT NULL, words TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (key, recipient)
    ) WITHOUT ROWID;
    INSERT INTO journal VALUES ('{id}');
    COMMIT;
"""
_INTENT: Final = "begun"

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


class JournalError(MailConnError):
    """The journal of a batch cannot be used; ``report`` (may be None) is of what was sent before that."""

    report: Any = None


class Known(NamedTuple):
    """What the journal has of one message for one recipient; ``at`` is the time (ISO 8601, UTC)."""

    key: str
    recipient: str
    message_id: str
    outcome: str
    code: int
    words: str
    at: str

    @property
    def in_doubt(self) -> bool:
        """Whether it may have arrived: nobody knows."""
        return self.outcome in {"unknown", _INTENT}

    @property
    def settled(self) -> str:
        """The outcome; what was begun, and not ended, is unknown."""
        return "unknown" if self.in_doubt else self.outcome


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
    return Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111  # a link in it stays; Path raises for ~nobody


def journal_names() -> list[str]:
    """The journals of the Jupyter data directory."""
    with suppress(OSError):
        return sorted(decode(path.stem) for path in _folder().iterdir() if path.suffix == _ENDING)
    return []


@contextmanager
def using(given: str | PathLike[str]) -> Iterator[Journal]:
    """The journal for a batch, made where there is none; no other batch uses it meanwhile.

    Raises :class:`JournalError`, and :class:`~mailconn_jupyter.errors.StoreError` for a folder that cannot be written to.
    """
    path = journal_path(given)
    if path.parent == _folder():
        with atomic_files.locked(path.parent):
            pass
    _require_private(path)
    with _guarded(path):
        journal = Journal(path)
        try:
            yield journal
        finally:
            journal.close()


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Keep other batches off it, by a lock of SQLite on a file beside it: a forked child neither has it nor lets it go."""
    guard = path.with_name(f"{path.name}.lock")
    _require_private(guard)
    held = sqlite3.connect(guard, timeout=0, isolation_level=None)
    try:
        held.execute("BEGIN EXCLUSIVE")
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
    hint = "It was left as it is: mend it, or move it away and know that everybody would be sent everything again."
    if "locked" in reason:
        reason, hint = "another program has locked it", "Close what has it open, and run it again."
    elif not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.OperationalError):
        hint = "What it says of earlier batches is as it was. Make room, or choose another place, and run it again."
    return JournalError(f"The journal {atomic_files.show(path)} cannot be used: {reason.rstrip('.')}.", hint=hint)


class Journal:
    """The rows of one journal; threads may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._later: list[Known] = []
        self._noting = threading.Lock()
        with self._working():
            self._db = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                if not self._one("PRAGMA page_count"):
                    self._db.executescript(_SCHEMA.format(application=_APPLICATION, id=secrets.token_hex(16)))
                elif self._one("PRAGMA application_id") != _APPLICATION:
                    raise sqlite3.DatabaseError("it is another program's file")
                self._db.execute("PRAGMA journal_mode = TRUNCATE")
                self._db.execute("PRAGMA synchronous = FULL")
                self._id = str(self._one("SELECT id FROM journal"))
                # Whoever makes the messages need not wait for what is being written, to hear that it has no word of one.
                self._before = {key for (key,) in self._db.execute("SELECT DISTINCT key FROM deliveries")}
            except BaseException:
                self._db.close()
                raise

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchone()[0]

    @contextmanager
    def _working(self) -> Iterator[None]:
        with _at_work:
            try:
                yield
            except sqlite3.Error as error:
                raise _failure(self.path, error) from error

    def message_id(self, key: str, domain: str) -> str:
        """The Message-ID of the message of that key: the same each time, and another one in every other journal."""
        return f"<{hashlib.sha256(f'{self._id} {key}'.encode()).hexdigest()[:40]}@{domain}>"

    def known(self, key: str) -> dict[str, Known]:
        """What it had of the message of that key when it was opened, by recipient."""
        if key not in self._before:
            return {}
        with self._working():
            rows = self._db.execute("SELECT * FROM deliveries WHERE key = ?", (key,)).fetchall()
        return {row[1]: Known(*row) for row in rows}

    def every(self) -> list[Known]:
        """All of it, the latest last."""
        with self._working():
            return [Known(*row) for row in self._db.execute("SELECT * FROM deliveries ORDER BY at, key, recipient")]

    def intend(self, key: str, message_id: str, recipients: Iterable[str]) -> None:
        """Have on disk that the message is about to be sent; with it, what :meth:`settle` was told."""
        self._note(key, message_id, dict.fromkeys(recipients, (_INTENT, 0, "")))
        self.flush()

    def settle(self, key: str, message_id: str, outcomes: Mapping[str, tuple[str, int, str]]) -> None:
        """Note outcome, code and words for each recipient; they are on disk with the next intent, or :meth:`flush`."""
        self._note(key, message_id, outcomes)

    def _note(self, key: str, message_id: str, outcomes: Mapping[str, tuple[str, int, str]]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [
            Known(key, recipient, message_id, outcome, code, words, at)
            for recipient, (outcome, code, words) in outcomes.items()
        ]
        with self._noting:
            self._later += rows

    def flush(self) -> None:
        """Write through to the disk what was noted; after an error it is still noted."""
        with self._working():
            # All that came while another thread's transaction was written.
            with self._noting:
                rows, self._later = self._later, []
            if not rows:
                # That one had it with it.
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                with self._noting:
                    self._later = rows + self._later
                raise

    def close(self) -> None:
        """Close the file."""
        with _at_work:
            self._db.close()
