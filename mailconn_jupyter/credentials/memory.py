"""Secrets typed in this kernel: they live as long as it does, and nowhere else."""

from __future__ import annotations

import threading

from ..secret import Kind, Secret
from . import naming

__all__ = ["Memory", "memory"]


class Memory:
    """Secrets by connection and kind; safe to use from several threads."""

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, Kind], Secret] = {}
        self._lock = threading.Lock()

    def get(self, name: str, kind: Kind) -> Secret | None:
        with self._lock:
            return self._secrets.get((naming.key(name), kind))

    def put(self, name: str, kind: Kind, secret: Secret) -> None:
        # Connections that have no name yet would share one secret, and send it to each other's servers.
        if naming.key(name):
            with self._lock:
                self._secrets[naming.key(name), kind] = secret

    def drop(self, name: str, kind: Kind) -> None:
        with self._lock:
            self._secrets.pop((naming.key(name), kind), None)

    def move(self, old: str, new: str) -> None:
        """Both kinds; what ``new`` had before is dropped, for it belonged to another connection."""
        with self._lock:
            for kind in Kind:
                secret = self._secrets.pop((naming.key(old), kind), None)
                self._secrets.pop((naming.key(new), kind), None)
                if secret is not None:
                    self._secrets[naming.key(new), kind] = secret


#: This kernel's.
memory = Memory()
