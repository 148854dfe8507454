"""Plain values: numbers, dates, dicts, arrays, and whatever has nothing but a repr."""

from __future__ import annotations

import json
import pprint
from typing import Any, Final

from ..failure import MessageError
from .part import Options, Part
from .registry import render
from .tables import simple
from .words import Preformatted, render_preformatted, render_text

__all__ = ["render_array", "render_dict", "render_repr", "render_scalar"]

_MOST_PAIRS: Final = 200


def render_scalar(value: Any, options: Options) -> Part:
    """A number, a date: as ``print`` would show it."""
    return render_text(str(value), options)


def render_dict(value: dict[Any, Any], options: Options) -> Part:
    """A table of two columns, or, with dicts and lists inside, indented text."""
    if (
        value
        and len(value) <= _MOST_PAIRS
        and not any(isinstance(entry, dict | list | tuple | set) for entry in value.values())
    ):
        return simple([(str(key), str(entry)) for key, entry in value.items()], list(value.values()))
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=repr)
    except (TypeError, ValueError, RecursionError):
        return render_repr(value, options)
    return render_preformatted(Preformatted(text), options)


def render_array(value: Any, options: Options) -> Part:
    """An array as numpy shows it; an array of axes, as ``plt.subplots`` gives, is its figure."""
    if value.dtype == object and value.size and hasattr(value.flat[0], "figure"):
        figures = {id(axes.figure): axes.figure for axes in value.flat}
        if len(figures) == 1:
            return render(next(iter(figures.values())), options)
    return render_preformatted(Preformatted(str(value)), options)


def render_repr(value: Any, options: Options) -> Part:
    """What a notebook would show of an object that has no other form."""
    try:
        text = pprint.pformat(value, width=100)
    except Exception as error:
        raise MessageError(f"An object of type {type(value).__name__} cannot be shown: its repr fails.") from error
    return render_preformatted(Preformatted(text), options)
