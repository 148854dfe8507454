"""What is handed over by mistake, and says nothing to a reader: an error that says what was meant."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NoReturn

from ...errors import MessageError
from ..texts import one_line
from .part import Options

__all__ = [
    "refuse_generator",
    "refuse_module",
    "refuse_nameless",
    "refuse_path",
    "refuse_plan",
    "refuse_plot_part",
    "refuse_uncalled",
    "says_nothing",
]

# Collections within collections that are looked into.
_DEEPEST = 4


def refuse_plot_part(value: Any, _options: Options) -> NoReturn:
    """Lines, bars, a legend: what plotting functions return."""
    raise MessageError(
        f"{_named(value)} is a part of a Matplotlib figure.", hint="Send the figure itself: plt.gcf(), axes.figure."
    )


def refuse_plan(_value: Any, _options: Options) -> NoReturn:
    """A polars LazyFrame, which has no rows yet."""
    raise MessageError("A LazyFrame is a plan: it has no rows to show.", hint="Send what it gives: frame.collect()")


def refuse_uncalled(value: Any, _options: Options) -> NoReturn:
    """A function or a method."""
    name = one_line(str(getattr(value, "__qualname__", "")), 60)
    said = (
        f"{name} is a function that was not called." if name else f"{_named(value)} is a function that was not called."
    )
    raise MessageError(said, hint=f"Send what it gives: {name.rpartition('.')[2] or 'f'}()")


def refuse_module(value: Any, _options: Options) -> NoReturn:
    """A module, such as one that is called like a result."""
    raise MessageError(
        f"{one_line(str(value.__name__), 60)} is a module.", hint="Send something that it holds or makes."
    )


def refuse_generator(_value: Any, _options: Options) -> NoReturn:
    """What is empty once it was shown."""
    raise MessageError("A generator shows nothing of what it gives.", hint="Send what it gives: list(generator)")


def refuse_path(value: Any, _options: Options) -> NoReturn:
    """A path, of which nobody but its author has the file."""
    raise MessageError(
        f"A path is not what is in the file: {one_line(str(value), 100)}",
        hint="Attach the file (attachments=path), show an image by its bytes (path.read_bytes()), a text by path.read_text().",
    )


def refuse_nameless(value: Any) -> None:
    """Raise where something in a collection would be shown as its address in memory."""
    for entry in _entries(value, _DEEPEST):
        if entry is not value and says_nothing(entry):
            raise MessageError(
                f"{_named(entry)}, in the {type(value).__name__}, shows nothing of itself but what it is and its address.",
                hint="Send what it holds, or a text of it.",
            )


def _entries(value: Any, deepest: int) -> Iterator[Any]:
    if not isinstance(value, dict | list | tuple | set | frozenset):
        yield value
    elif deepest:
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _entries(entry, deepest - 1)


def _named(value: Any) -> str:
    name = one_line(type(value).__name__, 60)
    return f"{'An' if name[:1].lower() in 'aeiou' else 'A'} {name}"


def says_nothing(value: object) -> bool:
    """Whether its text would only be what it is and where it lies in memory."""
    if type(value).__str__ is not object.__str__:
        return False
    routine = inspect.isroutine(value) or inspect.ismodule(value)
    return routine or type(value).__repr__ is object.__repr__ or " at 0x" in repr(value)
