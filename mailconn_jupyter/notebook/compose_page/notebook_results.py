"""What the notebook has made that a mail can show: by name, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from ...formatting import counted
from ...message.kinds import kind_of, type_names
from ...message.render.registry import is_result
from ...message.texts import one_line
from .looks import rows
from .typed_mail import is_name

__all__ = ["described", "results"]

_MOST: Final = 100
_REFUSED: Final = "render.no_content:"
_WIDGET: Final = "ipywidgets.Widget"


def results(namespace: Mapping[str, Any], hidden: Mapping[str, Any]) -> list[dict[str, str]]:
    """The results in it, the newest last, each with its ``name``, what it ``is``, and a ``key`` that changes as it does."""
    found = []
    for name, value in list(namespace.items()):
        if not is_name(name) or (name in hidden and hidden[name] is value):
            continue
        # Foreign classes are asked what they can show; one that fails is no result.
        with suppress(Exception):
            if _is_offered(value):
                found.append({"name": name, "is": described(value), "key": _key(value)})
    return found[-_MOST:]


def _key(value: Any) -> str:
    """What changes as it does, also of a table that is changed in place, where it is looked at."""
    return f"{id(value)} {described(value)} {hash(str(rows(value)))}"


def _is_offered(value: Any, deep: int = 2) -> bool:
    """Whether a message shows it in a form of its own, or shows such in it."""
    if isinstance(value, list | tuple | dict):
        entries = islice(value.values() if isinstance(value, dict) else value, _MOST)
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
