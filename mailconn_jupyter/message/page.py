"""The page around what a message shows."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from ..formatting import how_large

__all__ = ["POLICY", "cut_by_gmail", "document"]

#: What a page of foreign content may do (Content-Security-Policy): show text and its own images; run and load nothing.
POLICY: Final = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
)

#: Bytes of HTML that Gmail shows; the rest is behind a link.
_SHOWN: Final = 102_000

# Ground and letters are both given, and the scheme is said: a program with a dark mode leaves them, or turns both.
_HEAD: Final = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
    # No scale is said: a telephone shows all of what is wider than itself.
    '<meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light only"><meta name="supported-color-schemes" content="light">\n'
    "<title>{title}</title></head>\n"
    '<body style="margin:0;padding:0;background:#ffffff;color:#1b1b1b" bgcolor="#ffffff">\n'
    # A table, as Outlook pads cells alone; its one column is as wide as the window, whatever is wider in it.
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#ffffff" '
    # The colours once more inside: Gmail drops the body's own style.
    'style="table-layout:fixed"><tr><td style="padding:12px 14px;background:#ffffff;color:#1b1b1b;'
    'font:14px/1.5 Arial,Helvetica,sans-serif">\n'
)
_FOOT: Final = "\n</td></tr></table></body></html>\n"


def document(html: str, title: str) -> str:
    """A whole page around a fragment."""
    return f"{_HEAD.replace('{title}', escape(title))}{html}{_FOOT}"


def cut_by_gmail(html: str | None) -> Iterator[str]:
    """The sentence for an author whose page is longer than Gmail shows."""
    if html is not None and (length := len(html.encode(errors="replace"))) > _SHOWN:
        yield (
            f"The text of the message is {how_large(length)}: Gmail shows the first {how_large(_SHOWN)}, and the rest behind a link. "
            "Show fewer rows (rows=), or attach what is long."
        )
