"""Small files that survive a crash, a full disk and two kernels: the folder's lock, the atomic write.

A write goes to a temporary file in the folder of the real file, is flushed to the disk and takes the file's place in
one step, so a reader sees the old file or the new one and never half of it. Whoever is killed leaves a temporary file;
the next to take the folder's lock sweeps it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import StoreError

__all__ = ["create", "digest", "locked", "move", "read", "remove", "show", "unreadable", "write"]

LOCK_SECONDS = 10.0
"""How long to wait for another process that writes to the same folder."""

_TEMPORARY = re.compile(r"\.mailconn-[0-9a-f]{16}\.tmp")
# Beside a file that a link leads to, another folder's lock may rule: only what is surely dead is swept there.
_DEAD_SECONDS = 3600.0


def show(path: Path) -> str:
    """``path`` as text that can always be printed, also where its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def digest(data: bytes) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha256(data).hexdigest()


def unreadable(path: Path, why: OSError | str) -> StoreError:
    """The error for a file that cannot be used, and is left as it is."""
    reason = why if isinstance(why, str) else why.strerror or str(why)
    return StoreError(
        f"{show(path)} cannot be read: {reason}.", hint="The file was left unchanged; repair it or move it away."
    )


def read(path: Path, most: int, check: Callable[[int, Path], None] | None = None) -> bytes:
    """The whole of a regular file of at most ``most`` bytes; anything else is an :class:`OSError` that says why.

    ``check`` sees the open file before anything is read, and may raise.
    """
    # Without O_NONBLOCK a FIFO of that name would hold the kernel for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is not a file")
        if check is not None:
            check(descriptor, path)
        size = status.st_size
        data = b""
        # One byte more than is allowed, so that a file that grows meanwhile is noticed.
        while size <= most and len(data) <= most and (part := os.read(descriptor, most + 1 - len(data))):
            data += part
        if max(size, len(data)) > most:
            raise OSError(f"it is larger than {most // 1000} kB")
        return data
    finally:
        os.close(descriptor)


def create(path: Path, data: bytes, mode: int = 0o600) -> None:
    """A new file, whole or not at all: neither what is there nor what a link leads to is written to.

    Raises :class:`FileExistsError` where something is there, and any :class:`OSError` of the disk.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def write(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """Put ``data`` in the place of ``path`` in one step, for the owner alone (0600); a link stays a link.

    The caller holds the folder's lock. An :class:`OSError` means that nothing was changed. What need not be there after a
    crash of the machine is not ``lasting``: nobody waits for the disk then.
    """
    real = Path(os.path.realpath(path))
    temporary = real.with_name(f".mailconn-{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), stat.S_IRUSR | stat.S_IWUSR
        )
        with os.fdopen(descriptor, "wb") as file:
            # A strict umask would leave a file that not even its owner can read.
            temporary.chmod(0o600)
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(real)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if lasting:
        _sync(real.parent)
    if real.parent != Path(os.path.realpath(path.parent)):
        _sweep(real.parent, _DEAD_SECONDS)


def remove(path: Path) -> None:
    """Remove a file, or the link to it, so that it stays removed after a crash."""
    path.unlink()
    _sync(path.parent)


def move(old: Path, new: Path) -> None:
    """Give a file, or the link to it, another name in its folder. The caller has looked that ``new`` is free."""
    old.rename(new)
    _sync(new.parent)


@contextmanager
def locked(folder: Path, seconds: float | None = None) -> Iterator[None]:
    """Make ``folder`` (0700) where it is missing and hold its lock; temporary files of the dead are swept first.

    Raises :class:`~mailconn_jupyter.errors.StoreError` when the folder cannot be written to, or is locked for longer
    than ``seconds`` (by default :data:`LOCK_SECONDS`). An :class:`OSError` of the body, a full disk for example,
    becomes one too.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415  # 50 ms that %load_ext must not cost

    seconds = LOCK_SECONDS if seconds is None else seconds
    # Two ways to one folder must meet at one lock.
    real = Path(os.path.realpath(folder))
    lock = FileLock(real / ".lock", timeout=seconds, mode=0o600)
    try:
        _make(real)
        lock.acquire(poll_interval=0.01)
    except Timeout:
        raise StoreError(
            f"{show(folder)} is locked: another process has been writing there for more than {seconds:g} seconds.",
            hint="Try again; if that does not help, look for a kernel that hangs.",
        ) from None
    except (OSError, NotImplementedError) as error:
        raise _unwritable(folder, error) from error
    try:
        _sweep(real, 0)
        yield
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        lock.release()


def _unwritable(folder: Path, error: Exception) -> StoreError:
    reason = getattr(error, "strerror", None) or str(error)
    return StoreError(
        f"{show(folder)} cannot be written to: {reason}.",
        hint="Nothing was changed. JUPYTER_CONFIG_DIR and JUPYTER_DATA_DIR choose other directories.",
    )


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    missing = [folder, *(parent for parent in folder.parents if not parent.exists())]
    for part in reversed(missing):
        with suppress(FileExistsError):
            part.mkdir(mode=0o700)
            # As for files: the umask must not take away what the owner needs.
            part.chmod(0o700)
    if not folder.is_dir():
        raise NotADirectoryError(0, "it is not a folder")


def _sweep(folder: Path, age: float) -> None:
    """Remove our temporary files that are at least ``age`` seconds old."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _TEMPORARY.fullmatch(entry.name):
                continue
            # With no age the clock is not asked: a file server's may be ahead.
            if not age or entry.stat(follow_symlinks=False).st_mtime <= time.time() - age:
                with suppress(OSError):
                    Path(entry.path).unlink()


def _sync(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can; the files themselves are there already."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
