"""``compose()`` for who has groups: importing this lets a group's name stand for its addresses."""

from __future__ import annotations

from ..message.compose import compose
from ..store.people import people

__all__ = ["compose", "people"]
