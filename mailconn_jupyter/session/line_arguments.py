"""What no argument of a command may hold: it would end the command, and begin one that nobody asked for."""

from __future__ import annotations

from ..errors import MailConnError

__all__ = ["UnsafeArgument", "breaks_a_line"]

_BREAKS = b"\r\n\x00"


class UnsafeArgument(MailConnError, ValueError):
    """An argument would have made the server read another command than this one; nothing was sent."""


def breaks_a_line(text: bytes) -> bool:
    r"""Whether the text holds CR, LF or NUL (CVE-2025-15366, CVE-2025-15367).

    >>> breaks_a_line(b"INBOX"), breaks_a_line(b"INBOX\r\nA1 DELETE INBOX")
    (False, True)
    """
    return any(byte in text for byte in _BREAKS)
