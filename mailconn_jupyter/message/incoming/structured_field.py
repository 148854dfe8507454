"""Content-Type, Content-Disposition, Content-Transfer-Encoding: a word and its parameters (RFC 2045, 5.1; RFC 2231).

They are read as they come, without quotes, with pieces missing, with semicolons too many; each byte at most a few times;
and without an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from .charsets import text_beside, text_of
from .encoded_words import decoded

__all__ = ["MOST_PARAMETERS", "StructuredField"]

#: Of one field: what comes behind them is left out.
MOST_PARAMETERS: Final = 500

_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
# It ends before what a program may have put behind it, and may be wrong in itself.
_WORD: Final = re.compile(r"""[\s"]*+([^\s;(),]++(?:\s*+/\s*+[^\s;(),]++)?)""")
_PARENTHESIS: Final = re.compile(r"[()]")
_OPENS: Final = re.compile(r"\s*+\(")
# A parameter; or else, so that no byte is looked at again and again, all up to the next one.
_PARAMETER: Final = re.compile(
    r'([^=;]*+)=\s*+(?:"((?:[^"\\]++|\\.)*+)"(?=\s*+(?:[;(]|$))[^;]*+|([^;]*+))|[^;]++|;[;\s]*+', re.DOTALL
)
# RFC 2231: the number of a piece, and an asterisk where it is percent-encoded.
_ATTRIBUTE: Final = re.compile(r"([^*]+)(?:\*([0-9]{1,6}))?(\*)?")
# Not every backslash is one that quotes: many programs write the path of a file as it is.
_QUOTED_PAIR: Final = re.compile(r'\\(["\\])')
_SIMPLE: Final = re.compile(r"[\w.:+-]+", re.ASCII)
# What belongs behind filename*= and stands behind filename=.
_MISPLACED: Final = re.compile(r"([\w.:+-]{3,40})'[A-Za-z-]{0,20}'(.+)", re.ASCII | re.DOTALL)

#: The places of what is not in pieces.
_PLAIN, _ENCODED = -2, -1

Pieces = dict[int, tuple[str, bool]]


class StructuredField:
    """One field. ``word`` is what it begins with, in lower case, without comments; empty where there is none.

    ``complete`` says whether all parameters were read.
    """

    def __init__(self, raw: bytes) -> None:
        # A character stands for a byte.
        text = _FOLD.sub("", raw.decode("latin-1")).strip()
        word = _WORD.match(text, _after_comments(text))
        self.word = "".join(word[1].split()).rstrip('"').lower() if word else ""
        if "=" in self.word.partition("/")[0]:
            # A parameter stands where it should.
            self.word = ""
        self.complete = True
        # By name and place: the value, and whether it is percent-encoded.
        self._parameters: dict[str, Pieces] = {}
        for number, found in enumerate(_PARAMETER.finditer(text)):
            if number == 2 * MOST_PARAMETERS:
                self.complete = False
                break
            names = (found[1] or "").split()
            attribute = _ATTRIBUTE.fullmatch(names[-1].lower()) if names else None
            if attribute is None:
                continue
            value = _unquoted(found[3]) if found[2] is None else _QUOTED_PAIR.sub(r"\1", found[2])
            place = int(attribute[2]) if attribute[2] else _ENCODED if attribute[3] else _PLAIN
            self._parameters.setdefault(attribute[1], {}).setdefault(place, (value, bool(attribute[3])))

    def token(self, name: str) -> str:
        """A parameter that is a word, such as a charset; empty when there is none."""
        text = self.text(name)[0].strip()
        found = _SIMPLE.search(text)
        return found[0] if found else text

    def exact(self, name: str) -> bytes | None:
        """A parameter byte by byte, such as a boundary; None when there is none."""
        pieces = self._parameters.get(name)
        return _joined(list(_ways(pieces))[-1])[0] if pieces else None

    def text(self, name: str, charset: str = "") -> tuple[str, bool]:
        """A parameter that people read, such as a name, and whether it is wholly what it should be.

        ``charset`` is what its bytes are in, where they are not UTF-8 and it names none. Empty when there is none.
        """
        readings = []
        for pieces in _ways(self._parameters.get(name, {})):
            text, sound = _text(*_joined(pieces), charset)
            if sound and (min(pieces) < 0 or max(pieces) == len(pieces) - 1):
                return text, True
            readings.append(text)
        return (readings[0], False) if readings else ("", True)


def _unquoted(value: str) -> str:
    """A value without quotes, or in quotes of which one is missing or too many."""
    value = value.strip()
    return value[1:].removesuffix('"') if value.startswith('"') else value


def _after_comments(text: str) -> int:
    """Where the comments end that a field begins with; at its beginning where one is not closed."""
    if not text.startswith("("):
        return 0
    depth = 0
    for found in _PARENTHESIS.finditer(text):
        depth += 1 if found[0] == "(" else -1
        if depth == 0 and not _OPENS.match(text, found.end()):
            return found.end()
    return 0


def _ways(pieces: Pieces) -> Iterator[Pieces]:
    """The ways in which a parameter is given, the best one first (RFC 6266, 4.3): encoded, in pieces, in ASCII."""
    if _ENCODED in pieces:
        yield {_ENCODED: pieces[_ENCODED]}
    if numbered := {place: piece for place, piece in pieces.items() if place >= 0}:
        yield numbered
    if _PLAIN in pieces:
        yield {_PLAIN: pieces[_PLAIN]}


def _joined(pieces: Pieces) -> tuple[bytes, str]:
    """The bytes of these pieces in their order, and the charset that the first one names."""
    data: list[bytes] = []
    charset = ""
    for place in sorted(pieces):
        value, encoded = pieces[place]
        if encoded and not data and value.count("'") > 1:
            charset, _, value = value.split("'", 2)
        as_bytes = value.encode("latin-1")
        data.append(unquote_to_bytes(as_bytes) if encoded else as_bytes)
    return b"".join(data), charset


def _text(data: bytes, charset: str, otherwise: str) -> tuple[str, bool]:
    if charset:
        return text_of(data, charset)
    text, sound = text_beside(data, otherwise)
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1]
    if "=?" in text:
        # Many programs put encoded words where RFC 2231 is meant to be.
        return decoded(text)
    if found := _MISPLACED.fullmatch(text):
        meant, fits = text_of(unquote_to_bytes(found[2]), found[1])
        text = meant if fits else text
    return text, sound
