"""Reading a file that holds a secret and nothing else, as Docker, Kubernetes and systemd mount them.

UTF-8, at most 64 kB, one line end at its end not counted.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import Final

from ..errors import CredentialError
from ..secret import Secret

__all__ = ["read"]

_LIMIT: Final = 64 * 1024

# A pipe without a writer would block the opening for ever; Windows would translate line ends.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read(path: str, variable: str) -> Secret | None:
    """What the file holds, None if it is no UTF-8; ``variable`` is what led to it.

    Raises :class:`~mailconn_jupyter.errors.CredentialError` for a file that is missing, too long, or one of the user's
    own that others can read.
    """
    secret = None
    problem = hint = ""
    try:
        file = os.open(path, _FLAGS)
        try:
            problem, hint = _objection(file, path)
            if not problem:
                secret = _decode(file)
        finally:
            os.close(file)
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({getattr(error, 'strerror', None) or 'not a path'})"
    if problem:
        hint = hint or f"Correct the path in {variable}, or unset the variable."
        raise CredentialError(f"{variable}: the file {path} {problem}.", hint=hint)
    return secret


def _objection(file: int, path: str) -> tuple[str, str]:
    """Why the open file is not used, and what to do; asked of the descriptor, so what is checked is what is read."""
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file", ""
    if _exposed(file, status):
        return "can be read by others", f"Run: chmod go= {shlex.quote(path)}"
    if status.st_size > _LIMIT:
        return (
            f"has {status.st_size} bytes; at most {_LIMIT} are allowed",
            "It must contain the secret and nothing else.",
        )
    return "", ""


def _exposed(file: int, status: os.stat_result) -> bool:
    """Whether others can read a file whose mode the user can mend.

    Docker and Kubernetes mount secrets as 0444 or 0644, owned by another user or on a read-only file system.
    """
    if not hasattr(os, "geteuid") or status.st_uid != os.geteuid():
        return False
    return bool(status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)) and not os.fstatvfs(file).f_flag & os.ST_RDONLY


def _decode(file: int) -> Secret | None:
    with open(file, "rb", closefd=False) as stream:
        return _without_line_end(stream.read(_LIMIT))


def _without_line_end(data: bytes) -> Secret | None:
    if data.endswith(b"\n"):
        return Secret.decode(data[:-1].removesuffix(b"\r"))
    return Secret.decode(data)
