"""What the last test of each connection said, so that the list can show it.

One small JSON file a connection, under the Jupyter data directory: it is not configuration, and losing it costs
nothing. So nothing here raises for a file that is broken or a folder that cannot be written to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import StoreError
from ..names import encode
from ..own_folder import own_folder
from . import atomic_files

__all__ = ["Outcome", "forget", "last", "move", "record", "record_all"]

_MOST_BYTES = 10_000
_LONGEST_SUMMARY = 500
# A test is not held up by another process that writes there.
_LOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Outcome:
    """How a test ended: its one-line summary, when it was (aware, UTC) and how many milliseconds it took."""

    ok: bool
    summary: str
    when: datetime
    milliseconds: float


def folder() -> Path:
    """Where the outcomes are kept."""
    return own_folder("data")[0] / "checks"


def record(name: str, *, ok: bool, summary: str, milliseconds: float) -> None:
    """Keep the outcome of a test that has just ended, in the place of the one before."""
    record_all({name: Outcome(ok, summary, datetime.now(UTC), milliseconds)})


def record_all(outcomes: Mapping[str, Outcome]) -> None:
    """The same of several, by the names of their connections: the folder's lock is waited for once."""
    if not outcomes:
        return
    # The data directory may be read-only, full or somebody else's: the test itself has not failed.
    with suppress(StoreError), atomic_files.locked(folder(), _LOCK_SECONDS):
        for name, outcome in outcomes.items():
            content = {
                "name": name,
                "ok": bool(outcome.ok),
                "summary": outcome.summary[:_LONGEST_SUMMARY],
                "when": outcome.when.isoformat(),
                "milliseconds": float(outcome.milliseconds),
            }
            atomic_files.write(_path(name), (json.dumps(content, indent=2) + "\n").encode(), lasting=False)


def last(name: str) -> Outcome | None:
    """The outcome of the last test of ``name``; None when there was none, or its file is broken."""
    try:
        found = json.loads(atomic_files.read(_path(name), _MOST_BYTES))
        ok, summary, milliseconds = found["ok"], found["summary"], float(found["milliseconds"])
        read = datetime.fromisoformat(found["when"])
        # Without a zone it would be taken for the local time.
        when = read.astimezone(UTC) if read.tzinfo else None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if not isinstance(ok, bool) or not isinstance(summary, str) or not math.isfinite(milliseconds) or when is None:
        return None
    return Outcome(ok, summary, when, milliseconds)


def forget(name: str) -> None:
    """Drop what is known of ``name``."""
    # Without the folder there is nothing to forget, and nothing to make.
    with suppress(StoreError, OSError):
        if _path(name).exists():
            with atomic_files.locked(folder(), _LOCK_SECONDS):
                atomic_files.remove(_path(name))


def move(old: str, new: str) -> None:
    """Let the outcome follow a connection that was renamed."""
    with suppress(StoreError, OSError):
        if _path(old).exists() and _path(old) != _path(new):
            with atomic_files.locked(folder(), _LOCK_SECONDS):
                _path(old).replace(_path(new))


def _path(name: str) -> Path:
    return folder() / f"{encode(name)}.json"
