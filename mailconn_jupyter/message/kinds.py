"""The kinds of results, one row each: which types they are, and what shows, writes, reads and keeps them.

Types are matched by name, so that nothing is imported to recognise a DataFrame: an object whose library was never
imported does not exist. No other module names these types; a new kind is one row and one function.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

__all__ = [
    "ARRAY",
    "AXES",
    "BUILT_IN",
    "FIGURE",
    "LIBRARIES",
    "NUMBER",
    "PANDAS",
    "PICTURE",
    "PLOT_PARTS",
    "SCALAR",
    "SEABORN",
    "TEXT",
    "Kind",
    "kind_of",
    "load",
    "type_names",
]


@dataclass(frozen=True)
class Kind:
    """``types`` by "module.Type", or by "top-level package.Type" where libraries move their types about.

    The rest are functions, as ``module:name`` in this room; each is imported when it is first needed:
    ``render(value, options)`` makes the :class:`~.render.part.Part` that a message shows; ``write(value, suffix)`` the
    bytes of a file of that suffix, None where others may try; ``read(value)`` the :class:`~.render.table.frames.Frame` of
    what is a table; ``keep(value)`` what is kept of it while a cell runs, where its output in the notebook says less.
    Where the kind is refused, ``instead`` is what to send.
    """

    types: tuple[str, ...]
    render: str
    write: str = ""
    read: str = ""
    keep: str = ""
    instead: str = ""

    def __contains__(self, value: object) -> bool:
        return any(name in self.types for name in type_names(value))


def type_names(value: Any) -> Iterator[str]:
    """The names of an object's type and of its bases: ``module.Type``, and ``package.Type``."""
    return iter(_names_of(type(value)))  # type: ignore[arg-type]  # types are hashable


@lru_cache(512)
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(
        f"{place}.{base.__qualname__}"
        for base in kind.__mro__
        for place in (base.__module__, base.__module__.partition(".")[0])
    )


def load(place: str) -> Any:
    """The function at ``module:name`` in this room."""
    module, _, name = place.partition(":")
    return getattr(import_module(f".{module}", __package__), name)


PANDAS: Final = Kind(
    ("pandas.DataFrame", "pandas.Series"),
    "render.tables:render_table",
    read="render.table.frames:PandasFrame",
    keep="render.snapshot:copy_of_pandas",
)
FIGURE: Final = Kind(
    ("matplotlib.figure.FigureBase",),
    "render.plots.figures:render_matplotlib",
    write="render.plots.figures:write_matplotlib",
    # Drawn now: a picture takes less memory than a figure, and cannot be drawn over.
    keep="render.registry:render",
)
AXES: Final = Kind(
    ("matplotlib.axes._base._AxesBase",),
    "render.plots.figures:render_axes",
    write="render.plots.figures:write_axes",
)
PICTURE: Final = Kind(("PIL.Image.Image",), "render.plots.figures:render_pil", write="render.plots.figures:write_pil")
SEABORN: Final = Kind(
    ("seaborn.axisgrid._BaseGrid",), "render.plots.figures:render_axes", write="render.plots.figures:write_axes"
)
ARRAY: Final = Kind(("numpy.ndarray",), "render.values:render_array", write="attach.writers:write_array")
SCALAR: Final = Kind(("numpy.generic",), "render.values:render_scalar")
PLOT_PARTS: Final = Kind(
    (
        # Axes are artists, and so are figures; those come first in the order of their bases.
        "matplotlib.artist.Artist",
        "matplotlib.colorbar.Colorbar",
        "matplotlib.container.Container",
        "matplotlib.container.PieContainer",
    ),
    "render.no_content:refuse_plot_part",
)

#: The kinds that come before what an object says of itself.
LIBRARIES: Final = (
    Kind(("mailconn_jupyter.message.render.part.Part",), "render.registry:as_it_is"),
    Kind(
        ("mailconn_jupyter.message.meeting.invitation.Invitation",),
        "meeting.shown_meeting:render_invitation",
        keep="render.registry:render",
    ),
    Kind(("mailconn_jupyter.message.render.words.Markdown",), "render.markdown:render_markdown"),
    Kind(("mailconn_jupyter.message.render.words.HTML",), "render.foreign:render_html"),
    Kind(("mailconn_jupyter.message.render.words.Preformatted",), "render.words:render_preformatted"),
    Kind(("mailconn_jupyter.message.render.words.MimeBundle",), "render.objects:render_bundle"),
    PANDAS,
    Kind(
        ("pandas.io.formats.style.Styler",),
        "render.styler:render_styler",
        read="render.styled.styler_view:visible",
        keep="render.snapshot:copy_of_styler",
    ),
    Kind(
        ("polars.DataFrame", "polars.Series"),
        "render.tables:render_table",
        read="render.table.frames:PolarsFrame",
        keep="render.snapshot:clone",
    ),
    Kind(("polars.LazyFrame",), "render.no_content:refuse_plan", instead="frame.collect()"),
    Kind(
        ("polars.Expr", "polars.GroupBy"),
        "render.no_content:refuse_plan",
        instead="frame.select(expression), groups.agg(...)",
    ),
    Kind(
        ("pandas.BaseGroupBy", "pandas.BaseWindow"),
        "render.no_content:refuse_plan",
        instead="groups.size(), groups.mean()",
    ),
    Kind(("dask.FrameBase", "dask._Frame"), "render.no_content:refuse_plan", instead="frame.compute(), frame.head()"),
    Kind(("pyarrow.Table", "pyarrow.lib.Table"), "render.tables:render_table", read="render.table.frames:ArrowFrame"),
    FIGURE,
    AXES,
    SEABORN,
    PICTURE,
    Kind(
        ("plotly.basedatatypes.BaseFigure",),
        "render.plots.charts:render_plotly",
        write="render.plots.charts:write_plotly",
        keep="render.snapshot:deep_copy",
    ),
    Kind(
        ("altair.TopLevelMixin",),
        "render.plots.charts:render_altair",
        write="render.plots.charts:write_altair",
        keep="render.snapshot:deep_copy",
    ),
    Kind(("bokeh.Model",), "render.plots.charts:render_bokeh", write="render.plots.charts:write_bokeh"),
    Kind(("holoviews.Dimensioned",), "render.plots.charts:render_holoviews"),
    Kind(
        ("matplotlib.animation.Animation",),
        "render.no_content:refuse_film",
        instead='animation.save("film.gif"), then Path("film.gif").read_bytes()',
    ),
    ARRAY,
    SCALAR,
    PLOT_PARTS,
    Kind(
        ("IPython.core.display.HTML", "IPython.core.display.SVG"),
        "render.objects:render_loose",
        keep="render.objects:loose_bundle",
    ),
    Kind(("IPython.core.display.Javascript",), "render.no_content:refuse_script"),
    Kind(
        ("IPython.lib.display.FileLink", "IPython.lib.display.FileLinks"),
        "render.no_content:refuse_file_link",
        instead="attachments=path",
    ),
)

TEXT: Final = Kind(("builtins.str",), "render.words:render_text")
NUMBER: Final = Kind(
    (
        "builtins.int",
        "builtins.float",
        "builtins.complex",
        "decimal.Decimal",
        "datetime.date",
        "datetime.time",
        "datetime.timedelta",
    ),
    "render.values:render_scalar",
)
#: Those that come after it: a subclass may show itself in its own way.
BUILT_IN: Final = (
    TEXT,
    NUMBER,
    Kind(("builtins.BaseException",), "render.exceptions:render_exception"),
    Kind(("builtins.dict",), "render.values:render_dict"),
    Kind(("builtins.list", "builtins.tuple"), "render.values:render_list"),
    Kind(("builtins.bytes", "builtins.bytearray", "builtins.memoryview"), "render.plots.figures:render_bytes"),
    Kind(("pathlib.PurePath",), "render.no_content:refuse_path"),
    Kind(("builtins.module",), "render.no_content:refuse_module"),
    Kind(("builtins.type",), "render.no_content:refuse_class"),
    Kind(("_io._IOBase",), "render.no_content:refuse_open_file"),
    Kind(("builtins.generator",), "render.no_content:refuse_generator"),
    Kind(
        (
            "builtins.function",
            "builtins.method",
            "builtins.builtin_function_or_method",
            "functools.partial",
            "functools._lru_cache_wrapper",
            "numpy.ufunc",
            "numpy._ArrayFunctionDispatcher",
        ),
        "render.no_content:refuse_uncalled",
    ),
)

_LIBRARIES: Final = {name: kind for kind in LIBRARIES for name in kind.types}
_BUILT_IN: Final = {name: kind for kind in BUILT_IN for name in kind.types}


def kind_of(value: Any, *, built_in: bool = False) -> Kind | None:
    """The kind of the nearest of its types, among those of libraries or the built-in ones; None for what is of none."""
    known = _BUILT_IN if built_in else _LIBRARIES
    return next((known[name] for name in type_names(value) if name in known), None)
