"""What a page hides is not in a mail, and what a click would open is open: a mail program clicks on nothing."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["opened_by_state", "without_hidden"]

# As the sanitiser writes its tags: small letters, every value in quotation marks, which are escaped inside.
_TAG: Final = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[\w-]+="[^"]*")*)\s*/?>')
_NOT_SHOWN: Final = re.compile(r'\sstyle="(?:[^"]*;)?\s*display:\s*none\b')
_DISPLAYED: Final = re.compile(r'\sstyle="(?:[^"]*;)?\s*display:')
_HIDDEN: Final = re.compile(r'\shidden="[^"]*"')
_EMPTY: Final = frozenset({"br", "col", "hr", "img"})


def opened_by_state(html: str) -> str:
    """The HTML with rules for boxes that are ticked turned into rules for those that it says are: it stays as it begins."""
    if ":checked" not in html:
        return html
    before, *sheets = html.split("<style")
    pieces = [before]
    for sheet in sheets:
        rules, end, rest = sheet.partition("</style")
        pieces.append(f"{rules.replace(':checked', '[checked]')}{end}{rest}")
    return "<style".join(pieces)


def without_hidden(html: str) -> str:
    """Sanitised HTML without the elements that are not shown."""
    if "none" not in html and ' hidden="' not in html:
        return html
    pieces: list[str] = []
    end, depth = 0, 0
    for tag in _TAG.finditer(html):
        closes, name, attributes = tag.groups()
        if depth:
            depth += 0 if name in _EMPTY else -1 if closes else 1
            end = tag.end()
        elif not closes and _is_hidden(attributes):
            pieces.append(html[end : tag.start()])
            depth, end = 0 if name in _EMPTY else 1, tag.end()
    # What hides by an attribute and is shown by a rule is shown.
    return _HIDDEN.sub("", "".join([*pieces, html[end:]]))


def _is_hidden(attributes: str) -> bool:
    return _NOT_SHOWN.search(attributes) is not None or (
        ' hidden="' in attributes and _DISPLAYED.search(attributes) is None
    )
