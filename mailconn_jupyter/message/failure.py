"""What can be wrong with a message before a byte of it is sent."""

from __future__ import annotations

from ..errors import MailConnError

__all__ = ["MessageError"]


class MessageError(MailConnError, ValueError):
    """An address or a message that cannot be sent as it is. Nothing was sent."""
