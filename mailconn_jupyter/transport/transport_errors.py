"""What can go wrong between here and the server, as one error with a fixed word for its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import MailConnError

if TYPE_CHECKING:
    from .certificate import Certificate

__all__ = ["TransportError", "readable"]


class TransportError(MailConnError, OSError):
    """The link failed, or is not what the policy asks for. An ``OSError`` too, as callers of smtplib expect.

    ``cause`` is a short fixed word (``refused``, ``no-answer``, ``unknown-authority`` ...) by which a hint is found;
    ``certificate`` is the server's, where it is what was wrong. ``whole_left``: all of a question (HTTP) had been sent, so
    that the server may have done what it asks.
    """

    whole_left = False

    def __init__(self, message: str, *, cause: str, hint: str = "", certificate: Certificate | None = None) -> None:
        super().__init__(message, hint=hint)
        self.cause = cause
        self.certificate = certificate


def readable(said: bytes | str, most: int = 300) -> str:
    r"""What a server said, fit for a person: one line, at most so long, without anything that steers a terminal.

    >>> readable(b"no\x1b[2J\r\n  such user"), readable("0123456789", 8)
    ('no [2J such user', '01234...')
    """
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join(text.split())
    if not line.isprintable():
        line = " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
