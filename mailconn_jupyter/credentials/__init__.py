"""Where a connection's secrets come from and where they are kept; never in a file of this package or a notebook."""

from __future__ import annotations

from ..secret import Kind, Secret
from .account import Credential
from .manage import asked, forget, forget_memory, forget_password, keyring_status, move, remember, set_password
from .prompt import may_ask
from .resolve import resolve, where, withheld

__all__ = [
    "Credential",
    "Kind",
    "Secret",
    "asked",
    "forget",
    "forget_memory",
    "forget_password",
    "keyring_status",
    "may_ask",
    "move",
    "remember",
    "resolve",
    "set_password",
    "where",
    "withheld",
]
