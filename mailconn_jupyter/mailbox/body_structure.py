"""What a message consists of, as an IMAP server tells it without the body (BODYSTRUCTURE, RFC 9051, 7.5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..session.imap.commands_imap import Part

__all__ = ["structure_of"]

_NAME: Final = re.compile(rb"\bBODYSTRUCTURE (?=\()", re.IGNORECASE)
_LITERAL: Final = re.compile(rb"\{[0-9]+\+?\}\Z")
_TOKEN: Final = re.compile(rb'[()]|"(?:[^"\\]|\\.)*"|[^\s()"]+', re.DOTALL)
_MOST_TOKENS: Final = 100_000


def structure_of(parts: list[Part]) -> tuple[bytes, bool | None]:
    """What an answer to FETCH says beside the structure, and whether that has a file beside the texts; None without one."""
    said = b" ".join(part[0] if isinstance(part, tuple) else part for part in parts)
    if _NAME.search(said) is None:
        return said, None
    # A name that is a literal becomes a word like the others.
    whole = b"".join(
        part if isinstance(part, bytes) else _LITERAL.sub(b"", part[0]) + b'"%b" ' % re.sub(rb'["\\]', b"_", part[1])
        for part in parts
    )
    begin = _NAME.search(whole)
    assert begin is not None
    root, end = _lists(whole, begin.end())
    return whole[: begin.start()] + whole[end:], any(_is_file(*leaf) for leaf in _leaves(root))


def _lists(text: bytes, start: int) -> tuple[list[Any], int]:
    """The list that begins there, with those in it, and where it ends."""
    root: list[Any] = []
    open_lists = [root]
    end = start
    for number, token in enumerate(_TOKEN.finditer(text, start)):
        end = token.end()
        if token[0] == b"(":
            made: list[Any] = []
            open_lists[-1].append(made)
            open_lists.append(made)
        elif token[0] == b")":
            open_lists.pop()
            if len(open_lists) == 1 or number > _MOST_TOKENS:
                break
        else:
            open_lists[-1].append(token[0].strip(b'"').lower())
    return root[0], end


def _leaves(root: list[Any]) -> Iterator[tuple[list[Any], bool]]:
    """The parts that have no parts, each with whether it belongs to a text; a message within the message is one."""
    left = [(root, False)]
    while left:
        part, related = left.pop()
        if part and isinstance(part[0], list):
            subtype = next((word for word in part if isinstance(word, bytes)), b"")
            # What belongs to an alternative of something that belongs to it does, too.
            left += [(inner, related or subtype == b"related") for inner in part if isinstance(inner, list) and inner]
        elif len(part) > 5 and all(isinstance(word, bytes) for word in part[:2]):
            yield part, related


def _is_file(part: list[Any], related: bool) -> bool:
    kind, subtype, given, content_id = part[:4]
    has_id = content_id != b"nil"
    disposition = next(
        (one[0] for one in part[4:] if isinstance(one, list) and one[:1] in ([b"attachment"], [b"inline"])), b""
    )
    if related and has_id and kind != b"text":
        # What the text shows by its Content-ID is a picture in it, whatever else is said of it.
        return False
    if disposition == b"attachment" or kind in {b"message", b"application"}:
        return True
    if kind == b"text" and (subtype in {b"plain", b"html"} or disposition == b"inline"):
        return False
    named = isinstance(given, list) and b"name" in given[::2]
    return not (disposition == b"inline" and has_id) and (named or kind != b"text")
