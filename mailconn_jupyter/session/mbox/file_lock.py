"""The file of a mailbox: opened without a trace, known to be one, and locked as mail programs lock it."""

from __future__ import annotations

import contextlib
import datetime
import errno
import mailbox
import os
import stat
import time
from pathlib import Path
from typing import BinaryIO, Protocol

from ...transport.deadline import Limit
from ...transport.transport_errors import TransportError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # asked for below

__all__ = ["Lockable", "lock_patiently", "locked_by", "open_file", "refuse_other_formats"]

_PATIENCE = 5.0  # seconds: a program that delivers a mail holds its lock for less
_PAUSE = 0.1
_BLANK = b"\r\n"
_MOST_BLANK = 4096  # bytes of empty lines before the first message
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
}


class Lockable(Protocol):
    """What can be locked as mail programs lock a mailbox."""

    def lock(self) -> None:
        """As :meth:`mailbox.mbox.lock`."""


def open_file(path: Path, *, readonly: bool) -> BinaryIO:
    """The file, which must exist; raises with the cause. Its time of last access stays, by which programs see new mail."""
    where = str(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            kind = "a Maildir folder" if (path / "cur").is_dir() and (path / "new").is_dir() else "a folder"
            raise TransportError(f"{where} is {kind}, not a mailbox file.", cause="no-regular-file")
        if not stat.S_ISREG(found.st_mode):
            raise TransportError(f"{where} is not a regular file.", cause="no-regular-file")
        # Not through a descriptor: what locks a mailbox goes by the file's name.
        return open(where, "rb" if readonly else "rb+", opener=_without_access_time)  # the session closes it
    except TransportError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TransportError(f"There is no file {where}.", cause="no-file") from error
    except OSError as error:
        if not readonly:
            # Why it cannot be read says more than that it cannot be written.
            open_file(path, readonly=True).close()
            raise TransportError(f"{where} cannot be written ({error.strerror}).", cause="not-writable") from error
        raise TransportError(f"{where} cannot be read ({error.strerror or error}).", cause="unreadable") from error
    except ValueError as error:
        raise TransportError(f"{where!r} is not a path ({error}).", cause="no-file") from error


def _without_access_time(path: str, flags: int) -> int:
    if quiet := getattr(os, "O_NOATIME", 0):
        # Only the owner may ask for it.
        with contextlib.suppress(PermissionError):
            return os.open(path, flags | quiet)
    return os.open(path, flags)


def refuse_other_formats(file: BinaryIO, path: Path) -> None:
    """Raise unless the file is empty, or begins with a message as RFC 4155 has it."""
    try:
        file.seek(0)
        start = file.read(_MOST_BLANK)
    except OSError as error:
        raise TransportError(f"{path} cannot be read ({error.strerror}).", cause="unreadable") from error
    if not start or start.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK).startswith(b"From "):
        return
    packed = next((name for magic, name in _COMPRESSED.items() if start.startswith(magic)), "")
    if packed:
        raise TransportError(
            f"{path} is compressed ({packed}).", cause="not-a-mailbox", hint="Unpack it first, into another file."
        )
    raise TransportError(f"{path} is not a mailbox file.", cause="not-a-mailbox")


def locked_by(file: BinaryIO, path: Path) -> str:
    """What says that another program has locked the file, in words; empty if nothing does."""
    if held := _dot_locked(path):
        return held
    if fcntl is not None:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.lockf(file, fcntl.LOCK_UN)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                return "another program has it open"
    return ""


def _dot_locked(path: Path) -> str:
    with contextlib.suppress(OSError):
        lock = path.with_name(f"{path.name}.lock")
        since = datetime.datetime.fromtimestamp(lock.lstat().st_mtime).astimezone()
        return f"its lock file {lock.name} is from {since:%Y-%m-%d %H:%M}"
    return ""


def lock_patiently(session: Lockable, file: BinaryIO, path: Path, limit: Limit) -> None:
    """Lock the file as :meth:`mailbox.mbox.lock` does; another program's lock is waited for, some seconds."""
    patience = limit.within(_PATIENCE)
    while True:
        # First: to fail at the dot lock would give up the other kind, also that of another session in this process.
        held = _dot_locked(path)
        try:
            if not held:
                session.lock()
                return
        except (mailbox.ExternalClashError, FileExistsError):
            held = locked_by(file, path)
        except OSError as error:
            raise TransportError(f"{path} cannot be locked ({error.strerror}).", cause="not-writable") from error
        try:
            patience.left()
        except TransportError as error:
            if error.cause == "cancelled":
                raise
            said = f": {held}" if held else ""
            raise TransportError(f"{path} is locked by another program{said}.", cause="locked") from error
        time.sleep(_PAUSE)
