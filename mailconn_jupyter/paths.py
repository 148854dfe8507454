"""Paths as people write them, and what is at their end, without an error where nobody may look.

``Path.exists`` and its kin raise in a folder that the user may not look into, ``Path.expanduser`` for a user who is unknown.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["ELSEWHERE", "expanded", "is_file", "is_folder", "is_there", "relative"]

ELSEWHERE: Final = "it would mean something else in each directory that a notebook is in"


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path, with its ``~`` or ``~ana`` replaced by that home directory; as it is where none is known."""
    try:
        return Path(os.path.expanduser(path))  # noqa: PTH111  # as said above
    except ValueError:
        # No user's name has a null character.
        return Path(path)


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether something is seen there."""
    return os.path.exists(path)  # noqa: PTH110


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is seen there."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a regular file is seen there."""
    return os.path.isfile(path)  # noqa: PTH113


def relative(what: str, path: str | os.PathLike[str]) -> str:
    """Why the path that an option or a variable names is not used, as a sentence without its end; empty where it may be."""
    text = os.fspath(path)
    if os.path.isabs(text):  # noqa: PTH117
        return ""
    if text.startswith("~") and str(expanded(text)) == str(Path(text)):
        user = Path(text).parts[0][1:]
        return f"{what} is {text!r}, but " + (
            f"there is no user {user!r} here" if user else "no home directory is known"
        )
    return f"{what} is {text!r}, which is not an absolute path: {ELSEWHERE}"
