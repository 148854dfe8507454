"""Results that stand in running text: a table or a figure takes lines of its own, and ends the paragraph around it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["on_own_lines", "out_of_paragraphs"]

_PARAGRAPH: Final = re.compile(r"<p(?P<said>[^<>]*)>(?P<inner>(?:(?!</?p\b).)*)</p>", re.DOTALL)
_AT_ENDS: Final = re.compile(r"\A(?:\s|<br>)+|(?:\s|<br>)+\Z")
_OPENS: Final = re.compile(r"<(?!/|br\b|img\b)")


def on_own_lines(text: str, block: re.Pattern[str]) -> str:
    r"""The text with a line break before and after each ``block`` that has none, its own spaces taken away.

    >>> on_own_lines("Before TABLE after.", re.compile("TABLE"))
    'Before\nTABLE\nafter.'
    """
    pieces = re.split(rf"[ \t]*({block.pattern})[ \t]*", text)
    # Every second piece is a block, as the pattern has no group of its own.
    out = pieces[0]
    for place, after in zip(pieces[1::2], pieces[2::2], strict=True):
        out += ("" if not out or out.endswith("\n") else "\n") + place
        out += ("" if not after or after.startswith("\n") else "\n") + after
    return out


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
        around = [_AT_ENDS.sub("", piece) for piece in pieces[::2]]
        pieces[::2] = [f"<p{paragraph['said']}>{words}</p>" if words else "" for words in around]
        return "".join(pieces)

    return _PARAGRAPH.sub(parted, html)
