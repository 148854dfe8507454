"""HTML as plain text, for who reads mail without it: tables stay tables, links say where they lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from typing import Final

from ..texts import pad, width

__all__ = ["plain_text", "table_text"]

_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "ul",
    ]
)
_APART: Final = frozenset(
    ["blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"]
)
_IGNORED: Final = frozenset(["head", "script", "style", "template", "title"])
_CELL: Final = re.compile(r'<t[dh]((?: [\w-]+="[^"]*")*)>([^<]*)</t[dh]>')
_CELL_OPENS: Final = re.compile(r"<t[dh][ >]")
_ATTRIBUTE: Final = re.compile(r' ([\w-]+)="([^"]*)"')
_CAPTION: Final = re.compile(r"<caption[^>]*>(.*?)</caption>", re.DOTALL)
_KEPT: Final = "\xa0"  # a space that stays
_WIDEST_CELL: Final = 200


def plain_text(html: str) -> str:
    """The text of some HTML, its blocks parted by lines."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.finished()


class _Cell:
    def __init__(self, *, right: bool, span: int = 1, rows: int = 1) -> None:
        self.words: list[str] = []
        self.text = ""
        self.right = right
        self.span = span
        self.rows = rows

    def settle(self) -> None:
        """The words put together, once all have been read."""
        text = " ".join("".join(self.words).split())
        self.text = text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        # Of nested tables the outermost is the one with lines; its cells take the text of the inner ones.
        self._rows: list[list[_Cell]] = []
        self._depth = 0
        self._ignored = 0
        self._as_it_is = 0
        self._links: list[str] = []
        self._right = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _IGNORED:
            self._ignored += 1
        elif tag == "table":
            self._break(apart=True)
            self._depth += 1
            if self._depth == 1:
                self._rows = []
        elif tag == "tr" and self._depth == 1:
            self._rows.append([])
            self._right = given.get("align", "").lower() == "right"
        elif tag in {"td", "th"} and self._depth == 1:
            if not self._rows:
                self._rows.append([])
            right = _is_right(given, self._right)
            cell = _Cell(right=right, span=_span(given, "colspan"), rows=_span(given, "rowspan"))
            self._rows[-1].append(cell)
        elif tag == "br":
            self._say("\n" if not self._depth else " ")
        elif tag == "img":
            if given.get("alt"):
                self._say(f"[{given['alt']}]")
        elif tag == "a":
            self._links.append(given.get("href", ""))
        elif tag in _BLOCKS:
            self._break(apart=tag in _APART)
            if tag == "li":
                self._say("- ")
            elif tag == "hr":
                self._say("-" * 20)
                self._break()
            self._as_it_is += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in _IGNORED:
            self._ignored = max(self._ignored - 1, 0)
        elif tag == "table":
            if self._depth == 1:
                self._out.append(_table(self._rows).replace(" ", _KEPT))
            self._depth = max(self._depth - 1, 0)
            self._break(apart=True)
        elif tag == "a" and self._links:
            target = self._links.pop()
            if target and not target.startswith("#") and "".join(self._out[-1:]).strip() != target:
                self._say(f" ({target.removeprefix('mailto:')})")
        elif tag in _BLOCKS:
            self._as_it_is -= tag == "pre" and self._as_it_is > 0
            self._break(apart=tag in _APART)

    def handle_data(self, data: str) -> None:
        if not self._ignored:
            self._say(data.replace(" ", _KEPT) if self._as_it_is else re.sub(r"[ \t\n\r\f]+", " ", data))

    def _say(self, text: str) -> None:
        if not self._depth:
            self._out.append(text)
        elif self._rows and self._rows[-1]:
            self._rows[-1][-1].words.append(text)
        elif text.strip():
            self._out.append(f"{text.strip()}\n")  # the caption

    def _break(self, *, apart: bool = False) -> None:
        if apart or not (self._out and self._out[-1].endswith("\n")):
            self._say("\n\n" if apart else "\n")

    def finished(self) -> str:
        if self._depth:
            self._out.append(_table(self._rows).replace(" ", _KEPT))
        # Space at the ends of a line is the source's, except in a table or in what is preformatted.
        lines = [line.strip(" ").replace(_KEPT, " ").rstrip() for line in "".join(self._out).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def table_text(html: str) -> str:
    """The text of HTML that is one plain table, several times faster; empty when it is anything more."""
    head, *pieces = html.split("<tr")
    rows = []
    for piece in pieces:
        attributes, _, rest = piece.partition(">")
        cells = _CELL.findall(rest)
        if len(cells) != len(_CELL_OPENS.findall(rest)):
            return ""
        right = 'align="right"' in attributes
        rows.append([_simple_cell(tag, text, right) for tag, text in cells])
    caption = "".join(_CAPTION.findall(head))
    if "<" in caption or not rows:
        return ""
    return f"{unescape(caption)}\n{_table(rows)}" if caption else _table(rows)


def _simple_cell(tag: str, text: str, right: bool) -> _Cell:
    stands, span, rows = _looks(tag, right)
    cell = _Cell(right=stands, span=span, rows=rows)
    cell.words.append(unescape(text) if "&" in text else text)
    return cell


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
    return max(min(int(said), 1000), 1) if said.isdecimal() else 1


def _table(rows: list[list[_Cell]]) -> str:
    placed = _placed([row for row in rows if row])
    columns = max((place + cell.span for row in placed for place, cell in row), default=0)
    if columns > 1000:
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


def _placed(rows: list[list[_Cell]]) -> list[list[tuple[int, _Cell]]]:
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
                below |= dict.fromkeys(range(place, place + cell.span), cell.rows - 1)
            place += cell.span
        taken = below
        result.append(here)
    return result
