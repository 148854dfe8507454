"""A folder for what servers and programs beside them write: one that their own users may look into, deleted afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.certificates import Certificates, make_certificates

__all__ = ["certified_folder", "state_folder"]


@contextmanager
def state_folder() -> Iterator[Path]:
    """An empty one, with a short path: those of sockets have few characters."""
    with tempfile.TemporaryDirectory(prefix="mailconn-", dir="/tmp" if os.name == "posix" else None) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def certified_folder() -> Iterator[tuple[Path, Certificates]]:
    """One with certificates in it, for what is no test and has no fixtures."""
    with state_folder() as folder:
        (folder / "certificates").mkdir()
        yield folder, make_certificates(folder / "certificates")
