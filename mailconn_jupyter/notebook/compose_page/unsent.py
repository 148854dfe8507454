"""What is being written, on the disk until it is sent: a kernel that ends loses nothing of it.

It is in the user's data folder, for its owner alone: a file for each cell with a form, and a lock beside it that the form
holds while it lives, so that two forms never write one file. What nobody has touched for three months goes.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from IPython.core.getipython import get_ipython

from ...documents.this_notebook import named_notebook
from ...errors import StoreError
from ...own_folder import own_folder
from ...store import atomic_files
from .typed_mail import TypedMail

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["Kept", "Unsent", "place"]

_MOST_BYTES: Final = 20_000_000
_KEPT_SECONDS: Final = 92 * 86_400.0
#: Far from where a front end cannot count on.
_MOST_REV: Final = 2**52
_SECONDS: Final = 3.0
_DIGITS: Final = 20


def place() -> tuple[str, str]:
    """The notebook and the cell that run just now; the cell is empty where a front end does not say it."""
    parent: Any = getattr(get_ipython(), "get_parent", dict)()
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    cell = metadata.get("cellId") if isinstance(metadata, dict) else None
    return named_notebook() or _here(), str(cell or "")


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        # It was removed meanwhile.
        return ""


@dataclass(frozen=True)
class Kept:
    """A mail as it was kept: how often it had changed, when it was last, and who had got it already (addresses).

    ``sending``: the kernel ended while it was being sent.
    """

    mail: TypedMail
    rev: int = 0
    written: datetime | None = None
    had: tuple[str, ...] = ()
    sending: bool = False


class Unsent:
    """The file of one form. ``name`` tells it from the others; ``kept`` is what was in it when it was opened."""

    def __init__(self, where: tuple[str, str]) -> None:
        """Take what was left in that cell, else in another cell of that notebook, else a new file.

        Raises :class:`~mailconn_jupyter.errors.StoreError` where nothing can be kept.
        """
        self.folder = own_folder("data")[0] / "unsent"
        self.kept = Kept(TypedMail())
        #: Whether another form has a mail of that cell, here or in another kernel.
        self.elsewhere = False
        with atomic_files.locked(self.folder, _SECONDS):
            self._sweep()
            self.name, self._lock = self._opened(*where)

    def _opened(self, notebook: str, cell: str) -> tuple[str, BaseFileLock]:
        own = f"{_digest(notebook)}-{_digest(cell)}"
        stems = [path.stem for path in _newest(self.folder, own)]
        stems += [path.stem for path in _newest(self.folder, _digest(notebook)) if path.stem not in stems]
        for stem in stems:
            try:
                lock = self._taken(stem)
            except OSError:
                # Somebody else's, or no file.
                continue
            if lock is not None:
                kept = _read(self.folder / f"{stem}.json")
                if kept is not None:
                    self.kept = kept
                    return stem, lock
                # It is not ours to overwrite.
                lock.release()
            elif stem.startswith(own):
                self.elsewhere = True
        for number in count(1):
            stem = f"{own}-{number}"
            if not (self.folder / f"{stem}.json").exists() and (lock := self._taken(stem)) is not None:
                return stem, lock
        raise AssertionError

    def _taken(self, stem: str) -> BaseFileLock | None:
        from filelock import FileLock, Timeout  # noqa: PLC0415  # 50 ms that only this costs

        # The thread that ends the form need not be the one that began it.
        lock = FileLock(self.folder / f"{stem}.lock", timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            return None
        return lock

    def _sweep(self) -> None:
        """Remove what is old, unless a form still has it."""
        for stem in {path.stem for path in self.folder.glob("*-*-*.*") if path.suffix in {".json", ".lock"}}:
            paths = [self.folder / f"{stem}{suffix}" for suffix in (".json", ".lock")]
            # What cannot be removed does not keep the form from its own file.
            with suppress(OSError):
                if all(map(_is_old, paths)) and (lock := self._taken(stem)) is not None:
                    lock.release()
                    for path in paths:
                        path.unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.json"

    def write(self, kept: Kept) -> None:
        """Keep it; an empty mail is none. Raises :class:`~mailconn_jupyter.errors.StoreError`."""
        if kept.mail.is_empty:
            return self.clear()
        content = {
            "rev": kept.rev,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "had": list(kept.had),
            "sending": kept.sending,
            "mail": kept.mail.as_dict(),
        }
        data = json.dumps(content).encode()
        if len(data) > _MOST_BYTES:
            raise StoreError(f"The mail is larger than {_MOST_BYTES // 1_000_000} MB.")
        with atomic_files.locked(self.folder, _SECONDS):
            atomic_files.write(self.path, data)
        return None

    def clear(self) -> None:
        """Forget it: it was sent, or is not wanted any more. Raises as :meth:`write`."""
        with atomic_files.locked(self.folder, _SECONDS), suppress(FileNotFoundError):
            atomic_files.remove(self.path)

    def release(self) -> None:
        """Leave the file to the next form."""
        self._lock.release()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGITS]


def _newest(folder: Path, start: str) -> list[Path]:
    found = []
    for path in folder.glob(f"{start}-*.json"):
        with suppress(OSError):
            found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def _read(path: Path) -> Kept | None:
    """What a file holds; None where it cannot be told."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        found: Any = json.loads(atomic_files.read(path, _MOST_BYTES))
        written = datetime.fromisoformat(found["written"]).astimezone(UTC)
        rev = min(max(int(found["rev"]), 0), _MOST_REV)
        had = tuple(each for each in found["had"] if isinstance(each, str))
        return Kept(TypedMail.read(found["mail"]), rev, written, had, found["sending"] is True)
    return None


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _KEPT_SECONDS
    except OSError:
        return True
