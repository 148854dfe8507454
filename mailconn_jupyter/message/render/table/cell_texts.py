"""The cells of a column as texts, the way a notebook shows them: numbers with the same decimals, dates without empty hours."""

from __future__ import annotations

import datetime
import math
import numbers
import re
import sys
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

from ....errors import MessageError
from ....formatting import cut
from ...texts import clean, html_text
from ..no_content import says_nothing

__all__ = ["MISSING", "as_html", "as_text", "chosen", "dates", "floats", "is_number", "labels", "missing", "others"]

#: What stands for a value that is not there: NaN, None, NaT, <NA>.
MISSING: Final = "\N{EN DASH}"
#: Longer cells are cut.
LONGEST: Final = 200
_PRECISION: Final = 6
_MARKED: Final = re.compile(r"[&<>\"'\n\r\t\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|  ")
_BETWEEN: Final = "\x1e"


def floats(values: Sequence[float], precision: int, chosen: Callable[[float], str] | None = None) -> list[str]:
    """Fixed decimals, as few as all the values need and at most ``precision``; powers of ten where that would lose one."""
    if chosen is not None:
        return [chosen(value) for value in values]
    known = [abs(value) for value in values if math.isfinite(value) and value]
    if known and (max(known) >= 1e15 or min(known) < 10.0**-precision):
        return [f"{value:.{precision}e}" for value in values]
    texts = [f"{value:.{precision}f}" for value in values]
    spare = precision - 1
    for text in texts:
        if not spare:
            break
        if text[-1] in "0123456789":
            spare = min(spare, len(text) - len(text.rstrip("0")))
    if spare <= 0:
        return texts
    return [text[:-spare] if text[-1] == "0" else text for text in texts]


def dates(values: Sequence[datetime.date]) -> list[str]:
    """Dates with their times, or, when every time is midnight, without."""
    times = (value for value in values if isinstance(value, datetime.datetime))
    if all(value.time() == datetime.time() and value.tzinfo is None for value in times):
        return [f"{value:%Y-%m-%d}" for value in values]
    return [str(value) for value in values]


def chosen() -> tuple[int, Callable[[float], str] | None]:
    """The decimals of floats, and what writes them, as pandas was told (``display.precision``, ``display.float_format``)."""
    options = getattr(sys.modules.get("pandas"), "get_option", None)
    return (_PRECISION, None) if options is None else (options("display.precision"), options("display.float_format"))


def others(values: Sequence[Any]) -> list[str]:
    """Anything else, by its ``str``; a single float as in a column of floats."""
    return [value if type(value) is str else _text(value) for value in values]


def is_number(value: Any) -> bool:
    """Whether it is a number, of Python, NumPy or :mod:`decimal`, and so stands to the right."""
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return floats([value], *chosen())[0]
    try:
        text = str(value)
    except Exception:  # noqa: BLE001  # one broken object must not cost the whole table
        return f"({type(value).__name__})"
    if " at 0x" in text and says_nothing(value):
        raise MessageError(
            f"A cell of the table holds an object of type {type(value).__name__}, which shows nothing but its memory address.",
            hint="Leave its column out: frame.drop(columns=[...])",
        )
    return text


def missing(value: Any) -> bool:
    """Whether the value stands for one that is not there."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in {"NaTType", "NAType"}


def labels(values: Sequence[Any]) -> tuple[str, ...]:
    """Column names as texts; a date at midnight without its hours, a missing name empty."""
    return tuple(
        ""
        if missing(value)
        else _text(value).removesuffix(" 00:00:00")
        if isinstance(value, datetime.datetime)
        else _text(value)
        for value in values
    )


def as_html(cells: list[str], most: int = LONGEST) -> list[str]:
    """The cells escaped, each cut where it has more than ``most`` characters."""
    # Most columns hold nothing to escape: one search over all of it is several times faster than a call for each.
    joined = _BETWEEN.join(cells)
    if len(joined) < most or max(map(len, cells)) <= most:
        if not _MARKED.search(joined.replace(_BETWEEN, "")) and joined.count(_BETWEEN) == len(cells) - 1:
            return cells
        if (
            "\n" not in joined
            and joined.count(_BETWEEN) == len(cells) - 1
            and joined.isprintable()
            and "  " not in joined
        ):
            return escape(joined).split(_BETWEEN)
    return [html_text(cut(cell, most)).replace("<br>\n", "<br>") for cell in cells]


def as_text(cells: list[str], most: int = LONGEST) -> list[str]:
    """The cells for a plain-text table, each in one line."""
    if "".join(cells).isprintable() and max(map(len, cells), default=0) <= most:
        return cells
    return [" ".join(clean(cut(cell, most)).split("\n")).replace("\t", " ") for cell in cells]
