"""Templates as Jinja2 has them, each compiled once in a process, and the values that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

from ..errors import MessageError
from ..extras import install

__all__ = ["compiled", "no_value", "placing", "require_jinja2"]

#: What becomes of a value where it is printed, in the template that is being filled in. The compiled template knows none:
#: it is kept, and a value is of one message.
_placed: Final[ContextVar[Callable[[Any], Any]]] = ContextVar("placed")
# What is not printed but called.
_CALLED: Final = (FunctionType, BuiltinFunctionType, MethodType, type)
_KEPT: Final = 256
_LONGEST: Final = 200_000  # characters: who makes a template for each message does not fill the memory with them


def require_jinja2() -> Any:
    """The library; :class:`~mailconn_jupyter.errors.MessageError` where it is missing."""
    try:
        return import_module("jinja2")
    except ImportError as error:
        raise MessageError("Templates need Jinja2, which is not installed.", hint=install("templates")) from error


@contextmanager
def placing(placed: Callable[[Any], Any]) -> Iterator[None]:
    """While a template is filled in, have what it prints go through ``placed``."""
    before = _placed.set(placed)
    try:
        yield
    finally:
        _placed.reset(before)


def compiled(text: str, *, escaped: bool, folder: Path | None) -> Any:
    """The template of this text; ``escaped``: values are escaped for HTML; others are included from the ``folder``."""
    if len(text) > _LONGEST:
        return _environment(escaped=escaped, folder=folder).from_string(text)
    return kept(text, escaped=escaped, folder=folder)


@lru_cache(_KEPT)
def kept(text: str, *, escaped: bool, folder: Path | None) -> Any:
    """The same, of a text that is short enough to be kept."""
    return _environment(escaped=escaped, folder=folder).from_string(text)


@lru_cache(_KEPT)
def _environment(*, escaped: bool, folder: Path | None) -> Any:
    jinja2, sandbox = import_module("jinja2"), import_module("jinja2.sandbox")

    # With the context, so that a constant is not finalized once and for all when it is compiled.
    @jinja2.pass_context  # type: ignore[untyped-decorator]  # the module is Any
    def finalize(_context: Any, value: Any) -> Any:
        if isinstance(value, jinja2.Undefined):
            str(value)  # a strict one raises
        if isinstance(value, _CALLED):
            # One of Jinja2's own, a method, or of a dict one where the column of that name is meant.
            name = getattr(value, "__name__", "")
            raise jinja2.TemplateRuntimeError(
                f"it prints a function, {name}: its result is {name}(), a column row[{name!r}]"
            )
        return value if _is_markup(value) else _placed.get()(value)

    environment = sandbox.SandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=escaped,
        finalize=finalize,
        loader=None if folder is None else jinja2.FileSystemLoader(folder),
        keep_trailing_newline=False,
    )
    environment.tests["none"] = lambda value: value is None or isinstance(value, _no_value())
    return environment


def _is_markup(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "markupsafe" or type(value).__name__ in {
        "Macro",
        "BlockReference",
    }


def no_value(name: str) -> Any:
    """What stands for an empty cell: false, ``none`` and not defined; to print it, or to compute with it, is an error."""
    return _no_value()(hint=f"{name!r} has no value", name=name)


@cache
def _no_value() -> Any:
    undefined = require_jinja2().Undefined
    fails = undefined._fail_with_undefined_error  # noqa: SLF001  # as its own subclasses do
    return type(
        "NoValue",
        (undefined,),
        {
            "__slots__": (),
            "__str__": fails,
            "__iter__": fails,
            "__len__": fails,
            "__eq__": lambda self, other: other is None or type(other) is type(self),
            "__ne__": lambda self, other: not self.__eq__(other),
            "__hash__": undefined.__hash__,
        },
    )
