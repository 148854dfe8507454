"""What a person gave to be read: what a file or a variable holds, which may be a password."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .found import FoundConnection
from .import_draft import InterchangeError

__all__ = ["Given", "Reading"]

Reading = tuple[str, Callable[[], FoundConnection | None]]
"""Where a connection stands, and what reads it, which gives None for one that is not for mail."""


@dataclass(frozen=True, repr=False)
class Given:
    """``place`` is the name of the file or variable, ``address`` whose mail it is; both may be empty."""

    place: str
    data: bytes
    address: str = ""

    @property
    def text(self) -> str:
        """As UTF-8; what is not is an :class:`InterchangeError`."""
        # The error holds the text, so that it may not be this one's cause.
        with suppress(UnicodeDecodeError):
            return self.data.decode("utf-8-sig")
        raise InterchangeError("It is not UTF-8 text.")

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return Path(self.place).stem
