"""A mail server connection: each option declared once, and how its values are read."""

from __future__ import annotations

from .model import MailConnection
from .option_set import takes_options

__all__ = ["MailConnection", "takes_options"]
