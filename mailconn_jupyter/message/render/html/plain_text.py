"""HTML as plain text, for who reads mail without it: tables stay tables, links say where they lead."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from ..table.text_table import Cell, cell_of, placed_text

__all__ = ["TextReader", "plain_text"]

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
_INLINE: Final = re.compile(r"(?:^|;)\s*display:\s*inline\b")
_KEPT: Final = "\xa0"  # a space that stays


def plain_text(html: str) -> str:
    """The text of some HTML, its blocks parted by lines."""
    reader = TextReader()
    reader.feed(html)
    reader.close()
    return reader.finished()


class TextReader(HTMLParser):
    """Makes text of the elements that it is given; :meth:`finished` has it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        # Of nested tables the outermost is the one with lines; its cells take the text of the inner ones.
        self._rows: list[list[Cell]] = []
        self._depth = 0
        self._ignored = 0
        self._as_it_is = 0
        self._links: list[str] = []
        # Where the last link led: of several to one place, one says where that is.
        self._led = ""
        # Of each block that is open, whether it stands in the line.
        self._inline: list[bool] = []
        self._right = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        inline = _INLINE.search(given.get("style", "")) is not None
        if tag in _BLOCKS:
            self._inline.append(inline)
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
            self._rows[-1].append(cell_of(given, right=self._right))
        elif tag == "br":
            self._say("\n" if not self._depth else " ")
        elif tag == "img":
            if given.get("alt"):
                self._say(f"[{given['alt']}]")
        elif tag == "a":
            self._links.append(given.get("href", ""))
        elif inline and tag in _BLOCKS:
            self._say(" ")
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
                self._out.append(placed_text(self._rows).replace(" ", _KEPT))
            self._depth = max(self._depth - 1, 0)
            self._break(apart=True)
        elif tag == "a" and self._links:
            # What a browser is to light up on the page is no part of the address.
            target = self._links.pop().partition("#:~:")[0]
            if target == self._led:
                return
            self._led = target
            if target and not target.startswith("#") and "".join(self._out[-1:]).strip() != target:
                self._say(f" ({target.removeprefix('mailto:')})")
        elif tag in _BLOCKS and (self._inline.pop() if self._inline else False):
            self._say(" ")
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
            self._out.append(placed_text(self._rows).replace(" ", _KEPT))
        # Space at the ends of a line is the source's, except in a table or in what is preformatted.
        lines = [line.strip(" ").replace(_KEPT, " ").rstrip() for line in "".join(self._out).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
