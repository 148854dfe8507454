"""The fixtures of every test."""

from __future__ import annotations

import signal

import hypothesis
import pytest

from tests.servers.fixtures import (
    asking_dovecot,
    asking_postfix,
    certificates,
    dante,
    dovecot,
    issuer,
    microsocks,
    microsocks_open,
    postfix,
    postgresql,
    proxy_py,
    server_state,
    squid,
    token_dovecot,
    token_postfix,
)
from tests.support.isolation import no_dns, nothing_kept, opened_once, own_config

__all__ = [
    "asking_dovecot",
    "asking_postfix",
    "certificates",
    "dante",
    "dovecot",
    "issuer",
    "microsocks",
    "microsocks_open",
    "no_dns",
    "nothing_kept",
    "opened_once",
    "own_config",
    "postfix",
    "postgresql",
    "proxy_py",
    "server_state",
    "squid",
    "token_dovecot",
    "token_postfix",
]

# How long an example takes is the machine's affair, and says nothing of what is tested.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_configure() -> None:
    """Let an interrupt arrive: what a shell script runs in the background starts with it ignored (POSIX, 2.11)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: they are the slowest, and their event loop is in the way of other tests."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/browser/"))
