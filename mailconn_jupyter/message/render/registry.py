"""Which renderer an object gets: the user's own first, then by its kind, then by what it can show of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...errors import MessageError
from ...keywords import public
from ..kinds import kind_of, load, type_names
from ..texts import one_line
from .part import Options, Part
from .taught import taught

__all__ = ["Renderer", "is_result", "register", "registered", "render", "unregister"]

Renderer = Callable[[Any, Options], Part]

_own: list[tuple[Callable[[Any], bool], Renderer]] = []


@public
def register(kind: type | str | Callable[[Any], bool], renderer: Renderer) -> None:
    """Let ``renderer(object, options)`` make the :class:`Part` of every object of a kind, before any built-in one.

    ``kind`` is a type (its subclasses too), a type's name such as ``"geopandas.GeoDataFrame"`` (nothing is imported for
    it), or a predicate. The last registered wins.
    """
    if isinstance(kind, str):
        name = kind
        _own.append((lambda value: name in type_names(value), renderer))
    elif isinstance(kind, type):
        wanted = kind
        _own.append((lambda value: isinstance(value, wanted), renderer))
    elif callable(kind):
        _own.append((kind, renderer))
    else:
        raise TypeError(f"A kind must be a type, a type's name or a predicate, not {type(kind).__name__}.")


@public
def unregister(renderer: Renderer) -> None:
    """Take back every :func:`register` of this renderer."""
    _own[:] = [entry for entry in _own if entry[1] is not renderer]


def registered() -> bool:
    """Whether there are renderers of the user's own."""
    return bool(_own)


def render(value: Any, options: Options | None = None) -> Part:
    """What a message shows of ``value``. Raises :class:`MessageError` for None, which shows nothing anywhere."""
    options = options or Options()
    for matches, renderer in reversed(_own):
        if matches(value):
            return _part_of(renderer(value, options), value)
    if value is None:
        raise MessageError(
            "There is nothing to show: the value is None.",
            hint="Pass the object itself; what plt.show() or print() returns is None.",
        )
    return _part_of(load(_find(value))(value, options), value)


def _find(value: Any) -> str:
    """Where the renderer of the object is."""
    if (kind := kind_of(value)) is not None:
        return kind.render
    if not isinstance(value, type):
        rich = any(_offers(value, name) for name in _REPRESENTATIONS) or bool(taught(value))
        if _is_table(value, rich=rich):
            return "render.tables:render_interchange"
        if rich:
            return "render.objects:render_rich"
    kind = kind_of(value, built_in=True)
    return "render.values:render_repr" if kind is None else kind.render


def _is_table(value: Any, *, rich: bool) -> bool:
    """Whether it hands out columns that are all of it. A cube hands some out, too; what it shows of itself says more."""
    if _offers(value, "__dataframe__"):
        return True
    return _offers(value, "__arrow_c_stream__") and (not rich or any(hasattr(type(value), name) for name in _OF_TABLES))


_OF_TABLES: Final = ("columns", "schema")
_TEXTS: Final = ("render.values", "render.words")
_REPRESENTATIONS: Final = (
    "_repr_mimebundle_",
    "_repr_html_",
    "_repr_markdown_",
    "_repr_png_",
    "_repr_jpeg_",
    "_repr_svg_",
    "_repr_latex_",
    "_repr_json_",
    "_repr_pretty_",
)


def is_result(value: Any, deep: int = 3) -> bool:
    """Whether a message shows more of it than a text: a table, a figure, whatever has a form of its own; a list of those."""
    if any(matches(value) for matches, _ in _own):
        return True
    if isinstance(value, list | tuple):
        # A list may hold itself.
        return deep > 0 and any(is_result(entry, deep - 1) for entry in value)
    # Of columns' types a list tells something; alone a class tells nothing.
    return value is not None and not isinstance(value, type) and _find(value).partition(":")[0] not in _TEXTS


def _offers(value: Any, method: str) -> bool:
    # On the type, as Python looks up its own protocols: a proxy that has every attribute offers none.
    return callable(getattr(type(value), method, None))


def _part_of(part: object, value: Any) -> Part:
    if not isinstance(part, Part):
        raise MessageError(
            f"The renderer of {one_line(type(value).__name__)} returned {type(part).__name__}.",
            hint="It must return a Part.",
        )
    return part


def as_it_is(part: Part, _options: Options) -> Part:
    """A part that somebody rendered already."""
    return part
