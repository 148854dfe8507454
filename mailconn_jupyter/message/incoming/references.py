"""What HTML calls characters, and the parts of its message."""

from __future__ import annotations

import re
from html import unescape
from typing import Final
from urllib.parse import unquote

__all__ = ["REFERENCE", "reference", "unescaped"]

#: What HTML calls a part of its message by (RFC 2392).
REFERENCE: Final = re.compile(r"""(?<=["'=(\s])cid:([^"'\s<>)]+)""", re.IGNORECASE)

# More digits than any character has; Python makes no number of very many.
_ENDLESS: Final = re.compile(r"&#(?:0*+[1-9][0-9]{7,}+|0{8,}+|[xX]0*+[0-9a-fA-F]{7,}+);?")


def unescaped(text: str) -> str:
    """The text with its character references replaced, whatever they say."""
    return unescape(_ENDLESS.sub("\ufffd", text))


def reference(content_id: str) -> str:
    """A Content-ID, or what follows ``cid:``, which may be percent-encoded, as the two are compared: without case."""
    return unquote(unescaped(content_id)).casefold()
