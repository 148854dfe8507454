"""The fixtures of every test."""

from __future__ import annotations

import pytest

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: they are the slowest, and their event loop is in the way of other tests."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/browser/"))
