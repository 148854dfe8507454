"""Secrets typed in this kernel: they live as long as it does, and nowhere else."""

from __future__ import annotations

import threading
from typing import Final

from ..secret import Secret
from .account import Account, Credential

__all__ = ["Memory", "find", "memory", "where"]


class Memory:
    """Secrets by account; safe to use from several threads."""

    def __init__(self) -> None:
        self._secrets: dict[tuple[str, str], Secret] = {}
        self._lock = threading.Lock()

    def get(self, account: Account) -> Secret | None:
        with self._lock:
            return next((secret for place in account.places if (secret := self._secrets.get(place))), None)

    def put(self, account: Account, secret: Secret) -> None:
        # Connections that have no name yet would share one secret, and send it to each other's servers.
        if account.key:
            with self._lock:
                self._secrets[account.places[0]] = secret

    def drop(self, account: Account) -> None:
        with self._lock:
            for place in account.places:
                self._secrets.pop(place, None)


#: This kernel's.
memory: Final = Memory()


def find(account: Account, _ask: bool) -> Credential | None:
    """What was typed."""
    secret = memory.get(account)
    return Credential(secret, "this kernel") if secret else None


def where(account: Account) -> str:
    """Whether something was typed."""
    return "in this kernel only" if memory.get(account) else ""
