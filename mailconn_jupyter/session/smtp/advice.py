"""What to do about a message that a server does not take, where its words are about this side and not about the message."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["advice"]

# In the order of their worth: RFC 3207 and RFC 4954 have one code for both.
_KNOWN: Final = (
    (
        re.compile(r"starttls|encryption (is )?(needed|required)|over (tls|ssl)", re.IGNORECASE),
        "The server wants TLS first: turn secure authentication on.",
    ),
    (
        re.compile(r"\b(helo|ehlo)\b", re.IGNORECASE),
        "The server does not accept the name by which this machine introduced itself: set helo_name to the machine's own, or to your domain.",
    ),
    (
        re.compile(r"not authenticated|authentication (is )?required|authenticate first|log ?in first", re.IGNORECASE),
        "The server wants a login first: give the connection a username.",
    ),
)


def advice(code: int, words: str) -> str:
    """One sentence for a person, empty where the words say nothing of the kind.

    >>> advice(530, "5.7.0 Must issue a STARTTLS command first")
    'The server wants TLS first: turn secure authentication on.'
    """
    found = next((sentence for pattern, sentence in _KNOWN if pattern.search(words)), "")
    return found or (_KNOWN[-1][1] if code == 530 else "")
