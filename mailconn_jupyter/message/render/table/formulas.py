"""Texts that a spreadsheet takes for formulas when it opens a CSV file: ``=HYPERLINK(...)``, ``@SUM(...)``, ``+cmd|...``.

Who opens the file computes what a value says, so a stranger's value may send others away. Numbers begin with a sign, too,
and so do phone numbers: what has no letters cannot call anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from ....formatting import few
from ...texts import one_line

__all__ = ["quoted", "told"]

# Full-width forms are the same to a spreadsheet.
_BEGINS: Final = (
    "=@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
# What may follow a sign: digits and marks alone, or a number or a length of time in letters.
_NUMBER: Final = r"[\d.]++e[-+]?\d++|inf(?:inity)?|nan|\d++ days? \+?[\d:.]++|P[\dDTHMSW.]*+"
# A tab or a line's end at the beginning is dropped by some.
_FORMULA: Final = re.compile(
    rf"[{_BEGINS}]|[\t\r\n](?=\s*+\S)|[-+](?!(?:[\d\s.,:/()%+-]*+|{_NUMBER})\Z)", re.IGNORECASE
)


@cache
def _piece(separator: str) -> re.Pattern[str]:
    """A cell in quotes, one without, or what ends a cell or a row."""
    return re.compile(rf'"([^"]*+(?:""[^"]*+)*+)"|([^"{separator}\r\n][^{separator}\r\n]*+)|({separator})|(\r?\n)')


@cache
def _suspect(separator: str) -> re.Pattern[str]:
    """Where a cell may begin that is one, after a line's end or a separator: a single search tells that most tables have none."""
    space = "" if separator == "\t" else "\t"
    return re.compile(
        # Nothing in here goes over the end of a cell, so no cell is read twice. A set of characters to begin with, whose
        # case matters, is looked for five times faster.
        rf'[{separator}\n](?:"[\t\r\n]|"?[{_BEGINS}{space}]'
        rf'|"?[-+](?!(?:[\d .:/()%+-]*+|(?i:{_NUMBER}))(?:["{separator}\r\n]|\Z)))'
    )


def _may_hold(text: str, separator: str) -> bool:
    """Whether there may be such a cell; False is certain."""
    head, _, body = text.partition("\n")
    # Of numbers alone nothing is left, which is told ten times faster than by a search.
    rest = text if body.translate(str.maketrans("", "", f"0123456789.eE+-\r\n{separator}")) else head
    return _suspect(separator).search(f"\n{rest}") is not None


def _found(text: str, separator: str) -> Iterator[tuple[int, int, str]]:
    """Row and column, counted from 0, and the text of each such cell."""
    if not _may_hold(text, separator):
        return
    row = column = 0
    for piece in _piece(separator).finditer(text):
        if piece[3]:
            column += 1
        elif piece[4]:
            row, column = row + 1, 0
        else:
            said = piece[2] if piece[1] is None else piece[1].replace('""', '"')
            if _FORMULA.match(said):
                yield row, column, said


def told(name: str, data: bytes, separator: str = ",") -> tuple[str, ...]:
    """What the author of the CSV file ``name`` is told: which of its cells they are, as a spreadsheet calls them."""
    cells = [
        f"{_letters(column)}{row + 1} ({one_line(said, 30)!r})"
        for row, column, said in _found(data.decode("utf-8-sig"), separator)
    ]
    if not cells:
        return ()
    said = f"{name} has text that a spreadsheet will compute when it opens the file: {few(cells)}."
    return (f'{said} formulas="quote" puts an apostrophe before each; in XLSX they stay text.',)


def _letters(column: int) -> str:
    """What a spreadsheet calls a column.

    >>> _letters(0), _letters(25), _letters(26), _letters(702)
    ('A', 'Z', 'AA', 'AAA')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def quoted(text: str) -> str:
    """The CSV with an apostrophe before each such text, by which a spreadsheet takes it for a text."""
    if not _may_hold(text, ","):
        return text

    def safe(piece: re.Match[str]) -> str:
        if piece[1] is not None:
            return f'"\'{piece[1]}"' if _FORMULA.match(piece[1].replace('""', '"')) else piece[0]
        return f"'{piece[2]}" if piece[2] and _FORMULA.match(piece[2]) else piece[0]

    return _piece(",").sub(safe, text)
