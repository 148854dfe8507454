"""Results that stand in running text: a table or a figure takes lines of its own, and ends the paragraph around it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["on_own_lines", "out_of_paragraphs"]

# Nothing is given back of what was taken, so that a page is read once, whatever stands in it. The empty (?!) gives back
# what a turn has read that failed: Python before 3.11.5, Debian 12's for one, forgets to.
_PARAGRAPH: Final = re.compile(r"<p(?P<said>\s[^<>]*+)?>(?P<inner>(?:(?!</?p[\s>]).|(?!))*+)</p>", re.DOTALL)
_OPENS: Final = re.compile(r"<(?!/|br\b|img\b)")
_EMPTY: Final = re.compile(r"(?:\s|<br>)*+")
_EMPTY_BACKWARDS: Final = re.compile(r"(?:\s|>rb<)*+")


def on_own_lines(text: str, block: re.Pattern[str]) -> str:
    r"""The text with a line break before and after each ``block`` that has none, its own spaces taken away.

    >>> on_own_lines("Before TABLE after.", re.compile("TABLE"))
    'Before\nTABLE\nafter.'
    """
    around = block.split(text)
    out = around[0]
    for place, after in zip(block.findall(text), around[1:], strict=True):
        before = out.rstrip(" \t")
        out = f"{before}{_end_of(before)}{place}"
        rest = after.lstrip(" \t")
        out += rest if not rest or rest.startswith("\n") else f"\n{rest}"
    return out


def _end_of(text: str) -> str:
    return "" if not text or text.endswith("\n") else "\n"


def out_of_paragraphs(html: str, block: re.Pattern[str]) -> str:
    """The HTML with each paragraph ended before a ``block`` in it, and begun again after it.

    One that holds nothing else gives way to it. Where a tag is open around the block, it stays: nothing is torn.

    >>> out_of_paragraphs("<p>Before TABLE after.</p><p>TABLE</p>", re.compile("TABLE"))
    '<p>Before</p>TABLE<p>after.</p>TABLE'
    """

    def parted(paragraph: re.Match[str]) -> str:
        pieces = re.split(f"({block.pattern})", paragraph["inner"])
        if len(pieces) == 1 or any(len(_OPENS.findall(piece)) != piece.count("</") for piece in pieces):
            return paragraph.group()
        said = paragraph["said"] or ""
        pieces[::2] = [f"<p{said}>{words}</p>" if words else "" for words in map(_trimmed, pieces[::2])]
        return "".join(pieces)

    return _PARAGRAPH.sub(parted, html)


def _trimmed(html: str) -> str:
    """The HTML without spaces and line breaks at its ends."""
    start = _EMPTY.match(html)
    html = html[start.end() :] if start else html
    backwards = html[::-1]
    end = _EMPTY_BACKWARDS.match(backwards)
    return (backwards[end.end() :] if end else backwards)[::-1]
