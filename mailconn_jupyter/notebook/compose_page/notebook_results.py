"""What the notebook has made that a mail can show: by name, what it is, and a look at it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from ...formatting import counted
from ...message.kinds import AXES, FIGURE, PICTURE, kind_of, load, type_names
from ...message.render.plots.figures import matplotlib_file, pil_file
from ...message.render.registry import is_result
from ...message.texts import one_line

__all__ = ["described", "look", "results"]

_MOST: Final = 100
_ROWS, _COLUMNS, _CELL = 3, 4, 18
#: Pixels across.
_WIDE: Final = 220
_TABLES: Final = "render.table.frames:"
_REFUSED: Final = "render.no_content:"
_WIDGET: Final = "ipywidgets.Widget"


def results(namespace: Mapping[str, Any], hidden: Mapping[str, Any]) -> list[dict[str, str]]:
    """The results in it, the newest last, each with its ``name``, what it ``is``, and a ``key`` that changes as it does."""
    found = []
    for name, value in list(namespace.items()):
        # What the code that sends the same could not say is not offered.
        if not str(name).isidentifier() or name.startswith("_") or name == "mailconn":
            continue
        if name in hidden and hidden[name] is value:
            continue
        # Foreign classes are asked what they can show; one that fails is no result.
        with suppress(Exception):
            if _is_offered(value):
                found.append({"name": name, "is": described(value), "key": f"{id(value)} {described(value)}"})
    return found[-_MOST:]


def _is_offered(value: Any, deep: int = 2) -> bool:
    """Whether a message shows it in a form of its own, or shows such in it."""
    if isinstance(value, list | tuple | dict):
        entries = list(value.values() if isinstance(value, dict) else value)[:_MOST]
        return deep > 0 and any(_is_offered(entry, deep - 1) for entry in entries)
    kind = kind_of(value) or kind_of(value, built_in=True)
    refused = kind is not None and kind.render.startswith(_REFUSED)
    # Those show themselves in a notebook alone, this form among them.
    return (
        not refused
        and not isinstance(value, bytes | bytearray)
        and _WIDGET not in type_names(value)
        and is_result(value)
    )


def described(value: Any) -> str:
    """What it is, in a few words."""
    kind = one_line(type(value).__name__, 40)
    known = kind_of(value)
    # Of other classes nothing is asked: their answer may be a query.
    shape = getattr(value, "shape", None) if known is not None and known.read else None
    if isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(number, int) for number in shape):
        return f"{kind}, {counted(shape[0], 'row')}, {counted(shape[1], 'column')}"
    if isinstance(shape, tuple) and len(shape) == 1 and isinstance(shape[0], int):
        return f"{kind}, {counted(shape[0], 'value')}"
    if isinstance(value, list | tuple):
        return f"{kind} of {len(value)}"
    return kind


def look(value: Any) -> dict[str, Any]:
    """A small look at it: ``rows`` of texts, the first of them the header, or a ``png`` in Base64; else neither.

    What takes its time to be drawn, as a chart that needs a browser, is not.
    """
    # A look is no more than that: what cannot be had is told once it is sent.
    with suppress(Exception):
        kind = kind_of(value)
        if value in FIGURE or value in AXES:
            return {"png": base64.b64encode(_drawn(getattr(value, "figure", None) or value)).decode()}
        if value in PICTURE:
            small = value.copy()
            small.thumbnail((_WIDE, _WIDE))
            return {"png": base64.b64encode(pil_file(small, "png")).decode()}
        if kind is not None and kind.read.startswith(_TABLES):
            columns = list(load(kind.read)(value).columns(_ROWS, _COLUMNS, index=None))
            names = [next(filter(None, reversed(column.names)), "") for column in columns]
            lines = zip(*(column.cells for column in columns), strict=True)
            return {"rows": [[one_line(text, _CELL) for text in line] for line in (names, *lines)]}
    return {}


def _drawn(figure: Any) -> bytes:
    wide = float(figure.get_size_inches()[0] * figure.dpi)
    return matplotlib_file(figure, "png", scale=min(_WIDE / max(wide, 1), 1))
