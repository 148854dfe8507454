"""The parts of a message (RFC 2046, 5.1), told apart in one pass over its bytes, however deep and broken they are.

Not by :mod:`email.parser`: it looks at each line once for every multipart around it, takes the square of the length of some
fields, raises on others, and keeps no bytes as they came, which a message within a message must.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .header import BLANK_LINE, BYTE_ORDER_MARK, Header
from .structured_field import StructuredField

__all__ = ["MOST_NESTED", "MOST_PARTS", "Entity", "entities"]

#: Parts within parts, and parts in all: what Dovecot looks at, too.
MOST_NESTED: Final = 100
MOST_PARTS: Final = 10_000

_LONGEST_BOUNDARY: Final = 1000
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
# A line of a header that is no field, no continuation of one, and not empty.
_NO_FIELD: Final = re.compile(rb"^(?![!-9;-~]++[ \t]*+:|[ \t\r\n])[^\n]", re.MULTILINE)
# A field that some mail program wrote: where one follows, the header is not over.
_SURE_FIELD: Final = re.compile(
    rb"^(?:content-|x-|mime-version|from|to|cc|bcc|reply-to|sender|subject|date|message-id|received|return-path|references"
    rb"|in-reply-to|dkim-signature)[!-9;-~]*+[ \t]*+:",
    re.MULTILINE | re.IGNORECASE,
)
_END: Final = re.compile(rb"\Z")
# The envelope of a mailbox file, which some programs keep.
_ENVELOPE: Final = re.compile(rb">?From [^\n]*\n")


@dataclass(frozen=True, slots=True)
class Entity:
    """A part that holds something itself; ``data`` is its body as it came, still encoded.

    ``multipart`` is the number of the one that it stands in, and ``alternative`` says whether that holds the same thing in
    several forms.
    """

    header: Header
    type: StructuredField
    kind: str
    data: bytes
    multipart: int
    alternative: bool


@dataclass(slots=True)
class _Open:
    """A part whose end was not seen yet; ``boundary`` is None where it holds no parts."""

    header: Header
    type: StructuredField
    kind: str
    start: int
    boundary: bytes | None
    number: int = 0
    begun: bool = False


@dataclass(slots=True)
class _Mark:
    """A line that parts parts: where what is before it stops, where what is behind it starts, and whose it is."""

    stop: int
    line: int
    after: int
    level: int
    closes: bool


def entities(raw: bytes, problems: list[str]) -> Iterator[Entity]:
    """The parts that hold something, in their order; a message within a message is one of them."""
    return _Walk(raw if b"\n" in raw else raw.replace(b"\r", b"\n"), problems).entities()


class _Walk:
    def __init__(self, raw: bytes, problems: list[str]) -> None:
        self._raw = raw
        self._problems = problems
        self._blank: re.Match[bytes] | None = None
        self._multiparts: list[_Open] = []
        # By their boundary: where in that list they are, the innermost last.
        self._levels: dict[bytes, list[int]] = {}
        self._leaf: _Open | None = None

    def entities(self) -> Iterator[Entity]:
        at = self._begin(0)
        count = multiparts = 0
        while self._multiparts and (mark := self._mark(at, len(self._raw))):
            yield from self._close(mark.level + 1, mark.stop)
            around = self._multiparts[mark.level]
            at = mark.after
            if mark.closes:
                yield from self._close(mark.level, mark.stop, whole=around.begun)
                continue
            if not around.begun:
                multiparts += 1
                around.begun, around.number = True, multiparts
            at = self._begin(mark.after)
            count += 1
            if count == MOST_PARTS:
                self._problems.append(f"It has over {MOST_PARTS} parts; the last one holds the rest.")
                break
        yield from self._close(0, self._line_end(len(self._raw)) if self._multiparts else len(self._raw))

    def _begin(self, start: int) -> int:
        """Take a part in whose header starts there; returns where its body does."""
        header, body = self._header(start)
        around = self._multiparts[-1].kind if self._multiparts else ""
        field = header.field("Content-Type")
        kind = "message/rfc822" if around == "multipart/digest" and "Content-Type" not in header else _kind(field.word)
        boundary = field.exact("boundary") if kind.startswith("multipart/") else None
        part = _Open(header, field, kind, body, boundary)
        if boundary is not None and len(self._multiparts) < MOST_NESTED:
            part.boundary = boundary = boundary.rstrip()
            self._levels.setdefault(boundary, []).append(len(self._multiparts))
            self._multiparts.append(part)
            return body
        if boundary is not None:
            self._problems.append("Its parts cannot be told apart, so they are shown as one text.")
        elif kind.startswith("multipart/"):
            self._problems.append("It names no boundary for its parts, so they are shown as one text.")
        self._leaf = part
        return body

    def _close(self, level: int, stop: int, *, whole: bool = False) -> Iterator[Entity]:
        """End the part that was begun last, and the multiparts from this level on; ``whole``: they end as they should."""
        if self._leaf is not None:
            yield self._entity(self._leaf, stop)
            self._leaf = None
        while len(self._multiparts) > level:
            part = self._multiparts.pop()
            assert part.boundary is not None
            self._levels[part.boundary].pop()
            if not part.begun:
                self._problems.append("The boundary of its parts is nowhere in it, so they are shown as one text.")
                yield self._entity(part, stop)
            elif not whole:
                self._problems.append("The end of its last part is missing: it may be cut off.")

    def _entity(self, part: _Open, stop: int) -> Entity:
        around = self._multiparts[-1] if self._multiparts else None
        return Entity(
            part.header,
            part.type,
            part.kind,
            self._raw[part.start : max(stop, part.start)],
            around.number if around else 0,
            around is not None and around.kind == "multipart/alternative",
        )

    def _mark(self, start: int, stop: int) -> _Mark | None:
        """The first line from ``start`` that is the boundary of an open multipart."""
        raw = self._raw
        at = max(start - 1, 0)
        while (at := raw.find(b"\n--", at, stop)) >= 0:
            end = raw.find(b"\n", at + 3)
            end = len(raw) if end < 0 else end
            line = raw[at + 3 : min(end, at + 3 + _LONGEST_BOUNDARY)].rstrip()
            levels = self._levels.get(line)
            closes = not levels and line.endswith(b"--")
            levels = self._levels.get(line[:-2]) if closes else levels
            if levels:
                return _Mark(max(self._line_end(at + 1), start), at + 1, min(end + 1, len(raw)), levels[-1], closes)
            at = end
        return None

    def _line_end(self, stop: int) -> int:
        """Where the line end begins that is the last thing before ``stop``: it belongs to the boundary."""
        for end in (b"\r\n", b"\n"):
            if self._raw.endswith(end, 0, stop):
                return stop - len(end)
        return stop

    def _header(self, start: int) -> tuple[Header, int]:
        """The header that starts there, and where the body after it does."""
        raw = self._raw
        if raw.startswith((b"\n", b"\r\n"), start):
            return Header(b""), raw.index(b"\n", start) + 1
        if self._blank is None or self._blank.start() < start:
            # It is looked for once, however many parts have none of their own.
            self._blank = BLANK_LINE.search(raw, start) or _END.search(raw)
        assert self._blank is not None
        stop = self._blank.end()
        if self._multiparts and (mark := self._mark(start, stop)):
            stop = mark.line
        if raw.startswith((b" ", b"\t"), start):
            self._problems.append("Its first line continues a header that is missing.")
        first = start or len(BYTE_ORDER_MARK) * raw.startswith(BYTE_ORDER_MARK)
        envelope = _ENVELOPE.match(raw, first, stop) if not start else None
        wrong = _NO_FIELD.search(raw, envelope.end() if envelope else first, stop)
        if wrong and not raw.startswith(b"--", wrong.start()) and _SURE_FIELD.search(raw, wrong.start(), stop):
            self._problems.append("A line among the headers is malformed, and is skipped.")
        elif wrong:
            self._problems.append("A line among the headers is malformed; the rest is taken for text.")
            stop = wrong.start()
        return Header(raw[start:stop]), stop


def _kind(word: str) -> str:
    """The content type; what is none at all is text (RFC 2045, 5.2), and what is a broken one is anything."""
    if _TYPE.fullmatch(word):
        return word
    return "application/octet-stream" if word.count("/") == 1 else "text/plain"
