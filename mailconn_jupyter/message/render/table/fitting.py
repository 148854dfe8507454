"""How many columns of a table stand in a mail's page: Outlook scrolls no table, and a telephone cuts off what is wider.

A mail names a font and does not have it, so the widths are those of the widest one that stands in for Arial (DejaVu Sans).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import unescape
from itertools import zip_longest
from typing import Final, TypeVar

from ...texts import width
from ..part import PAGE

__all__ = ["COLUMNS", "LONGEST_WORD", "columns_that_fit", "fitting", "in_words", "least", "longest", "pixels"]

_T = TypeVar("_T")

_SIGN: Final = 8.3
_LETTER: Final = 7.6
_PADDING: Final = 10
#: Columns that are looked at: no more would fit, however narrow they are.
COLUMNS: Final = PAGE // (_PADDING + 8)
#: Letters of a word above which it is broken, as an address may be.
LONGEST_WORD: Final = 24
#: Letters of a text that stand in one line at least, and of a long one.
_SENTENCE: Final = 12
_LONG_SENTENCE: Final = 20
#: Lines that a text takes before it gets more room than a sentence.
_LINES: Final = 5
#: Pixels of a letter in Arial, on average.
_USUAL_LETTER: Final = 6.5
_MARKUP: Final = re.compile(r"<[^<>]*>")
_NUMBER: Final = re.compile(r"[\d.,:%e+-]+")
_CELL: Final = re.compile(r"<t[dh][^<>]*>(.*?)</t[dh]>", re.DOTALL)
#: Rows of a table in HTML that are measured.
_MEASURED: Final = 60


def longest(texts: Iterable[str]) -> int:
    """How wide the widest of them is, in signs."""
    texts = list(texts)
    wide = len if "".join(texts).isascii() else width
    return max(map(wide, texts), default=0)


def in_words(texts: Iterable[str], most: int | None = None) -> int:
    """The same of texts that may go on in the next line; a longer word than ``most`` is broken."""
    texts = list(texts)
    word = longest(" ".join(texts).split())
    return max(word if most is None else min(word, most), _in_line(longest(texts)))


def _in_line(letters: int) -> int:
    """Letters of a text of so many that stand in one line at least."""
    return min(letters, max(_SENTENCE, min(letters // _LINES, _LONG_SENTENCE)))


def least(texts: Iterable[str]) -> int:
    """Pixels across that texts keep beside columns that cannot be broken; 0 where their words see to that."""
    texts = list(texts)
    letters = _in_line(longest(texts))
    return 0 if letters <= longest(" ".join(texts).split()) else round(letters * _USUAL_LETTER)


def pixels(digits: int, letters: int = 0) -> float:
    """What a column takes whose widest line has so many digits, or so many letters."""
    return _PADDING + max(_SIGN * digits, _LETTER * letters)


def fitting(columns: Iterable[_T], wide: Callable[[_T], float], at_side: Callable[[_T], bool]) -> list[_T]:
    """The columns that fit a page; those at the side (the index), which come first, and one other always do.

    Further ones are not asked for.
    """
    left = float(PAGE)
    found: list[_T] = []
    for column in columns:
        left -= wide(column)
        if left < 0 and found and not at_side(found[-1]):
            break
        found.append(column)
    return found


def columns_that_fit(html: str, columns: int) -> int:
    """Of a table in HTML with so many ``columns``, the index not counted, how many fit a page."""
    rows = [_CELL.findall(row) for row in html.split("<tr")[1 : _MEASURED + 1] if "colspan" not in row]
    # What stands at the side for several rows is said in the first of them: the columns are counted from the right.
    found = list(zip_longest(*(row[::-1] for row in rows), fillvalue=""))[::-1]
    if len(found) < columns:
        return columns
    texts = [[unescape(_MARKUP.sub("", cell)).strip() for cell in column] for column in found]
    widths = [pixels(longest(filter(_NUMBER.fullmatch, column)), in_words(column)) for column in texts]
    index = len(widths) - columns
    return len(fitting(enumerate(widths), lambda column: column[1], lambda column: column[0] < index)) - index
