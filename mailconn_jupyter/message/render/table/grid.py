"""A table as the smallest HTML that mail programs show rightly, and as aligned text.

Mail programs drop ``<style>``, so a look costs bytes in every cell that has it. What can stand once stands once: the
font, the padding and the colours on the table, alignment and the zebra on the row, where Outlook and Gmail inherit them
too; only the cells that differ from their row say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby
from typing import Final

from ...texts import from_right, html_text, pad, width
from .cell_texts import LONGEST, as_html, as_text
from .fitting import LONGEST_WORD, in_words, least, longest, pixels

__all__ = ["HEAD", "TABLE", "ZEBRA", "Column", "Grid", "placed"]

TABLE: Final = (
    '<table cellpadding="5" cellspacing="0" border="0" style="border-collapse:collapse;border:1px solid #cfd5dd;'
    'font:13px/1.3 Arial,Helvetica,sans-serif;color:#1b1b1b;background:#ffffff">'
)
HEAD: Final = "#e6eaf0"
ZEBRA: Final = "#f4f6f8"
# A word that no column has room for: an address, a key. Who does not know the second breaks every word.
_BREAKING: Final = ' style="word-break:break-all;word-break:break-word">'
# Where a program goes on in the next line, as a number or a date must not: behind these, but for a sign at the front.
_BREAKS: Final = " -/"


@dataclass
class Column:
    """A column: its names (several for a hierarchy), its cells, and how it stands."""

    names: tuple[str, ...]
    cells: list[str]
    right: bool = False
    #: A column of the index: its cells are the rows' headers.
    index: bool = False
    #: The cells are known to hold nothing to escape.
    safe: bool = False
    #: Characters of a cell that are shown.
    most: int = LONGEST

    @cached_property
    def whole(self) -> bool:
        """Whether each cell stands in one line, as numbers and dates do, and has places where it could be broken."""
        if not (self.right or self.safe):
            return False
        text = "|".join(["", *self.cells]).replace("|-", "|")
        return any(sign in text for sign in _BREAKS)

    @cached_property
    def breaks(self) -> bool:
        """Whether it has words that are too long for any column."""
        return not self.safe and not self.whole and longest(" ".join(self.cells).split()) > LONGEST_WORD

    @cached_property
    def turned(self) -> bool:
        """Whether a cell of it is read from the right."""
        return not (self.safe or "".join(self.cells).isascii()) and any(map(from_right, self.cells))

    @property
    def wide(self) -> float:
        """The pixels that it takes."""
        name = longest(" ".join(self.names[-2:]).split())
        if self.right or self.safe:
            return pixels(longest(self.cells), name)
        return pixels(0, max(name, in_words(self.cells, LONGEST_WORD)))


@dataclass
class Grid:
    """Columns of the same length."""

    columns: list[Column]
    header: bool = True

    @property
    def length(self) -> int:
        return len(self.columns[0].cells) if self.columns else 0

    def rows(self) -> list[str]:
        """The HTML of each row, end of line included."""
        columns = self.columns
        # The row stands as most of its cells do.
        right = sum(column.right for column in columns) * 2 > len(columns)
        cells = "".join(
            f"<{tag}{'' if column.right == right and tag == 'td' else _align(column.right)}"
            f"{' nowrap' if column.whole else ''}{'%s' if column.breaks or column.turned else '>%s'}</{tag}>"
            for column in columns
            for tag in ("th" if column.index else "td",)
        )
        row = f"<tr{_align(True) if right else ''}%s>{cells}</tr>\n"
        odd, even = row.replace("%s", "", 1), row.replace("%s", f' bgcolor="{ZEBRA}"', 1)
        texts = [_texts(column) for column in columns]
        return [(even if number & 1 else odd) % entry for number, entry in enumerate(zip(*texts, strict=True))]

    def html(self, rows: Sequence[str], said: str = "") -> str:
        """The table with these of its :meth:`rows`, and what is ``said`` below it."""
        head = f"<thead>\n{self._head()}</thead>\n" if self.header else ""
        return placed(f"{TABLE}\n{head}<tbody>\n{''.join(rows)}</tbody></table>", said)

    def _head(self) -> str:
        depth = max((len(column.names) for column in self.columns), default=1)
        lines = []
        for level in range(depth):
            cells: list[str] = []
            for key, group in groupby(self.columns, key=lambda column: (column.index, column.names[: level + 1])):
                alike = list(group)
                text = html_text(" ".join(key[1][level : level + 1]))
                if key[0] or self._is_lowest(level):
                    cells.extend(
                        f"<th{_align(column.right)}{_least(column) if level == depth - 1 else ''}>{text}</th>"
                        for column in alike
                    )
                else:
                    span = f' colspan="{len(alike)}"' if len(alike) > 1 else ""
                    cells.append(f'<th align="center"{span}>{text}</th>')
            lines.append(f'<tr bgcolor="{HEAD}">{"".join(cells)}</tr>\n')
        return "".join(lines)

    def _is_lowest(self, level: int) -> bool:
        """Whether this line of the header has the columns' own names: below it there may be that of the index."""
        return not any(name for column in self.columns if not column.index for name in column.names[level + 1 :])

    def text(self, count: int) -> str:
        """The first ``count`` rows as lines of aligned columns, under a ruled header."""
        bodies = [as_text(column.cells[:count], column.most) for column in self.columns]
        heads = [as_text(list(column.names)) for column in self.columns] if self.header else [[] for _ in bodies]
        widths = [max(map(width, (*head, *body)), default=0) for head, body in zip(heads, bodies, strict=True)]
        lines = []
        if self.header:
            for level in range(max((len(head) for head in heads), default=0)):
                names = [head[level] if level < len(head) else "" for head in heads]
                if not self._is_lowest(level):
                    # A name over several columns stands over the first of them.
                    names = [
                        "" if number and _same(self.columns, number, level) else name
                        for number, name in enumerate(names)
                    ]
                lines.append(self._line(names, widths))
            lines.append("  ".join("-" * wide for wide in widths))
        lines.extend(self._line(entry, widths) for entry in zip(*bodies, strict=True))
        return "\n".join(lines)

    def _line(self, entry: Sequence[str], widths: Sequence[int]) -> str:
        return "  ".join(
            pad(cell, wide, right=column.right) for cell, wide, column in zip(entry, widths, self.columns, strict=True)
        ).rstrip()


def _texts(column: Column) -> list[str]:
    if column.safe:
        return column.cells
    texts = as_html(column.cells, column.most)
    if not (column.breaks or column.turned):
        return texts
    # The end of the cell's tag is the cell's own, so that only those with a long word pay for it.
    return [
        f"{' dir=rtl' if from_right(cell) else ''}{_BREAKING if column.breaks and longest(cell.split()) > LONGEST_WORD else '>'}{text}"
        for cell, text in zip(column.cells, texts, strict=True)
    ]


def _same(columns: Sequence[Column], number: int, level: int) -> bool:
    before, here = columns[number - 1], columns[number]
    return not here.index and not before.index and before.names[: level + 1] == here.names[: level + 1]


def _least(column: Column) -> str:
    """What keeps a text from being one word wide on a telephone: a cell's smallest width is that of its column."""
    pixels = 0 if column.right or column.safe else least(column.cells)
    return f' style="min-width:{pixels}px"' if pixels else ""


def _align(right: bool) -> str:
    return ' align="right"' if right else ' align="left"'


def placed(table: str, said: str = "") -> str:
    """A table with the room below it, and what is ``said`` of it in between."""
    line = f'\n<p style="margin:4px 0 0;color:#595f69;font-size:12px">{escape(said)}</p>' if said else ""
    return f'<div style="margin:0 0 12px">{table}{line}</div>'
