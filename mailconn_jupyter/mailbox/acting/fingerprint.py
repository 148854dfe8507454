"""What a message in a mailbox file is known by besides its place there, which is another one when the file is rewritten."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from ...message.incoming.header import end_of_header
from ...message.incoming.parsed import ParsedMessage

__all__ = ["fingerprint", "fingerprint_of", "kept_fingerprint"]

# What mail programs write into a message that they keep in such a file, with its lines that go on.
_KEPT_THERE: Final = re.compile(
    rb"^(?:Status|X-Status|X-Keywords|X-UID|X-IMAP(?:base)?|X-Mozilla-[A-Za-z0-9]+|Content-Length|Lines):[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.IGNORECASE | re.MULTILINE,
)
_NOTES: Final = frozenset(
    {b"status", b"x-status", b"x-keywords", b"x-uid", b"x-imap", b"x-imapbase", b"content-length", b"lines"}
)


def fingerprint(message: ParsedMessage) -> bytes:
    """What the header of a message says, but for what mail programs note in it."""
    raw = message.raw
    header = raw[: end_of_header(raw)] if message.complete else raw
    if b"\r" in header:
        header = header.replace(b"\r\n", b"\n")
    names = message.field_names
    # Few have such a field, and the pattern looks at the beginning of each line.
    if not _NOTES.isdisjoint(names) or b"x-mozilla-" in b" ".join(names):
        header = _KEPT_THERE.sub(b"", header)
    return hashlib.sha256(header.rstrip(b"\n")).digest()


def kept_fingerprint(message: ParsedMessage, protocol: str) -> bytes:
    """The same where a message is known by it, and nothing where the server has a number of its own for it."""
    return fingerprint(message) if protocol == "MBOX" else b""


def fingerprint_of(raw: bytes) -> bytes:
    r""":func:`fingerprint` of a message, or of its header alone.

    >>> fingerprint_of(b"Subject: a\nStatus: RO\n\nHello.\n") == fingerprint_of(b"Subject: a\n\n")
    True
    """
    return fingerprint(ParsedMessage(raw))
