"""What a person reads: tables as HTML (all that goes in is escaped) and as text, sizes, times, values, and what was meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import zip_longest
from typing import Final

__all__ = [
    "columns",
    "counted",
    "cut",
    "did_you_mean",
    "escape",
    "few",
    "how_large",
    "how_long",
    "prose",
    "shown",
    "table",
    "unfit",
]


# What no line may hold: controls, halves of surrogate pairs (no file can hold them), line and paragraph separators.
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def unfit(text: str) -> bool:
    """Whether the text contains a line break or another control character, which no header and no option can."""
    # Most texts are fit, and to ask this first is a hundred times faster.
    return not text.isprintable() and any(unicodedata.category(character) in _UNFIT for character in text)


#: Characters of a number with its unit.
_SHORT: Final = 10
_OPENS_FORMULA: Final = re.compile(r"[$\\]")
_DAY: Final = re.compile(r"\b\d{4}-\d\d-\d\d(?= )")


def prose(text: str) -> str:
    r"""A text in HTML, and nothing but a text: no part of it is an element, or a formula.

    To JupyterLab what stands between two ``$`` is a formula there, and so is what begins with ``\(``, ``\[`` or ``\begin``:
    it looks for them in texts that no element parts.

    >>> prose("<5 $")
    '&lt;5 <span>$</span>'
    """
    return _OPENS_FORMULA.sub(r"<span>\g<0></span>", escape(text))


def table(rows: Iterable[Sequence[object]], *, header: Sequence[str], caption: str = "") -> str:
    """An HTML table in the notebook's own style; the first column is the row's header.

    A number, a size or a day stands in one line.

    >>> table([("2026-11-26 10:58", "4.7 kB")], header=("Date", "Size")).count("white-space:nowrap")
    2
    """
    head = "".join(f'<th scope="col" style="text-align:left">{prose(cell)}</th>' for cell in header)
    body = []
    for row in rows:
        first, *rest = map(_cell, row)
        cells = "".join(f"<td {cell}</td>" for cell in rest)
        body.append(f'<tr><th scope="row" {first}</th>{cells}</tr>')
    title = f'<caption style="text-align:left">{prose(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _cell(value: object) -> str:
    text = str(value)
    whole = ";white-space:nowrap" if text[:1].isdecimal() and len(text) <= _SHORT else ""
    said = _DAY.sub(r'<span style="white-space:nowrap">\g<0></span>', prose(text)).replace("\n", "<br>")
    return f'style="text-align:left{whole}">{said}'


def columns(rows: Iterable[Sequence[object]], *, header: Sequence[str] = ()) -> str:
    """The same as lines of text with aligned columns; a cell of several lines goes on below its first."""
    cells = [
        line
        for row in ([header] if header else []) + [*rows]
        for line in zip_longest(*(str(cell).split("\n") for cell in row), fillvalue="")
    ]
    if not cells:
        return ""
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def how_large(size: int) -> str:
    """A number of bytes in the unit that fits, of 1000 each.

    >>> how_large(20), how_large(4711), how_large(25_000_000), how_large(3 * 10**9)
    ('20 bytes', '4.7 kB', '25.0 MB', '3.0 GB')
    """
    for unit, scale in ("GB", 10**9), ("MB", 10**6), ("kB", 10**3):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def how_long(seconds: float) -> str:
    """A time in the two units that fit.

    >>> how_long(0.2), how_long(90), how_long(3600 * 5.5), how_long(86400 * 3)
    ('0 s', '1 min 30 s', '5 h 30 min', '3 d')
    """
    left = int(max(seconds, 0.0))
    parts: list[str] = []
    for unit, scale in ("d", 86400), ("h", 3600), ("min", 60), ("s", 1):
        count, left = divmod(left, scale)
        parts += [f"{count} {unit}"] if count else []
        if (parts and scale * 60 <= seconds) or len(parts) == 2:  # as said
            break
    return " ".join(parts) or "0 s"


def counted(number: int, what: str, several: str = "") -> str:
    """So many of something; ``several`` is its plural, by default with an s.

    >>> counted(1, "message"), counted(1200, "row"), counted(2, "address", "addresses")
    ('1 message', '1,200 rows', '2 addresses')
    """
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"


def cut(text: str, most: int = 120) -> str:
    """The text, at most so many characters of it.

    >>> cut("Churn, week 47", 6)
    'Churn…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def few(names: Sequence[str], most: int = 5, *, separator: str = ", ") -> str:
    """The first names, and how many there are beside them.

    >>> few(["ana", "bea", "eve"], 2)
    'ana, bea and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{separator.join(names[:most])}{more}"


def did_you_mean(word: str, known: Sequence[str], also: Mapping[str, str] | None = None) -> str:
    """`` Did you mean X?`` when a known word is near, and nothing otherwise; ``also``: other words for some of them."""
    meant = {other: name for other, name in (also or {}).items() if name in known}
    folded = {other.casefold(): name for other, name in (meant | {name: name for name in known}).items()}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def shown(value: object, most: int = 200) -> str:
    """A value as an error repeats it: as Python writes it, at most so many characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of ten thousand digits, or as many lists in each other
        text = f"a very large {type(value).__name__}"
    return cut(text, most)
