"""Lending typed secrets to a test: the kernel's memory has them while it runs, and what was there comes back after."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..forks import in_children
from ..secret import Kind, Secret
from .account import Account, Place
from .memory import memory

if TYPE_CHECKING:
    from ..connection import MailConnection

__all__ = ["lent_secrets"]


@dataclass
class _Loans:
    """What the memory held for an account before the first of its loans, and the loans that it has."""

    account: Account
    before: Secret | None
    loans: list[Secret] = field(default_factory=list)
    running: int = 0

    def end(self) -> None:
        """Put back what was there, unless somebody else has set another."""
        if not any(memory.get(self.account) is loan for loan in self.loans):
            return
        if self.before is None:
            memory.drop(self.account)
        else:
            memory.put(self.account, self.before)


_running: dict[Place, _Loans] = {}
_lock = threading.Lock()


def _forked() -> None:
    """Let a child have a lock that nobody holds, and none of the secrets that were lent to tests of its parent."""
    global _lock  # noqa: PLW0603  # the parent's may be held by a thread that the child does not have
    _lock = threading.Lock()
    while _running:
        _running.popitem()[1].end()


in_children(_forked, lasting=True)


@contextmanager
def lent_secrets(target: str | MailConnection, secrets: Mapping[Kind, Secret]) -> Iterator[None]:
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
        held = _running.setdefault(account.places[0], _Loans(account, memory.get(account)))
        held.loans.append(loan)
        held.running += 1
        memory.put(account, loan)


def _take_back(account: Account) -> None:
    with _lock:
        held = _running.get(account.places[0])
        if held is None:  # a child that was forked amid the block has taken it back already
            return
        held.running -= 1
        if not held.running:
            del _running[account.places[0]]
            held.end()
