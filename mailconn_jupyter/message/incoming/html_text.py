"""The text of HTML that came from somewhere, each character looked at a few times at most.

:class:`html.parser.HTMLParser` takes the square of the length of some tags that do not end, and a table can be made to take
a thousand times its size when it is aligned, so here its cells stand one after the other.
"""

from __future__ import annotations

import re
from typing import Final

from ..render.html.plain_text import TextReader
from .references import unescaped

__all__ = ["text_of_html"]

# A comment or what is not shown, to its end or that of all; a tag, in which no other begins; text. For (?!), see
# block_elements.
_PIECE: Final = re.compile(
    r"""
    <!--.*?(?:-->|\Z)
    |<(?P<hidden>script|style|title|template)\b[^<>]*+>.*?(?:</(?P=hidden)\b[^<>]*+>?|\Z)
    |<(?P<end>/?)(?P<tag>[a-z][a-z0-9]*+)(?P<said>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+'|["'])*+)>
    |<[!?][^<>]*+>
    |(?P<text>(?:[^<]++|<(?![a-z/!?])|(?!))++|<[^<]*+)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# Of an attribute that is of use.
_ATTRIBUTE: Final = re.compile(
    r"""(?<![\w-])(href|alt)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE
)
_WITH_ATTRIBUTES: Final = frozenset({"a", "img"})
_ROWS: Final = {"table": "div", "tr": "div", "tbody": "div", "caption": "div"}
_CELLS: Final = frozenset({"td", "th"})
_BETWEEN_CELLS: Final = "\xa0\xa0"  # spaces that stay


def text_of_html(html: str) -> str:
    """The text, its blocks parted by lines, the cells of a row by two spaces; links say where they lead."""
    reader = TextReader()
    first = True  # cell of its row
    for piece in _PIECE.finditer(html):
        tag = (piece["tag"] or "").lower()
        if piece["text"]:
            reader.handle_data(unescaped(piece["text"]))
        elif tag == "head":
            continue  # it holds nothing that is shown, and many forget its end
        elif tag in _CELLS:
            if not piece["end"]:
                reader.handle_data("" if first else _BETWEEN_CELLS)
                first = False
        elif tag and piece["end"]:
            reader.handle_endtag(_ROWS.get(tag, tag))
        elif tag:
            first = first or tag == "tr"
            reader.handle_starttag(_ROWS.get(tag, tag), _attributes(tag, piece["said"]))
    return reader.finished()


def _attributes(tag: str, said: str) -> list[tuple[str, str | None]]:
    if tag not in _WITH_ATTRIBUTES:
        return []
    return [(name.lower(), unescaped("".join(value))) for name, *value in _ATTRIBUTE.findall(said)]
