"""Whether a server says that it has too many connections already: then fewer of them get further."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_crowded"]

# Postfix, Gmail and others: "421 4.7.0 Too many concurrent SMTP connections"; Exchange: "432 4.3.2 Concurrent connections
# limit exceeded", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "421 4.3.2 The maximum number of concurrent
# server connections has exceeded a limit"; others: "421 4.4.5 Service unavailable, concurrency limit reached".
_WORDS: Final = re.compile(
    r"too many (?:\w+ ){0,3}(?:connections|sessions)|concurren\w+ (?:\w+ ){0,3}limit|limit\w* (?:\w+ ){0,3}connections"
    r"|thread limit|concurrent \w+ ?connections has exceeded",
    re.IGNORECASE,
)


def is_crowded(code: int, words: str) -> bool:
    """``code`` and ``words`` are those of a reply.

    >>> is_crowded(432, "4.3.2 Concurrent connections limit exceeded"), is_crowded(421, "4.7.0 too many errors")
    (True, False)
    """
    return 400 <= code < 500 and (code == 432 or _WORDS.search(words) is not None)
