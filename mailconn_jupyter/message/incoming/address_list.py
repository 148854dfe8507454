"""Who a message says that it is from and to (RFC 5322, 3.4), of whatever the field holds.

The address is what stands in angle brackets, whatever stands before them: a name that looks like an address is still a
name. Nothing that looks like an address is left out, and each character is looked at a few times at most.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from .encoded_words import decoded

__all__ = ["Correspondent", "address_list", "as_read"]

# Parts of a phrase are quoted, or words, in which an encoded word or a domain in brackets may hold anything.
_PIECE: Final = re.compile(
    r"""
    "(?P<quoted>(?:[^"\\]++|\\.)*+)"
    |<[<\s]*+(?P<angle>[^<>]*+)>[>\s]*+
    |<[<\s]*+(?P<unclosed>[^<>,;"]*+)
    |(?P<words>(?:[^",;:()<>\[=]++|=\?[^?\s]{1,60}\?[BbQq]\?[^?\s]*+\?=|\[[^\[\]<>",;()]*+\]|[=\[])++)
    |(?P<mark>[,;][,;\s]*+|[:()>"])
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
# Without quotation marks a name that holds one of these, or of their look-alikes, would be read as something else.
_SPECIAL: Final = re.compile(r'[()<>@,:;"\[\]\\]')


@dataclass(frozen=True)
class Correspondent:
    """One of whom a message names: a ``name`` that may be empty, an ``address``, and the ``group`` that they are in.

    ``address`` is None where there is none, and empty where only its brackets are, as in a bounce.
    """

    name: str
    address: str | None
    group: str = ""

    def __str__(self) -> str:
        name = " ".join(self.name.split())
        if self.address is None:
            return name
        if not name:
            return self.address or "<>"
        if _SPECIAL.search(name if name.isascii() else unicodedata.normalize("NFKC", name)):
            name = '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'
        return f"{name} <{self.address}>"


def as_read(people: Iterable[Correspondent]) -> str:
    """The list as a person reads it.

    >>> as_read(address_list("noreply@github.example <real@lists.example>; bob@example.org")[0])
    '"noreply@github.example" <real@lists.example>, bob@example.org'
    """
    shown = []
    for group, members in groupby(people, key=lambda one: one.group):
        texts = ", ".join(filter(None, map(str, members)))
        shown.append(f"{group}:{' ' * bool(texts)}{texts};" if group else texts)
    return ", ".join(shown)


def address_list(value: str) -> tuple[list[Correspondent], str]:
    """All whom the field names, in its order, and what is wrong with it (may be empty)."""
    reader = _Reader(value)
    people = list(reader.people())
    if reader.in_comment:
        # A parenthesis that nothing closes is none: what comes behind it counts.
        reader = _Reader(re.sub("[()]", " ", value))
        people = list(reader.people())
        reader.whole = False
    if not reader.decoded:
        return people, "has an encoded word that cannot be decoded"
    return people, "" if reader.whole else "is not a proper list of addresses; it is read as it seems to be meant"


class _Reader:
    """One pass through a field. ``in_comment`` says that it ended in one, ``whole`` that it is as it should be."""

    def __init__(self, value: str) -> None:
        self.whole = True
        self.decoded = True
        self.in_comment = 0
        self._value = value
        self._last_end = value.rfind(";")
        self._group = ""
        self._members = 0
        self._begin()

    def _begin(self) -> None:
        # As it is written, and as it is meant.
        self._raw: list[str] = []
        self._phrase: list[str] = []
        self._has_at = self._has_quoted = False
        self._angle: str | None = None
        self._comment = ""

    def _pieces(self) -> Iterator[re.Match[str]]:
        for piece in _PIECE.finditer(self._value):
            if piece["mark"] == '"':
                # A quotation mark that nothing closes is none, and so are all behind it.
                self.whole = False
                start = piece.start()
                self._value = self._value[:start] + self._value[start:].replace('"', " ")
                yield from _PIECE.finditer(self._value, start)
                return
            yield piece

    def people(self) -> Iterator[Correspondent]:
        start = 0  # of a comment
        for piece in self._pieces():
            mark = piece["mark"] or ""
            if mark == "(" or (mark == ")" and self.in_comment):
                start = start if self.in_comment else piece.end()
                self.in_comment += 1 if mark == "(" else -1
                if not self.in_comment:
                    self._comment = self._comment or self._text(self._value[start : piece.start()])
                    self._raw.append(" ")
            elif self.in_comment:
                continue
            elif mark == ":" and not self._group and self._angle is None and piece.end() <= self._last_end:
                self._group, self._members = self._text("".join(self._phrase)) or '""', 0
                self._begin()
            elif mark.startswith((",", ";")):
                yield from self._ended()
                if ";" in mark:
                    if self._group and not self._members:
                        yield Correspondent("", None, self._group)
                    self.whole = self.whole and bool(self._group)
                    self._group = ""
            else:
                yield from self._taken(piece)
        yield from self._ended()

    def _taken(self, piece: re.Match[str]) -> Iterator[Correspondent]:
        """Take in a part of a phrase, or an address in brackets; one that is there already has ended with it."""
        kind, text = piece.lastgroup or "", piece[piece.lastgroup or 0]
        brackets = kind in {"angle", "unclosed"}
        if self._angle is not None and (brackets or text.strip()):
            self.whole = False
            yield from self._ended()
        if brackets:
            # RFC 5322, 4.4: before a colon stood the way that the message was to take.
            self._angle = (text.rpartition(":")[2] if text.lstrip().startswith("@") else text).strip()
        else:
            self._raw.append(piece[0])
            quotes = kind == "quoted" and "\\" in text
            self._phrase.append(_QUOTED_PAIR.sub(r"\1", text) if quotes else text)
            self._has_quoted = self._has_quoted or kind == "quoted"
            self._has_at = self._has_at or (kind == "words" and "@" in text)
        self.whole = self.whole and kind in {"quoted", "angle", "words"}

    def _ended(self) -> Iterator[Correspondent]:
        """What was taken in so far."""
        raw, phrase = "".join(self._raw).strip(), "".join(self._phrase).strip()
        angle, comment = self._angle, self._comment
        has_address, has_quoted = self._has_at, self._has_quoted
        self._begin()
        self._members += bool(raw or comment or angle is not None)
        if angle is not None:
            self.whole = self.whole and not has_address
            yield Correspondent(self._text(phrase) or comment, angle, self._group)
        elif has_address and has_quoted:
            yield Correspondent(comment, raw, self._group)
        elif has_address:
            words = raw.split()
            self.whole = self.whole and len(words) == 1
            yield from self._run_together(words, comment)
        elif phrase or comment:
            self.whole = False
            yield Correspondent(self._text(phrase) or comment, None, self._group)

    def _run_together(self, words: list[str], comment: str) -> Iterator[Correspondent]:
        """Addresses without brackets, and whatever stands before each."""
        name: list[str] = []
        for word in words:
            if "@" in word:
                yield Correspondent(self._text(" ".join(name)) or comment, word, self._group)
                name, comment = [], ""
            else:
                name.append(word)
        if name:
            yield Correspondent(self._text(" ".join(name)), None, self._group)

    def _text(self, phrase: str) -> str:
        text, whole = decoded(phrase)
        self.decoded = self.decoded and whole
        return text.strip()
