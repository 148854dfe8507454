"""Text whose paragraphs were broken into lines for the way (RFC 3676, ``format=flowed``), put together again."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["unbroken"]

_QUOTED: Final = re.compile(r"(>*+) ?(.*)", re.DOTALL)
_SIGNATURE: Final = "-- "


def unbroken(text: str, *, delsp: bool) -> str:
    r"""The paragraphs, each in one line, under the marks of who is quoted. ``delsp``: what a line ends in is no blank.

    >>> unbroken("> Three \n> things.\nYes, \nthey did.\n-- \nAna\n", delsp=False)
    '> Three things.\nYes, they did.\n-- \nAna\n'
    """
    lines: list[str] = []
    paragraph: list[str] = []
    depth = ""

    def end() -> None:
        if paragraph:
            body = "".join(paragraph)
            lines.append(f"{depth} {body}" if depth and body else f"{depth}{body}")
            paragraph.clear()

    for line in text.split("\n"):
        found = _QUOTED.fullmatch(line)
        marks, body = (found[1], found[2]) if found else ("", line)
        if marks != depth or body == _SIGNATURE:
            end()
        depth = marks
        flows = body.endswith(" ") and body != _SIGNATURE
        paragraph.append(body[:-1] if flows and delsp else body)
        if not flows:
            end()
    end()
    return "\n".join(lines)
