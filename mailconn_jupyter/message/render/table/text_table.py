"""Cells as aligned columns of plain text: those of a table that somebody else wrote, with spans, or of a simple one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import unescape
from typing import Final, TypeVar

from ....formatting import cut
from ...texts import pad, width

__all__ = ["Cell", "cell_of", "in_columns", "placed_text", "table_text"]

_CELL: Final = re.compile(r'<t[dh]((?: [\w-]+="[^"]*")*)>([^<]*)</t[dh]>')
_CELL_OPENS: Final = re.compile(r"<t[dh][ >]")
_ATTRIBUTE: Final = re.compile(r' ([\w-]+)="([^"]*)"')
_CAPTION: Final = re.compile(r"<caption[^<>]*>([^<]*)</caption>")
_WIDEST_CELL: Final = 200
#: Columns above which a table is set as lines of words, and no cell is kept out of another's place.
_MOST_COLUMNS: Final = 1000


class Cell:
    """A cell: its words as they come, whether it stands to the right, and how many columns and rows it spans."""

    def __init__(self, *, right: bool, span: int = 1, rows: int = 1) -> None:
        self.words: list[str] = []
        self.text = ""
        self.right = right
        self.span = span
        self.rows = rows

    def settle(self) -> None:
        """The words put together, once all have been read."""
        self.text = _settled("".join(self.words))


_Cell = TypeVar("_Cell", bound=Cell)


def cell_of(attributes: Mapping[str, str], *, right: bool) -> Cell:
    """The cell that a tag opens; ``right`` is where its row stands."""
    return Cell(
        right=_is_right(attributes, right), span=_span(attributes, "colspan"), rows=_span(attributes, "rowspan")
    )


def table_text(html: str) -> str:
    """The text of HTML that is one plain table, many times faster; empty when it is anything more."""
    head, *pieces = html.split("<tr")
    rows: list[list[tuple[str, tuple[bool, int, int]]]] = []
    for piece in pieces:
        attributes, _, rest = piece.partition(">")
        cells = _CELL.findall(rest)
        if len(cells) != len(_CELL_OPENS.findall(rest)):
            return ""
        right = 'align="right"' in attributes
        rows.append([(text, _looks(tag, right)) for tag, text in cells])
    caption = "".join(_CAPTION.findall(head))
    if head.count("<caption") != len(_CAPTION.findall(head)) or not rows:
        return ""
    text = _even_text(rows) or placed_text([[_placed_cell(*cell) for cell in row] for row in rows])
    return f"{unescape(caption)}\n{text}" if caption else text


def _even_text(rows: list[list[tuple[str, tuple[bool, int, int]]]]) -> str:
    """The rows as lines, where each has a cell in every column; empty where they have not."""
    if len({len(row) for row in rows}) != 1 or any(looks[1] != 1 or looks[2] != 1 for row in rows for _, looks in row):
        return ""
    columns = []
    for column in zip(*rows, strict=True):
        texts = [_settled(unescape(text) if "&" in text else text) for text, _ in column]
        widest = max(map(width, texts))
        columns.append([pad(text, widest, right=looks[0]) for text, (_, looks) in zip(texts, column, strict=True)])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _placed_cell(text: str, looks: tuple[bool, int, int]) -> Cell:
    right, span, rows = looks
    cell = Cell(right=right, span=span, rows=rows)
    cell.words.append(unescape(text))
    return cell


def _settled(text: str) -> str:
    return cut(" ".join(text.split()), _WIDEST_CELL)


@lru_cache(1024)  # the cells of a table have few looks
def _looks(tag: str, right: bool) -> tuple[bool, int, int]:
    given = dict(_ATTRIBUTE.findall(tag))
    return _is_right(given, right), _span(given, "colspan"), _span(given, "rowspan")


def _is_right(given: Mapping[str, str], row: bool) -> bool:
    align = given.get("align", "").lower()
    style = given.get("style", "").replace(" ", "")
    if "text-align:" in style:
        align = style.partition("text-align:")[2][:5]
    return align == "right" if align else row


def _span(given: Mapping[str, str], name: str) -> int:
    said = given.get(name, "1")
    return max(int(said), 1) if said.isdecimal() and len(said) <= 3 else 1


def placed_text(rows: list[list[Cell]]) -> str:
    """The rows as lines, each cell over the columns that it spans."""
    placed = in_columns([row for row in rows if row])
    columns = max((place + cell.span for row in placed for place, cell in row), default=0)
    if columns > _MOST_COLUMNS:
        return "\n".join("  ".join(cell.text for _, cell in row) for row in placed)
    widths = [0] * columns
    for row in placed:
        for place, cell in row:
            if cell.span == 1:
                widths[place] = max(widths[place], width(cell.text))
    lines = []
    for row in placed:
        line: list[str] = []
        at = 0
        for place, cell in row:
            line.extend(" " * wide for wide in widths[at:place])
            at = place + cell.span
            line.append(pad(cell.text, sum(widths[place:at]) + 2 * (cell.span - 1), right=cell.right))
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def in_columns(rows: list[list[_Cell]]) -> list[list[tuple[int, _Cell]]]:
    """Each cell with its column: one that spans several rows pushes the cells of those below it."""
    taken: dict[int, int] = {}
    result = []
    for row in rows:
        place = 0
        here = []
        below = {column: left - 1 for column, left in taken.items() if left > 1}
        for cell in row:
            while taken.get(place):
                place += 1
            cell.settle()
            here.append((place, cell))
            if cell.rows > 1:
                below |= dict.fromkeys(range(place, min(place + cell.span, _MOST_COLUMNS)), cell.rows - 1)
            place += cell.span
        taken = below
        result.append(here)
    return result
