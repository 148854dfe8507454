"""What the user's folder says beside the connections: which one is meant when none is named.

Kept in ``.settings.json``; its other keys survive a rewrite, and a file that cannot be read stays as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import atomic_files

__all__ = ["path", "read", "write"]

_MOST_BYTES = 100_000


def path(folder: Path) -> Path:
    """The settings' file; no connection can be called so, as a dot in a name is encoded."""
    return folder / ".settings.json"


def read(folder: Path) -> dict[str, Any]:
    """The settings; none where there is no file. Raises :class:`~mailconn_jupyter.errors.StoreError`."""
    try:
        found = json.loads(atomic_files.read(path(folder), _MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise atomic_files.unreadable(path(folder), error) from error
    except (ValueError, RecursionError):
        raise atomic_files.unreadable(path(folder), "it is not JSON") from None
    if not isinstance(found, dict):
        raise atomic_files.unreadable(path(folder), "it is not a JSON object")
    return found


def write(folder: Path, key: str, value: str | None) -> None:
    """Set ``key``, or with None remove it. The caller holds the folder's lock."""
    content = read(folder)
    if content.get(key) == value:
        return
    content = {**content, key: value} if value is not None else {name: content[name] for name in content if name != key}
    try:
        data = (json.dumps(content, indent=2) + "\n").encode()
    except RecursionError:
        data = b""
    # Deep in lists the indentation alone makes a file that nobody could read any more.
    if not 0 < len(data) <= _MOST_BYTES:
        raise atomic_files.unreadable(path(folder), "it would be too large when it is written")
    atomic_files.write(path(folder), data)
