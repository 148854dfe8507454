"""Values that a style sheet names once and uses everywhere (``var(--name, other)``), put where they are used.

Mail programs know none of them, and neither does what inlines styles.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["with_values"]

# Longer ones are no looks; and a few that name each other would be a billion signs.
_LONGEST: Final = 100
_DEEPEST: Final = 6
_NAMED: Final = re.compile(r"(?<![\w-])(--[\w-]{1,80})\s*:([^;{}<>]{1,2000})")
_USED: Final = re.compile(r"var\(\s*(--[\w-]{1,80})\s*(?:,([^()]{0,200}(?:\([^()]{0,200}\)[^()]{0,200}){0,3}))?\)")


def with_values(html: str) -> str:
    """The HTML with the values in the rules of its style sheets; of several the first counts, as that by day comes first."""
    if "var(" not in html:
        return html
    before, *sheets = html.split("<style")
    parts = [sheet.partition("</style") for sheet in sheets]
    values: dict[str, str] = {}
    for rules, _, _ in parts:
        for name, value in _NAMED.findall(rules):
            values.setdefault(name, value.strip())
    for _ in range(_DEEPEST):
        values = {name: _put(value, values) for name, value in values.items()}
    values = {name: value for name, value in values.items() if len(value) <= _LONGEST and "var(" not in value}
    known = [f"{_put(rules, values)}{end}{rest}" for rules, end, rest in parts]
    return "<style".join([before, *known])


def _put(text: str, values: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        named = values.get(found[1], "")
        if named and len(named) <= _LONGEST and "var(" not in named:
            return named
        return (found[2] or "").strip() or found[0]

    for _ in range(_DEEPEST):
        if (put := _USED.sub(value, text)) == text:
            break
        text = put
    return text
