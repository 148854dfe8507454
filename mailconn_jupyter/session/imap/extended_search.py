"""The answer to a search by ESEARCH (RFC 4731), the only one that IMAP4rev2 has (RFC 9051, 7.3.4)."""

from __future__ import annotations

import re
from typing import Final

from ...transport.transport_errors import TransportError

__all__ = ["found_by"]

_TAG: Final = re.compile(rb"\A\([^()]*\)")
_ASKED_FOR: Final = re.compile(rb"\b(?:MIN|MAX|COUNT|PARTIAL)\b", re.IGNORECASE)
_ALL: Final = re.compile(rb"\bALL ([0-9:,]+)", re.IGNORECASE)
_MOST: Final = 2_000_000  # as the lines of an answer


def found_by(said: bytes) -> bytes | None:
    """The numbers that an ESEARCH tells, as SEARCH tells them; None where somebody has asked for something else.

    >>> found_by(b'(TAG "A1") UID ALL 2,10:12'), found_by(b'(TAG "A1") UID'), found_by(b'(TAG "A1") UID COUNT 3')
    (b'2 10 11 12', b'', None)
    """
    said = _TAG.sub(b"", said)
    if _ASKED_FOR.search(said):
        return None
    match = _ALL.search(said)
    if match is None:
        return b""
    ranges = [sorted(int(number[:10] or b"0") for number in each.split(b":")) for each in match[1].split(b",")]
    if sum(each[-1] - each[0] + 1 for each in ranges) > _MOST:
        raise TransportError(f"The server's search found more than {_MOST} messages at once.", cause="too-long")
    return b" ".join(b"%d" % number for each in ranges for number in range(each[0], each[-1] + 1))
