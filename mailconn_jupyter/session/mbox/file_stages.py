"""Opening a mailbox file: the stages of every session, of which a file needs three."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ...errors import OpenError
from ...formatting import how_large
from ...paths import expanded
from ...transport.deadline import Limit
from ..opening.run_stages import StagedOpening, Step
from ..opening.stages import StageResult
from .errors import open_error
from .file_lock import Lockable, lock_patiently, locked_by, open_file, refuse_other_formats
from .index import count_messages
from .rewrite import finish_interrupted

__all__ = ["FileOpening", "MBOXAdapter"]

#: Bytes that a test counts the messages of; a larger file is said to have more.
MOST_COUNTED: Final = 2 * 2**30


class FileSession(Lockable, Protocol):
    """What a session has that reads a file."""

    readonly: bool

    def take(self, file: BinaryIO, path: str) -> None:
        """Read this file from now on."""

    def close(self) -> None:
        """Close it."""


class MBOXAdapter:
    """What a session with a file does at the stages of its opening."""

    protocol = "MBOX"

    def __init__(self, session: FileSession) -> None:
        self._session = session
        self._file: BinaryIO | None = None
        self._path = Path()

    def open(self, path: Path, limit: Limit) -> os.stat_result:
        """Open the file, and lock it if it may be written."""
        session = self._session
        with contextlib.ExitStack() as undo:
            file = undo.enter_context(open_file(path, readonly=session.readonly))
            refuse_other_formats(file, path)
            undo.pop_all()
        session.take(file, str(path))
        self._file, self._path = file, path
        if not session.readonly:
            lock_patiently(session, file, path, limit)
            finish_interrupted(file, str(path))
        return os.fstat(file.fileno())

    def ready(self, *, testing: bool) -> dict[str, str]:
        readonly, file = self._session.readonly, self._file
        facts = {"Access": "read-only" if readonly else "locked for writing"}
        if not testing or file is None:
            return facts
        count, seen = count_messages(file, most_bytes=MOST_COUNTED)
        more = f" (in the first {how_large(seen)})" if seen < os.fstat(file.fileno()).st_size else ""
        facts["Messages"] = f"{'at least ' if more else ''}{count}{more}"
        if readonly:
            facts["Locked"] = locked_by(file, self._path) or "no"
        return facts

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return open_error(error)

    def close(self) -> None:
        self._session.close()


class FileOpening(StagedOpening[MBOXAdapter]):
    """One opening of one mailbox file: ``resolve`` finds it, ``connect`` opens it, ``ready`` knows that it is one."""

    _path = Path()

    def steps(self) -> Sequence[Step]:
        """A file is found, opened and looked at; there is nobody to secure, greet or log in to."""
        return (
            self._resolve,
            self._connect,
            lambda result: result.skip("A file has no link to secure."),
            lambda result: result.skip("A file has no server to greet."),
            lambda result: result.skip("The rights of the file are the login."),
            self._ready,
        )

    def _resolve(self, result: StageResult) -> None:
        self.options = options = self.given.resolved()
        # A link is followed now: to replace the link itself would leave the mailbox where it was.
        self._path = Path(os.path.realpath(expanded(options.server_host)))
        result.facts["File"] = str(self._path)

    def _connect(self, result: StageResult) -> None:
        found = self.adapter.open(self._path, self.limit)
        changed = datetime.datetime.fromtimestamp(found.st_mtime).astimezone()
        result.facts["Size"] = how_large(found.st_size)
        result.facts["Changed"] = f"{changed:%Y-%m-%d %H:%M}"

    def _ready(self, result: StageResult) -> None:
        result.facts.update(self.adapter.ready(testing=self.testing))
