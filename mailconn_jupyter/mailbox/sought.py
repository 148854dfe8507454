"""A kind of message that is looked for: how a server is asked for it, and how much of each must be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..message.incoming.parsed import ParsedMessage

__all__ = ["Sought", "any_of", "header_has"]

Words = tuple[str | bytes, ...]


@dataclass(frozen=True)
class Sought:
    """``words`` are those of an IMAP SEARCH that finds all of them, and perhaps more; none: it cannot be put so.

    By its header alone ``takes`` tells whether a message is one, and ``whole`` whether its body must be read, too: of all of
    it the first ``most`` bytes, where the protocol lets one say so.
    """

    words: Words
    takes: Callable[[ParsedMessage], bool]
    whole: Callable[[ParsedMessage], bool]
    most: int


def header_has(name: str, text: str) -> Words:
    """The words for a header in which the text stands somewhere; an empty one: which is there at all (RFC 9051, 6.4.4)."""
    return f"HEADER {name}", text.encode("utf-8", "replace")


def any_of(keys: Iterable[Words]) -> Words:
    """The words for what fits one of these keys.

    >>> any_of([("SEEN",), header_has("Subject", "a"), ("FLAGGED",)])
    ('OR', 'OR', 'SEEN', 'HEADER Subject', b'a', 'FLAGGED')
    """
    found: Words = ()
    for key in keys:
        found = ("OR", *found, *key) if found else key
    return found
