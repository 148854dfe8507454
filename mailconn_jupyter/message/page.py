"""The parts of a message, one under the other: as a page, and as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from .render.part import Part, joined
from .render.words import paragraphs

__all__ = ["document", "stacked"]

# Ground and letters are both given, and the scheme is said: a program with a dark mode leaves them, or turns both.
_HEAD: Final = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta name="color-scheme" content="light only"><meta name="supported-color-schemes" content="light">\n'
    "<title>{title}</title></head>\n"
    '<body style="margin:0;padding:0;background:#ffffff;color:#1b1b1b" bgcolor="#ffffff">\n'
    # Once more inside: Gmail drops the body's own style.
    '<div style="font:14px/1.5 Arial,Helvetica,sans-serif;color:#1b1b1b;background:#ffffff;padding:12px 14px">\n'
)
_FOOT: Final = "\n</div></body></html>\n"


def stacked(parts: Sequence[Part]) -> Part:
    """The parts as one. HTML is made only when one of them needs it: a plain text stays a plain text."""
    text = "\n\n".join(part.text for part in parts if part.text)
    if all(part.html is None for part in parts):
        return joined(parts, text, None)
    html = "\n".join(fragment(part) for part in parts)
    return joined(parts, text, html)


def fragment(part: Part) -> str:
    """The part's HTML; a plain text as paragraphs."""
    return paragraphs(part.text) if part.html is None else part.html


def document(html: str, title: str) -> str:
    """A whole page around a fragment."""
    return f"{_HEAD.replace('{title}', escape(title))}{html}{_FOOT}"
