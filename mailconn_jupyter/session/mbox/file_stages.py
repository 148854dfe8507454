"""Opening a mailbox file: the stages of every session, of which a file needs three."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Protocol, cast

from ...formatting import how_large
from ...transport.deadline import Limit
from ..opening.adapter import Adapter
from ..opening.run_stages import Opening
from ..opening.stages import StageResult

__all__ = ["FileOpening"]


class _OpensFile(Protocol):
    """What a session with a file does besides."""

    def open_file(self, path: Path, limit: Limit) -> os.stat_result: ...


class FileOpening(Opening):
    """One opening of one mailbox file: ``resolve`` finds it, ``connect`` opens it, ``ready`` knows that it is one."""

    _path = Path()

    def _resolve(self, adapter: Adapter, result: StageResult) -> None:
        self._options = options = self._given.resolved()
        # A link is followed now: to replace the link itself would leave the mailbox where it was.
        self._path = Path(os.path.realpath(os.path.expanduser(options.server_host)))  # noqa: PTH111  # Path raises for ~nobody
        result.facts["File"] = str(self._path)

    def _connect(self, adapter: Adapter, result: StageResult) -> None:
        found = cast("_OpensFile", adapter).open_file(self._path, self._limit)
        changed = datetime.datetime.fromtimestamp(found.st_mtime).astimezone()
        result.facts["Size"] = how_large(found.st_size)
        result.facts["Changed"] = f"{changed:%Y-%m-%d %H:%M}"

    def _secure(self, adapter: Adapter, result: StageResult) -> None:
        result.outcome, result.message = "skipped", "A file has no link to secure."

    def _greet(self, adapter: Adapter, result: StageResult) -> None:
        result.outcome, result.message = "skipped", "A file has no server to greet."

    def _authenticate(self, adapter: Adapter, result: StageResult) -> None:
        result.outcome, result.message = "skipped", "The rights of the file are the login."
