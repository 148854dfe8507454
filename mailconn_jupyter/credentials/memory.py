"""Secrets typed in this kernel: they live as long as it does, and nowhere else."""

from __future__ import annotations

from typing import Final

from ..secret import Secret
from .account import Account, Credential, Place

__all__ = ["Memory", "find", "memory", "where"]


class Memory:
    """Secrets by account. Several threads may use it, and a forked child: each step is one of a dict's, without a lock."""

    #: Whether what is put here counts as kept: not in a process that runs one command and ends.
    lasts = True

    def __init__(self) -> None:
        self._secrets: dict[Place, Secret] = {}

    def get(self, account: Account) -> Secret | None:
        return next((secret for place in account.places if (secret := self._secrets.get(place))), None)

    def put(self, account: Account, secret: Secret) -> None:
        # Connections that have no name yet would share one secret, and send it to each other's servers.
        if account.key:
            self._secrets[account.places[0]] = secret

    def drop(self, account: Account) -> None:
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
