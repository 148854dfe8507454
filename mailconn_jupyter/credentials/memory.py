"""Secrets typed in this kernel: they live as long as it does, and nowhere else."""

from __future__ import annotations

import threading
from typing import Final

from ..secret import Kind, Secret
from .account import Account, Credential

__all__ = ["Memory", "find", "memory", "where"]


class Memory:
    """Secrets by account; safe to use from several threads."""

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, Kind], Secret] = {}
        self._lock = threading.Lock()

    def get(self, account: Account) -> Secret | None:
        with self._lock:
            return self._secrets.get((account.key, account.kind))

    def put(self, account: Account, secret: Secret) -> None:
        # Connections that have no name yet would share one secret, and send it to each other's servers.
        if account.key:
            with self._lock:
                self._secrets[account.key, account.kind] = secret

    def drop(self, account: Account) -> None:
        with self._lock:
            self._secrets.pop((account.key, account.kind), None)

    def move(self, old: str, new: str) -> None:
        """Both kinds; what ``new`` had before is dropped, for it belonged to another connection."""
        for kind in Kind:
            secret = self.get(Account(old, kind))
            self.drop(Account(old, kind))
            self.drop(Account(new, kind))
            if secret is not None:
                self.put(Account(new, kind), secret)


#: This kernel's.
memory: Final = Memory()


def find(account: Account, _ask: bool) -> Credential | None:
    """What was typed."""
    secret = memory.get(account)
    return Credential(secret, "this kernel") if secret else None


def where(account: Account) -> str:
    """Whether something was typed."""
    return "in this kernel only" if memory.get(account) else ""
