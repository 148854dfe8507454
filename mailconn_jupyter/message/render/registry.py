"""Which renderer an object gets: the user's own first, then by its type's name, then by what it can show of itself.

Types are matched by name, so that nothing is imported to recognise a DataFrame: an object whose library was never
imported does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

from ...errors import MessageError
from ..texts import one_line
from .part import Options, Part

__all__ = ["Renderer", "is_result", "register", "render", "type_names", "unregister"]

Renderer = Callable[[Any, Options], Part]

# By "module.Type", or by "top-level package.Type" where libraries move their types about.
_LIBRARIES: Final = {
    "mailconn_jupyter.message.render.part.Part": "registry:as_it_is",
    "mailconn_jupyter.message.render.words.Markdown": "markdown:render_markdown",
    "mailconn_jupyter.message.render.words.HTML": "foreign:render_html",
    "mailconn_jupyter.message.render.words.Preformatted": "words:render_preformatted",
    "mailconn_jupyter.message.render.words.MimeBundle": "objects:render_bundle",
    "pandas.DataFrame": "tables:render_pandas",
    "pandas.Series": "tables:render_pandas",
    "pandas.io.formats.style.Styler": "styler:render_styler",
    "polars.DataFrame": "tables:render_polars",
    "polars.Series": "tables:render_polars",
    "polars.LazyFrame": "tables:render_plan",
    "matplotlib.figure.FigureBase": "figures:render_matplotlib",
    "matplotlib.axes._base._AxesBase": "figures:render_axes",
    "seaborn.axisgrid._BaseGrid": "figures:render_axes",
    "PIL.Image.Image": "figures:render_pil",
    "plotly.basedatatypes.BaseFigure": "charts:render_plotly",
    "altair.TopLevelMixin": "charts:render_altair",
    "numpy.ndarray": "values:render_array",
    "numpy.generic": "values:render_scalar",
}
_BUILT_IN: Final = {
    "builtins.str": "words:render_text",
    "builtins.BaseException": "exceptions:render_exception",
    "builtins.int": "values:render_scalar",
    "builtins.float": "values:render_scalar",
    "builtins.complex": "values:render_scalar",
    "decimal.Decimal": "values:render_scalar",
    "datetime.date": "values:render_scalar",
    "datetime.time": "values:render_scalar",
    "datetime.timedelta": "values:render_scalar",
    "builtins.dict": "values:render_dict",
    "builtins.list": "values:render_list",
    "builtins.tuple": "values:render_list",
}
_own: list[tuple[Callable[[Any], bool], Renderer]] = []


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
        raise TypeError(f"A kind is a type, a type's name or a predicate, not {type(kind).__name__}.")


def unregister(renderer: Renderer) -> None:
    """Take back every :func:`register` of this renderer."""
    _own[:] = [entry for entry in _own if entry[1] is not renderer]


def type_names(value: Any) -> Iterator[str]:
    """The names of an object's type and of its bases: ``module.Type``, and ``package.Type``."""
    for base in type(value).__mro__:
        yield f"{base.__module__}.{base.__qualname__}"
        yield f"{base.__module__.partition('.')[0]}.{base.__qualname__}"


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
    return _part_of(_find(value)(value, options), value)


def _find(value: Any) -> Renderer:
    names = list(type_names(value))
    for name in names:
        if name in _LIBRARIES:
            return _load(_LIBRARIES[name])
    if not isinstance(value, type):
        if _offers(value, "__arrow_c_stream__") or _offers(value, "__dataframe__"):
            return _load("tables:render_interchange")
        if any(_offers(value, name) for name in _REPRESENTATIONS):
            return _load("objects:render_rich")
    for name in names:
        if name in _BUILT_IN:
            return _load(_BUILT_IN[name])
    return _load("values:render_repr")


_TEXTS: Final = ("values", "words")
_REPRESENTATIONS: Final = (
    "_repr_mimebundle_",
    "_repr_html_",
    "_repr_markdown_",
    "_repr_png_",
    "_repr_jpeg_",
    "_repr_svg_",
    "_repr_latex_",
    "_repr_json_",
)


def is_result(value: Any, deep: int = 3) -> bool:
    """Whether a message shows more of it than a text: a table, a figure, whatever has a form of its own; a list of those."""
    if any(matches(value) for matches, _ in _own):
        return True
    if isinstance(value, list | tuple):
        # A list may hold itself.
        return deep > 0 and any(is_result(entry, deep - 1) for entry in value)
    return value is not None and _find(value).__module__.rpartition(".")[2] not in _TEXTS


def _offers(value: Any, method: str) -> bool:
    # On the type, as Python looks up its own protocols: a proxy that has every attribute offers none.
    return callable(getattr(type(value), method, None))


def _load(place: str) -> Renderer:
    module, _, function = place.partition(":")
    renderer: Renderer = getattr(import_module(f".{module}", __package__), function)
    return renderer


def _part_of(part: object, value: Any) -> Part:
    if not isinstance(part, Part):
        raise MessageError(
            f"The renderer of {one_line(type(value).__name__)} gave {type(part).__name__}.", hint="It must give a Part."
        )
    return part


def as_it_is(part: Part, _options: Options) -> Part:
    """A part that somebody rendered already."""
    return part
