"""The words of delivery status notifications (DSN, RFC 3461), for whoever only offers them."""

from __future__ import annotations

from typing import Final

__all__ = ["NOTIFY", "RET"]

#: Of what a notice may be asked for; ``never`` stands alone.
NOTIFY: Final = ("success", "failure", "delay", "never")
#: What of the message a notice is to hold, and how the command has it.
RET: Final = {"full": "FULL", "headers": "HDRS"}
