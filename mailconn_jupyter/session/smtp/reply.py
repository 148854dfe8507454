"""What an SMTP server answers to one command (RFC 5321, 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...transport.transport_errors import readable

__all__ = ["Reply"]

_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s|\Z)")


@dataclass(frozen=True)
class Reply:
    """A whole reply: its ``code``, the ``enhanced`` one (RFC 3463; may be empty), and its ``lines``, each without its code.

    >>> reply = Reply.of(550, b"5.1.1 no such user")
    >>> reply.permanent, reply.enhanced, str(reply)
    (True, '5.1.1', '550 5.1.1 no such user')
    """

    code: int
    enhanced: str
    lines: tuple[bytes, ...]

    @classmethod
    def of(cls, code: int, text: bytes) -> Reply:
        """The reply of a :attr:`pair`."""
        match = _ENHANCED.match(text)
        return cls(code, match.group(1).decode() if match else "", tuple(text.split(b"\n")))

    @property
    def positive(self) -> bool:
        """Whether the command was carried out (2xx)."""
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        """Whether it was refused for the moment (4xx): it may be tried again later."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """Whether it was refused for good (5xx)."""
        return 500 <= self.code < 600

    @property
    def text(self) -> bytes:
        """The lines, joined by line feeds, as :mod:`smtplib` has them."""
        return b"\n".join(self.lines)

    @property
    def words(self) -> str:
        """The text, fit for a person."""
        return readable(self.text)

    @property
    def pair(self) -> tuple[int, bytes]:
        """Code and text, as the methods of :mod:`smtplib` return them."""
        return self.code, self.text

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()
