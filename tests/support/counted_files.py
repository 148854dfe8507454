"""Mailbox files, and how much of them is read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.session.mbox import file_stages

__all__ = ["CountingFile", "counted_files", "large_file"]


class CountingFile(io.FileIO):
    """A file that counts what is read of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.count = 0

    def readinto(self, buffer: Any) -> Any:
        got = super().readinto(buffer)
        self.count += got or 0
        return got


@contextmanager
def counted_files() -> Iterator[list[CountingFile]]:
    """Each mailbox file that is opened meanwhile, to be read only."""
    opened: list[CountingFile] = []

    def open_counting(path: Path, *, readonly: bool) -> io.BufferedReader:
        opened.append(CountingFile(path))
        return io.BufferedReader(opened[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_stages, "open_file", open_counting)
        yield opened


def large_file(path: Path, megabytes: int) -> None:
    """A mailbox file whose first and last message are small, and whose middle one is not."""
    with path.open("wb") as file:
        file.write(b"From ana Sun Nov 22 08:30:00 2026\nSubject: first\n\nHello.\n\n")
        file.write(b"From ana Sun Nov 22 08:30:00 2026\nSubject: large\n\n")
        file.truncate(megabytes * 2**20)
        file.seek(0, io.SEEK_END)
        file.write(b"\n\nFrom ana Sun Nov 22 08:30:00 2026\nSubject: last\n\nBye.\n\n")
