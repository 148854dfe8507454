"""Enhanced status codes (RFC 3463), told by a field or found in what a server said."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["sharpened", "status_of"]

_CODE: Final = r"([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)"
_FIELD: Final = re.compile(rf"\s*{_CODE}", re.ASCII)
# Behind the three digits of a reply; some put a number sign before it, or a bracket.
_IN_REPLY: Final = re.compile(rf"(?<![\d.])[245]\d\d[ -]{{1,3}}[#(\[]?{_CODE}", re.ASCII)
# Not within the address of a machine, and no version.
_ANYWHERE: Final = re.compile(rf"(?<![\w.]){_CODE}", re.ASCII)
_REPLY: Final = re.compile(r"(?<![\w.:/-])([45])\d\d(?=[ -])", re.ASCII)
_SPECIFIC: Final = re.compile(r"[245]\.(?!0\.0$)", re.ASCII)


def status_of(text: str) -> str:
    """The code with which a text begins; empty where it has none."""
    found = _FIELD.match(text)
    return found[1] if found else ""


def sharpened(status: str, words: str) -> str:
    """The status, or what the server's words tell where it says less than they do.

    >>> sharpened("5.0.0", "550 5.1.1 User unknown"), sharpened("", "452 Mailbox full"), sharpened("5.2.2", "550 5.1.1 no")
    ('5.1.1', '4.0.0', '5.2.2')
    """
    if _SPECIFIC.match(status):
        return status
    found = _IN_REPLY.search(words) or _ANYWHERE.search(words)
    if found and found[1][0] == (status or found[1])[0]:
        return found[1]
    reply = _REPLY.search(words)
    return status or (f"{reply[1]}.0.0" if reply else "")
