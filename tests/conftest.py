"""The fixtures of every test."""

from __future__ import annotations

from tests.isolation import own_config
from tests.servers.fixtures import (
    certificates,
    dante,
    dovecot,
    microsocks,
    microsocks_open,
    postfix,
    proxy_py,
    server_state,
    squid,
)

__all__ = [
    "certificates",
    "dante",
    "dovecot",
    "microsocks",
    "microsocks_open",
    "own_config",
    "postfix",
    "proxy_py",
    "server_state",
    "squid",
]
