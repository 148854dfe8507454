"""A mail server connection: each option declared once, and how its values are read."""

from __future__ import annotations

from .model import (
    MailConnection,
)

__all__ = [
    "MailConnection",
]
