"""Looking at what is kept: ``list``, ``show``, ``default``."""

from __future__ import annotations

from collections.abc import Iterator

from ..store import connections
from .connection_views import connection_view, connections_view
from .view import View
from .wrong_usage import WrongUsage

__all__ = ["default", "list_", "show"]


def list_() -> Iterator[View]:
    """Every connection in a table."""
    yield connections_view(connections)


def show(*, target: str | None = None) -> Iterator[View]:
    """One connection in words; never a secret."""
    yield connection_view(connections, connections.pick(target))


def default(*, target: str | None = None, unset: bool = False) -> Iterator[str]:
    """Choose the connection that is meant when none is named, or say which it is."""
    if unset and target is not None:
        raise WrongUsage("%mailconn default: a NAME and --unset cannot be combined.")
    if unset:
        connections.default = None
    elif target is not None:
        connections.default = target
    known = [connections[name] for name in connections.defaults if name in connections]
    said = [f"{each.name!r} for {'sending' if each.sends else 'reading'}" for each in known]
    yield f"The default connection is {' and '.join(said)}." if said else "There is no default connection."
