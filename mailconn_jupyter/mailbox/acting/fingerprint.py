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


def fingerprint(message: ParsedMessage) -> bytes:
    """What the header of a message says, but for what mail programs note in it."""
    return fingerprint_of(message.raw)


def kept_fingerprint(message: ParsedMessage, protocol: str) -> bytes:
    """The same where a message is known by it, and nothing where the server has a number of its own for it."""
    return fingerprint(message) if protocol == "MBOX" else b""


def fingerprint_of(raw: bytes) -> bytes:
    r""":func:`fingerprint` of a message, or of its header alone.

    >>> fingerprint_of(b"Subject: a\nStatus: RO\n\nHello.\n") == fingerprint_of(b"Subject: a\n\n")
    True
    """
    header = raw[: end_of_header(raw)]
    if b"\r" in header:
        header = header.replace(b"\r\n", b"\n")
    return hashlib.sha256(
        (_KEPT_THERE.sub(b"", header) if _may_hold(header.lower()) else header).rstrip(b"\n")
    ).digest()


def _may_hold(lower: bytes) -> bool:
    """Whether one of these fields may be in a header in small letters: the pattern looks at the beginning of each line."""
    return (
        b"status:" in lower
        or b"x-keywords:" in lower
        or b"x-uid:" in lower
        or b"x-imap" in lower
        or b"x-mozilla-" in lower
        or b"lines:" in lower
        or b"content-length:" in lower
    )
