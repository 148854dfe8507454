"""Which message a notification is about: its Message-ID, from what came back of it."""

from __future__ import annotations

import re
from typing import Final

from ..header import Header, end_of_header
from ..parsed import ParsedMessage

__all__ = ["answered_id", "id_in", "ids_in", "returned_id"]

# RFC 3462 and RFC 6533, and what is sent in their place.
_RETURNED: Final = frozenset(
    {
        *("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "text/rfc822-header"),
        *("message/global-headers", "message/rfc822-header"),
    }
)
_MOST_HEADER: Final = 2**20
_MOST_IDS: Final = 1000
_ID: Final = re.compile(r"<[^<>\s\x00-\x1f\x7f-\x9f]{1,995}>")
_IN_TEXT: Final = re.compile(
    r"^[>\s|]{0,20}message-id:\s{0,5}(<[^<>\s\x00-\x1f\x7f-\x9f]{1,995}>)", re.MULTILINE | re.IGNORECASE
)


def ids_in(value: str) -> list[str]:
    """The Message-IDs in a header such as References (RFC 5322, 3.6.4)."""
    return _ID.findall(value)[:_MOST_IDS]


def id_in(value: str) -> str:
    """The first of them, or what stands there in its place."""
    found = _ID.search(value)
    return found[0] if found else value.strip()[:995]


def returned_id(message: ParsedMessage) -> str:
    """The Message-ID of the message that came back in this one; empty where nothing tells it."""
    for part in message.attachments:
        if part.content_type in _RETURNED:
            head = part.data[:_MOST_HEADER]
            if found := id_in(Header(head[: end_of_header(head)].replace(b"\r\r\n", b"\n")).text("Message-ID")):
                return found
    return ""


def answered_id(message: ParsedMessage, text: str) -> str:
    """The same, from what notifications have that return no part of their own: a copy in the text, or a thread."""
    if found := _IN_TEXT.search(text):
        return found[1]
    ids = ids_in(message.header("In-Reply-To")) or ids_in(message.header("References"))[-1:]
    return ids[0] if ids else ""
