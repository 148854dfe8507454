"""Listening to what this process asks the resolver, by Python's audit events: not the calls that we know of, all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}

_listeners: list[set[str]] = []
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _listeners and event in _EVENTS:
        for heard in _listeners:
            heard.add(str(arguments[0]))


@contextmanager
def lookups() -> Iterator[set[str]]:
    """What is looked up within the block, by any thread: names and addresses, filled as it happens."""
    if not _installed:
        # It cannot be removed again, and is idle outside of a block.
        sys.addaudithook(_hook)
        _installed.append(True)
    heard: set[str] = set()
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)
