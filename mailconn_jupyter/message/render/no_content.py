"""What is handed over by mistake, and says nothing to a reader: an error that says what was meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

from ...errors import MessageError
from ..kinds import ARRAY, FIGURE, kind_of
from ..texts import one_line
from .part import Options

__all__ = [
    "refuse_class",
    "refuse_file_link",
    "refuse_film",
    "refuse_generator",
    "refuse_module",
    "refuse_nameless",
    "refuse_nothing",
    "refuse_open_file",
    "refuse_path",
    "refuse_plan",
    "refuse_plot_part",
    "refuse_script",
    "refuse_uncalled",
    "says_nothing",
    "without_addresses",
]

# Collections within collections that are looked into, and entries of an array.
_DEEPEST = 4
_MOST_ENTRIES = 1000
_ADDRESS = re.compile(r" (?:object )?at 0x[0-9a-fA-F]{4,}")


def refuse_plot_part(value: Any, _options: Options) -> NoReturn:
    """Lines, bars, a legend: what plotting functions return."""
    raise MessageError(
        f"{_named(value)} is a part of a Matplotlib figure.", hint="Send the figure itself: plt.gcf(), axes.figure."
    )


def refuse_plan(value: Any, _options: Options) -> NoReturn:
    """A table that is still to be computed: a LazyFrame, rows in groups."""
    raise MessageError(
        f"{_named(value)} is a query plan: it has no rows to show.", hint=f"Send its result: {_instead(value)}"
    )


def refuse_film(value: Any, _options: Options) -> NoReturn:
    """An animation of Matplotlib, of which a notebook shows no more than its address."""
    raise MessageError(
        f"{_named(value)} shows nothing until it is drawn.", hint=f"Send it as a film: {_instead(value)}"
    )


def refuse_script(_value: Any, _options: Options) -> NoReturn:
    """A script, which no mail program runs."""
    raise MessageError(
        "A script shows nothing in a message: mail programs do not run scripts.", hint="Send what it would show."
    )


def refuse_file_link(value: Any, _options: Options) -> NoReturn:
    """A link that the notebook's server answers, and nobody else."""
    raise MessageError(
        f"{_named(value)} points to a file on this machine, which the reader does not have.",
        hint=f"Attach the file: {_instead(value)}",
    )


def refuse_class(value: Any, _options: Options) -> NoReturn:
    """A class in place of what is made with it."""
    name = one_line(value.__qualname__, 60)
    raise MessageError(f"{name} is a class.", hint=f"Send an instance of it: {name}(...)")


def refuse_open_file(value: Any, _options: Options) -> NoReturn:
    """An open file, or one in memory."""
    raise MessageError(
        f"{_named(value)} is not the contents of the file.",
        hint='Send its contents: file.read(), or attach it: attachments={"name": file}',
    )


def refuse_nothing(value: Any) -> NoReturn:
    """What has no more to show than its address; where it has something that says more, that is named."""
    kind = type(value)
    hint = "Send its contents, or text about it, or teach it to show itself with _repr_html_()."
    if hasattr(kind, "__next__"):
        refuse_generator(value, Options())
    for name in ("figure_", "figure", "fig"):
        if getattr(value, name, None) in FIGURE:
            hint = f"Send its figure: .{name}"
    for name in ("summary", "to_frame", "to_pandas"):
        if callable(getattr(kind, name, None)):
            hint = f"Send what it says of itself: .{name}()"
            break
    raise MessageError(
        f"An object of type {one_line(kind.__name__, 60)} shows nothing but its memory address.", hint=hint
    )


def refuse_uncalled(value: Any, _options: Options) -> NoReturn:
    """A function or a method."""
    # NumPy's own have had the longer name since 2.0.
    name = one_line(str(getattr(value, "__qualname__", getattr(value, "__name__", ""))), 60)
    said = (
        f"{name} is a function that was not called." if name else f"{_named(value)} is a function that was not called."
    )
    raise MessageError(said, hint=f"Send its result: {name.rpartition('.')[2] or 'f'}()")


def refuse_module(value: Any, _options: Options) -> NoReturn:
    """A module, such as one that is called like a result."""
    raise MessageError(
        f"{one_line(str(value.__name__), 60)} is a module.", hint="Send something that it contains or makes."
    )


def refuse_generator(value: Any, _options: Options) -> NoReturn:
    """What is empty once it was shown."""
    name = one_line(type(value).__name__, 60)
    raise MessageError(f"{_named(value)} shows nothing of what it yields.", hint=f"Send what it yields: list({name})")


def refuse_path(value: Any, _options: Options) -> NoReturn:
    """A path, of which nobody but its author has the file."""
    raise MessageError(
        f"A path is not the contents of the file: {one_line(str(value), 100)}",
        hint="Attach the file (attachments=path), show an image by its bytes (path.read_bytes()), a text by path.read_text().",
    )


def refuse_nameless(value: Any) -> None:
    """Raise where something in a collection would be shown as its address in memory."""
    for entry in _entries(value, _DEEPEST):
        if entry is not value and says_nothing(entry):
            raise MessageError(
                f"{_named(entry)}, in the {type(value).__name__}, shows nothing but its type and memory address.",
                hint="Send its contents, or text about it.",
            )


def _entries(value: Any, deepest: int) -> Iterator[Any]:
    if value in ARRAY and value.dtype == object:
        yield from islice(value.flat, _MOST_ENTRIES)
    elif not isinstance(value, dict | list | tuple | set | frozenset):
        yield value
    elif deepest:
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _entries(entry, deepest - 1)


def without_addresses(text: str, value: Any) -> str:
    """The text of the object without where things lie in memory, which says nothing; texts that it holds stay whole."""
    if " at 0x" not in text or any(isinstance(entry, str) and " at 0x" in entry for entry in _entries(value, _DEEPEST)):
        return text
    return _ADDRESS.sub("", text)


def _instead(value: Any) -> str:
    kind = kind_of(value)
    assert kind is not None
    return kind.instead


def _named(value: Any) -> str:
    name = one_line(type(value).__name__, 60)
    return f"{'An' if name[:1].lower() in 'aeiou' else 'A'} {name}"


def says_nothing(value: object) -> bool:
    """Whether its text would only be what it is and where it lies in memory."""
    if type(value).__str__ is not object.__str__:
        return False
    routine = inspect.isroutine(value) or inspect.ismodule(value)
    return routine or type(value).__repr__ is object.__repr__ or " at 0x" in repr(value)
