"""Where connections are kept: the user's folder, the shared layers, and the files that survive a crash."""

from __future__ import annotations

from .store import (
    ConnectionStore,
    Location,
    Problem,
    UnknownConnection,
    connections,
)

__all__ = [
    "ConnectionStore",
    "Location",
    "Problem",
    "UnknownConnection",
    "connections",
]
