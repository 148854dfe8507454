"""Several parts as one, the one under the other."""

from __future__ import annotations

from collections.abc import Sequence

from .part import Part, joined
from .words import paragraphs

__all__ = ["fragment", "stacked"]


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
