"""Secrets typed in this kernel: they live as long as it does, and nowhere else."""

from __future__ import annotations

import threading

from ..names import fold
from ..secret import Kind, Secret

__all__ = ["Memory", "memory"]


class Memory:
    """Secrets by connection and kind; safe to use from several threads."""

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, Kind], Secret] = {}
        self._lock = threading.Lock()

    def get(self, name: str, kind: Kind) -> Secret | None:
        with self._lock:
            return self._secrets.get((fold(name), kind))

    def put(self, name: str, kind: Kind, secret: Secret) -> None:
        # Connections that have no name yet would share one secret, and send it to each other's servers.
        if fold(name):
            with self._lock:
                self._secrets[fold(name), kind] = secret

    def drop(self, name: str, kind: Kind) -> None:
        with self._lock:
            self._secrets.pop((fold(name), kind), None)

    def move(self, old: str, new: str) -> None:
        """Both kinds; what ``new`` had before is dropped, for it belonged to another connection."""
        with self._lock:
            for kind in Kind:
                secret = self._secrets.pop((fold(old), kind), None)
                self._secrets.pop((fold(new), kind), None)
                if secret is not None:
                    self._secrets[fold(new), kind] = secret


#: This kernel's.
memory = Memory()
