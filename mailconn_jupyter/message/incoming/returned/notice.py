"""What a server says of one message for one recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

__all__ = ["ACTIONS", "Action", "Notice"]

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded"]
#: The words of RFC 3464, 2.3.3.
ACTIONS: Final[dict[str, Action]] = {
    "failed": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "relayed",
    "expanded": "expanded",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """``recipient`` is whom the message was sent to, ``final_recipient`` where that led to; an alias makes them two.

    ``status`` is an enhanced status code (RFC 3463), ``5.0.0`` and ``4.0.0`` where no more is known than that it is for good
    or for the moment, ``words`` what the server said, in one line. ``message_id`` is that of the message which was sent,
    ``date`` that of the notice. Empty, or None, where it is not told.
    """

    recipient: str
    action: Action
    status: str = ""
    words: str = ""
    message_id: str = ""
    date: datetime | None = None
    final_recipient: str = ""
