"""Plain values: numbers, dates, dicts, arrays, and whatever has nothing but a repr."""

from __future__ import annotations

import json
import pprint
import re
from typing import Any, Final

from ...errors import MessageError
from ..texts import one_line
from .no_content import refuse_nameless, refuse_nothing, without_addresses
from .pairs import table_of_pairs
from .part import Options, Part
from .plots.plot_leftovers import figure_of
from .registry import is_result, render
from .stack import stacked
from .taught import float_text
from .words import Preformatted, render_preformatted, render_text

__all__ = ["render_array", "render_dict", "render_list", "render_repr", "render_scalar"]

_MOST_PAIRS: Final = 200
_MOST_RESULTS: Final = 50
_ADDRESS: Final = re.compile(r"<[\w.<>]+(?: object)? at 0x[0-9a-fA-F]+>")
#: Characters of a dict that stand in a table; what is longer is a text, and attached where it is very long.
_MOST: Final = 10_000


def render_scalar(value: Any, options: Options) -> Part:
    """A number, a date: as ``print`` would show it, a float as a cell does."""
    return render_text(float_text(value) if isinstance(value, float) else str(value), options)


def render_dict(value: dict[Any, Any], options: Options) -> Part:
    """A table of two columns; with results inside, each under its name; with dicts and lists inside, indented text."""
    if len(value) <= _MOST_RESULTS and any(map(is_result, value.values())):
        named = [[Part(str(key)), _placed(repr(key), entry, options)] for key, entry in value.items()]
        return stacked([part for pair in named for part in pair])
    refuse_nameless(value)
    if (
        value
        and len(value) <= _MOST_PAIRS
        and not any(isinstance(entry, dict | list | tuple | set) for entry in value.values())
        and (part := table_of_pairs(value, _MOST)) is not None
    ):
        return part
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        # With something in it that JSON has not, such as an array: as a notebook shows it.
        return render_repr(value, options)
    return render_preformatted(Preformatted(text), options)


def render_list(value: list[Any] | tuple[Any, ...], options: Options) -> Part:
    """Results, and what is said between them, one under the other; a list without any as a notebook shows it."""
    if len(value) <= _MOST_RESULTS and any(map(is_result, value)):
        # plt.subplots() gives a figure and its axes: it is shown once.
        figures = [figure_of(entry) for entry in value]
        shown = [
            _placed(f"entry {number}", entry, options)
            for number, (entry, figure) in enumerate(zip(value, figures, strict=True), 1)
            if figure is None or not any(figure is before for before in figures[: number - 1])
        ]
        return stacked(shown)
    return render_repr(value, options)


def _placed(place: str, entry: Any, options: Options) -> Part:
    """One of several results; what is wrong with it says which it is."""
    try:
        return render(entry, options)
    except MessageError as error:
        raise MessageError(f"{one_line(place, 60)}: {error.message}", hint=error.hint) from error


def render_array(value: Any, options: Options) -> Part:
    """An array as numpy shows it; an array of axes, as ``plt.subplots`` gives, is its figure."""
    if (figure := figure_of(value)) is not None:
        return render(figure, options)
    refuse_nameless(value)
    return render_preformatted(Preformatted(str(value)), options)


def render_repr(value: Any, options: Options) -> Part:
    """What a notebook would show of an object that has no other form."""
    refuse_nameless(value)
    name = one_line(type(value).__name__, 60)
    try:
        text = pprint.pformat(value, width=100)
    except Exception as error:
        raise MessageError(f"An object of type {name} cannot be shown: its repr fails.") from error
    if _ADDRESS.fullmatch(text):
        refuse_nothing(value)
    return render_preformatted(Preformatted(without_addresses(text, value)), options)
