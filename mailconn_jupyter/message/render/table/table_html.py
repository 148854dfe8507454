"""A table that somebody else wrote as HTML, with our look: header, stripes, numbers to the right and words to the left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Final

from .grid import HEAD, TABLE, ZEBRA
from .text_table import Cell, cell_of, in_columns

__all__ = ["looking_alike"]

_BODY: Final = re.compile(r"<tbody>", re.IGNORECASE)
# A cell that is a date, which must not be broken at its hyphens.
_DAY: Final = re.compile(r"<td([^<>]*)>(?=\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d[^<]{0,20})?</td>)")
# A row that does not say where its cells stand; pandas says it of the header's, polars of none.
_ROW: Final = re.compile(r'<tr(?: style="text-align: ?right;?")?(?![^<>]* align=)', re.IGNORECASE)
# A cell up to its end, or to that of what it holds; the sanitiser writes every value in quotation marks.
_CELL: Final = re.compile(r'<t([dh])((?:\s+[\w-]+="[^"]*")*)>([^<]*)')
_ATTRIBUTE: Final = re.compile(r'\s([\w-]+)="([^"]*)"')
_SIDE: Final = re.compile(r'\salign="|text-align:')
_NUMBER: Final = re.compile(r"[-+]?(?:\d[\d,_]*(?:\.\d*)?(?:e[-+]?\d+)?%?|inf|nan)", re.IGNORECASE)
#: What stands for a value that is not there, or for rows that are not shown.
_NOTHING: Final = frozenset(["", "<na>", "nat", "none", "null", "...", "…"])


def looking_alike(opening: str, inner: str, rights: Sequence[bool] = ()) -> str:
    """The table whose ``<table`` goes on with ``opening``, and with ``inner``.

    ``rights`` says of the last columns whether they stand to the right; without it, those of numbers do. What a cell says
    of itself, it keeps.
    """
    head, *bodies = _BODY.split(_DAY.sub(r'<td\1 nowrap="nowrap">', inner))
    head = _ROW.sub(f'<tr align="right" bgcolor="{HEAD}"', head)
    return f"{TABLE[:-1]}{opening}{_aligned(head, '<tbody>'.join(['', *map(_striped, bodies)]), rights)}"


def _striped(body: str) -> str:
    first, *rows = _ROW.split(body)
    grounds = ("", f' bgcolor="{ZEBRA}"')
    return first + "".join(f'<tr align="right"{grounds[number % 2]}{row}' for number, row in enumerate(rows))


class _Told(Cell):
    """A cell and what its own tag says of where it stands."""

    def __init__(self, found: re.Match[str]) -> None:
        attributes = dict(_ATTRIBUTE.findall(found[2]))
        cell = cell_of(attributes, right=True)
        super().__init__(right=cell.right, span=cell.span, rows=cell.rows)
        self.words.append(unescape(found[3]))
        self.heads = found[1] == "h"


def _aligned(head: str, body: str, rights: Sequence[bool]) -> str:
    """Both with the side of every header, and of the cells that do not stand where their row does."""
    before, *rows = f"{head}{body}".split("<tr")
    read = in_columns([[_Told(found) for found in _CELL.finditer(row)] for row in rows])
    heads, lines = read[: head.count("<tr")], read[head.count("<tr") :]
    wide = max((place + cell.span for row in read for place, cell in row), default=0)
    index = max((place + cell.span for row in lines for place, cell in row if cell.heads), default=0)
    right = _of_numbers(lines)
    right |= {wide - len(rights) + number: side for number, side in enumerate(rights)}
    # The names over those of the columns stand over the middle of them.
    named = [row for row in heads if any(cell.heads and cell.text and place >= index for place, cell in row)]
    out = []
    for row, cells in zip(rows, read, strict=True):
        over = any(cells is other for other in named[:-1])
        words = ["center" if over and at >= index else "right" if right.get(at) else "left" for at, _ in cells]
        told = iter(words)
        out.append(_CELL.sub(lambda found, told=told: _with_side(found, next(told)), row))  # type: ignore[misc]  # bound now
    return "<tr".join([before, *out])


def _with_side(found: re.Match[str], side: str) -> str:
    if _SIDE.search(found[2]) or (side == "right" and found[1] == "d"):
        return found[0]
    return f'<t{found[1]}{found[2]} align="{side}">{found[3]}'


def _of_numbers(rows: Sequence[Sequence[tuple[int, _Told]]]) -> dict[int, bool]:
    """Each column, and whether it holds numbers."""
    texts: dict[int, set[str]] = {}
    for row in rows:
        for place, cell in row:
            if cell.text.lower() not in _NOTHING:
                texts.setdefault(place, set()).add(cell.text)
    return {place: all(map(_NUMBER.fullmatch, said)) for place, said in texts.items()}
