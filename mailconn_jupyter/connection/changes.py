"""Who wants to know that a connection, or a secret of it, is no longer what it was."""

from __future__ import annotations

from collections.abc import Callable

from ..names import fold

__all__ = ["changed", "when_changed"]

_listeners: list[Callable[[str], object]] = []


def when_changed(listener: Callable[[str], object]) -> None:
    """Have it called, from now on, with the name of each connection that changes here, in the form names are compared by."""
    _listeners.append(listener)


def changed(*names: str) -> None:
    """The connections of these names were saved, renamed or deleted, or what they log in with is another."""
    for name in names:
        for listener in _listeners:
            listener(fold(name))
