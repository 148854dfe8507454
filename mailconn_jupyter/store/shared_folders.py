"""Which folders Jupyter names for connections: the user's own, and the shared ones that an administrator fills.

Jupyter takes its variables as they are. There an empty or relative entry means whatever directory a notebook is in, and
whoever sent the notebook could have put connections beside it: such entries are not used, and told.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..own_folder import Refusal, own_folder
from ..paths import ELSEWHERE
from .file_trust import refusal_of_folder

__all__ = ["Folders", "find_folders"]

_FOLDER: Final = "mailconn"


@dataclass(frozen=True)
class Folders:
    """The user's ``own`` folder, the ``shared`` ones that count, nearest first, and what is not used."""

    own: Path
    shared: list[Path]
    refused: list[Refusal]


def find_folders(own: Path | None = None, shared: Sequence[Path] | None = None) -> Folders:
    """The folders that are given, and where they are not those that Jupyter names now; they may not exist."""
    refused: list[Refusal] = []
    if own is None:
        own, named = own_folder()
        refused += [named] if named else []
    if shared is None:
        shared, others = _named_by_jupyter(own)
        refused += others
    else:
        given = [(Path(folder), _refusal_of_place(Path(folder))) for folder in shared]
        refused += [refusal for _, refusal in given if refusal]
        shared = [folder for folder, refusal in given if not refusal]
    judged = {folder: refusal_of_folder(folder) for folder in shared}
    refused += [refusal for refusal in judged.values() if refusal]
    return Folders(Path(own), [folder for folder, refusal in judged.items() if not refusal], refused)


def _named_by_jupyter(own: Path) -> tuple[list[Path], list[Refusal]]:
    from jupyter_core.paths import jupyter_config_path  # noqa: PLC0415  # as above

    named = os.environ.get("JUPYTER_CONFIG_PATH", "")
    entries = [entry.rstrip(os.sep) for entry in named.split(os.pathsep)] if named else []
    good = os.pathsep.join(entry for entry in entries if _refusal_of_place(Path(entry)) is None)
    found = {os.path.realpath(own): own}
    refused: dict[Path, Refusal] = {}
    for directory in jupyter_config_path():
        folder = Path(directory, _FOLDER)
        refusal = _refusal_of_place(Path(directory))
        if refusal is None:
            found.setdefault(os.path.realpath(folder), folder)
        elif directory in entries:
            reason = f"the entry {directory!r} of JUPYTER_CONFIG_PATH is {refusal.reason}"
            refused[folder] = Refusal(folder, reason, f"Set it to {good!r}." if good else "Unset it.")
        elif directory != os.environ.get("JUPYTER_CONFIG_DIR"):
            refused[folder] = Refusal(folder, f"{directory!r} is {refusal.reason}", "See: jupyter --paths")
    return list(found.values())[1:], list(refused.values())


def _refusal_of_place(folder: Path) -> Refusal | None:
    """Why ``folder`` is not one of an administrator's, by where it lies; None if it may be one."""
    reason = ""
    if not folder.is_absolute():
        reason = f"not an absolute path: {ELSEWHERE}"
    elif folder.parts[:2] == ("/", "proc") or _is_here(folder):
        reason = "the directory that this notebook is in"
    return Refusal(folder, reason, "Give its full path.") if reason else None


def _is_here(folder: Path) -> bool:
    with suppress(OSError):
        return os.path.samefile(folder, os.curdir)  # noqa: PTH121  # a Path for the one would cost more than the rest
    return False
