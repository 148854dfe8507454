"""The stored connections, for the rooms below the store: it stands above them, and puts itself here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .model import MailConnection

__all__ = ["Known"]


class Known(Protocol):
    """Connections by their names."""

    def __contains__(self, name: object, /) -> bool: ...

    def __getitem__(self, name: str, /) -> MailConnection: ...

    def names(self) -> Sequence[str]:
        """All of them."""


class _Nothing(dict[str, MailConnection]):
    def names(self) -> Sequence[str]:
        return ()


#: Empty until the store is loaded.
stored: Known = _Nothing()
