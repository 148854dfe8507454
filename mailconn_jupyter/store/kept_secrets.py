"""What keeps secrets, for everybody: with the store at hand, which knows whether a name is a connection of one's own."""

from __future__ import annotations

from ..credentials import forget_password, set_password
from .store import connections as _connections  # noqa: F401  # it makes itself known to the credentials

__all__ = ["forget_password", "set_password"]
