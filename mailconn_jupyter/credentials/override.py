"""Lending typed secrets to a test: the kernel's memory has them while it runs, and what was there comes back after."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..names import fold
from . import Kind, Secret, forget_memory, remember
from .account import Account
from .memory import memory

__all__ = ["lent"]


@dataclass
class _Account:
    """What one place of the memory held before the first of its loans, and the loans that it has."""

    before: Secret | None
    loans: list[Secret] = field(default_factory=list)
    running: int = 0


_accounts: dict[tuple[str, Kind], _Account] = {}
_lock = threading.Lock()


@contextmanager
def lent(name: str, secrets: Mapping[Kind, Secret]) -> Iterator[None]:
    """While the block runs, ``name`` has these secrets; several blocks may overlap.

    What was set by others in the meantime, such as by a Save, is left as it is.
    """
    for kind, secret in secrets.items():
        _lend(name, kind, secret)
    try:
        yield
    finally:
        for kind in secrets:
            _take_back(name, kind)


def _lend(name: str, kind: Kind, secret: Secret) -> None:
    # An object of its own tells the loan from the same secret that is kept for good.
    loan = Secret(secret.reveal())
    with _lock:
        account = _accounts.setdefault((fold(name), kind), _Account(memory.get(Account(name, kind))))
        account.loans.append(loan)
        account.running += 1
        remember(name, loan, kind=kind)


def _take_back(name: str, kind: Kind) -> None:
    with _lock:
        account = _accounts[fold(name), kind]
        account.running -= 1
        if account.running:
            return
        del _accounts[fold(name), kind]
        if not any(memory.get(Account(name, kind)) is loan for loan in account.loans):
            return
        if account.before is None:
            forget_memory(name, kind)
        else:
            remember(name, account.before, kind=kind)
