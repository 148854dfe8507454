"""Lending typed secrets to a test: the kernel's memory has them while it runs, and what was there comes back after."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..secret import Kind, Secret
from .account import Account, Place
from .memory import memory

if TYPE_CHECKING:
    from ..connection import MailConnection

__all__ = ["lent"]


@dataclass
class _Account:
    """What one place of the memory held before the first of its loans, and the loans that it has."""

    before: Secret | None
    loans: list[Secret] = field(default_factory=list)
    running: int = 0


_accounts: dict[Place, _Account] = {}
_lock = threading.Lock()


@contextmanager
def lent(target: str | MailConnection, secrets: Mapping[Kind, Secret]) -> Iterator[None]:
    """While the block runs, the connection has these secrets; several blocks may overlap.

    What was set by others in the meantime, such as by a Save, is left as it is.
    """
    loans = {Account.of(target, kind): secret for kind, secret in secrets.items()}
    for account, secret in loans.items():
        _lend(account, secret)
    try:
        yield
    finally:
        for account in loans:
            _take_back(account)


def _lend(account: Account, secret: Secret) -> None:
    # An object of its own tells the loan from the same secret that is kept for good.
    loan = Secret(secret.reveal())
    with _lock:
        held = _accounts.setdefault(account.places[0], _Account(memory.get(account)))
        held.loans.append(loan)
        held.running += 1
        memory.put(account, loan)


def _take_back(account: Account) -> None:
    with _lock:
        held = _accounts[account.places[0]]
        held.running -= 1
        if held.running:
            return
        del _accounts[account.places[0]]
        if not any(memory.get(account) is loan for loan in held.loans):
            return
        if held.before is None:
            memory.drop(account)
        else:
            memory.put(account, held.before)
