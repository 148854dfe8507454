"""Whether a shared folder or file is an administrator's: whether anybody else could have written what it says.

A connection says where a password goes, so a file that others can write is as good as theirs. One counts if it lies on a
read-only mount, whatever its modes; else if it, and every folder above it, belongs to root, to the user or to the owner of
the Python environment (who could change the code that runs here), and not everybody can change it.

A group that can change it is the administrators', as Debian's ``staff`` is in ``/usr/local``: it counts, unless the user is
in it. Then it is a group of people like the user, as in a class; except for root's own, the environment's, and whatever
group the user's own file has.

Windows has no such modes. There everybody can make folders in ``%PROGRAMDATA%``: one counts where Jupyter itself is told
to use it (``JUPYTER_USE_PROGRAMDATA``); what else Jupyter names, an administrator named or the environment holds.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath

from ..own_folder import Refusal
from ..paths import is_there

__all__ = ["NotTrusted", "refusal_of_file", "refusal_of_folder", "refusal_on_windows", "require_trusted"]


def refusal_of_folder(folder: Path) -> Refusal | None:
    """Why no connection is taken from ``folder``; None if it counts, or is not there."""
    if os.name == "nt":
        return refusal_on_windows(str(folder), os.environ)
    if not is_there(folder):
        return None
    real = Path(os.path.realpath(folder))
    try:
        if os.statvfs(real).f_flag & os.ST_RDONLY:
            return None
        # Whoever can rename a folder above the environment has the code that runs here.
        above = [parent for parent in real.parents if parent not in Path(os.path.realpath(sys.prefix)).parents]
        found = _flaw(real, real.stat()) or next(
            (flaw for parent in above if (flaw := _flaw(parent, parent.stat(), inner=False))), None
        )
    except OSError:
        # What cannot be looked at cannot be read either; the layer says so.
        return None
    return Refusal(folder, *found) if found else None


def refusal_of_file(descriptor: int, path: Path) -> Refusal | None:
    """Why the open file is not used: asked of the descriptor, so what is judged is what is read."""
    if os.name == "nt" or os.fstatvfs(descriptor).f_flag & os.ST_RDONLY:
        return None
    found = _flaw(path, os.fstat(descriptor))
    if found:
        return Refusal(path, *found)
    elsewhere = refusal_of_folder(Path(os.path.realpath(path)).parent) if path.is_symlink() else None
    return Refusal(path, elsewhere.reason, elsewhere.remedy) if elsewhere else None


class NotTrusted(Exception):
    """Others could have written the file; ``refusal`` says so."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def require_trusted(descriptor: int, path: Path) -> None:
    """Raise :class:`NotTrusted` for an open file that is not to be used."""
    refusal = refusal_of_file(descriptor, path)
    if refusal is not None:
        raise NotTrusted(refusal)


def refusal_on_windows(folder: str, environment: Mapping[str, str]) -> Refusal | None:
    """The same for Windows, by the folder's place."""
    programs = environment.get("PROGRAMDATA")
    if not programs or environment.get("JUPYTER_USE_PROGRAMDATA", "0").casefold() not in {
        "",
        "0",
        "no",
        "off",
        "false",
    }:
        return None
    if not PureWindowsPath(folder).is_relative_to(PureWindowsPath(programs)):
        return None
    return Refusal(
        Path(folder), "everybody can make folders in %PROGRAMDATA%", "If it is yours, set JUPYTER_USE_PROGRAMDATA to 1."
    )


def _flaw(path: Path, status: os.stat_result, *, inner: bool = True) -> tuple[str, str] | None:
    """Who else could have changed ``path``, and what to do; ``inner``: or put something into it."""
    place, mode = shlex.quote(str(path)), status.st_mode
    owner, team = _environment()
    user, groups = os.geteuid(), {os.getegid(), *os.getgroups()}
    if status.st_uid not in {0, user, owner}:
        stranger = f"user {status.st_uid}, who is neither root nor you nor the owner of this Python environment"
        return f"{path} belongs to {stranger}", f"Have root run: chown root {place}"
    # In a folder like /tmp nobody can take away what belongs to others.
    if not inner and mode & stat.S_ISVTX:
        return None
    if mode & stat.S_IWOTH:
        return f"everybody can change {path}", f"Run: chmod o-w {place}"
    peers = groups - {0, team}
    if mode & stat.S_IWGRP and status.st_gid in peers and status.st_uid != user:
        return f"the whole group {status.st_gid} can change {path}, and you are in it", f"Run: chmod g-w {place}"
    return None


def _environment() -> tuple[int, int]:
    """User and group that own this Python environment; root's where it cannot be looked at, who is trusted anyway."""
    try:
        status = os.stat(sys.prefix)  # noqa: PTH116  # sys.prefix is a text
    except OSError:
        return 0, 0
    return status.st_uid, status.st_gid
