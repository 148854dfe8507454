"""Charts that are scripts in a notebook (Plotly, Altair): a picture of them, or else their page attached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from io import BytesIO
from typing import Any, Final

from ...texts import one_line
from ..foreign import interactive
from ..part import Options, Part, Picture
from ..registry import render
from ..words import note
from .chart_browser import BROWSER
from .figures import IMAGE_FORMATS, picture_part

__all__ = [
    "render_altair",
    "render_bokeh",
    "render_holoviews",
    "render_plotly",
    "write_altair",
    "write_bokeh",
    "write_plotly",
]

_SCALE: Final = 2


def render_plotly(figure: Any, options: Options) -> Part:
    """A Plotly figure: drawn by kaleido where that works, else attached as a page that needs no network."""
    title = figure.layout.title.text
    alt = one_line(title, 250) if isinstance(title, str) and title else "Plotly figure"
    return _chart(
        lambda: plotly_file(figure, "png", scale=_SCALE),
        figure.to_html,
        alt,
        "kaleido and a browser",
        options,
    )


def plotly_file(figure: Any, kind: str, *, scale: float = 1) -> bytes:
    """The figure as ``html``, or in an image format that kaleido writes."""
    if kind == "html":
        return str(figure.to_html()).encode()
    try:
        defaults, _ = import_module("plotly.io").defaults, import_module("kaleido").Kaleido
    except (ImportError, AttributeError):
        # Older ones have their own way, or the error says what is missing.
        data: bytes = figure.to_image(format=kind, scale=scale)
        return data
    written = figure.to_dict()
    layouts = [layout := written.get("layout", {}), layout.get("template", {}).get("layout", {})]
    options = {"format": kind, "scale": scale}
    for side, usual in ("width", defaults.default_width), ("height", defaults.default_height):
        options[side] = next((layout[side] for layout in layouts if layout.get(side)), usual)
    own = {name: getattr(defaults, name, None) for name in ("plotlyjs", "mathjax", "headers")}
    return BROWSER.draw(written, options, defaults.topojson, {name: value for name, value in own.items() if value})


def write_plotly(figure: Any, suffix: str) -> bytes:
    """The figure as a file; images at twice their size."""
    return plotly_file(figure, IMAGE_FORMATS.get(suffix, suffix), scale=_SCALE)


def render_altair(chart: Any, options: Options) -> Part:
    """An Altair chart: drawn by vl-convert where it is installed, else attached as a page, which loads Vega itself."""
    title = getattr(chart, "title", None)
    alt = one_line(title, 250) if isinstance(title, str) and title else _encoded(chart) or "Altair chart"
    return _chart(lambda: altair_file(chart, "png", scale=_SCALE), chart.to_html, alt, "vl-convert-python", options)


def _encoded(chart: Any) -> str:
    """Alternative text from what a chart without a title shows: its axes."""
    encoding = getattr(chart, "encoding", None)
    names = [getattr(getattr(encoding, axis, None), "shorthand", None) for axis in ("y", "x")]
    known = [one_line(name, 60) for name in names if isinstance(name, str)]
    return f"Chart: {' over '.join(known)}" if known else ""


def altair_file(chart: Any, kind: str, *, scale: float = 1) -> bytes:
    """The chart as ``html`` or ``json``, or in an image format that vl-convert writes."""
    if kind in {"html", "json", "svg"}:
        from io import StringIO  # noqa: PLC0415  # beside its only use

        text = StringIO()
        chart.save(text, format=kind)
        return text.getvalue().encode()
    buffer = BytesIO()
    settings: Mapping[str, float] = {"scale_factor": scale} if kind == "png" else {}
    chart.save(buffer, format=kind, **settings)
    return buffer.getvalue()


def write_altair(chart: Any, suffix: str) -> bytes:
    """The chart as a file; images at twice their size."""
    return altair_file(chart, IMAGE_FORMATS.get(suffix, suffix), scale=_SCALE)


def render_bokeh(figure: Any, options: Options) -> Part:
    """A figure or a layout of Bokeh: drawn by Selenium where that works, else attached as a page that needs no network."""
    title = getattr(getattr(figure, "title", None), "text", None)
    alt = one_line(title, 250) if isinstance(title, str) and title else "Bokeh figure"
    return _chart(
        lambda: bokeh_file(figure, "png"), lambda: bokeh_file(figure, "html").decode(), alt, "selenium", options
    )


def bokeh_file(figure: Any, kind: str) -> bytes:
    """The figure as ``html``, which needs no network, or as ``png`` at twice its size."""
    if kind == "html":
        page: str = import_module("bokeh.embed").file_html(figure, import_module("bokeh.resources").INLINE)
        return page.encode()
    buffer = BytesIO()
    import_module("bokeh.io.export").get_screenshot_as_png(figure, scale_factor=_SCALE).save(buffer, "png")
    return buffer.getvalue()


def write_bokeh(figure: Any, suffix: str) -> bytes | None:
    """The figure as a file."""
    return bokeh_file(figure, suffix) if suffix in {"html", "png"} else None


def render_holoviews(value: Any, options: Options) -> Part:
    """What HoloViews would show: the figure of the library that draws for it."""
    return render(import_module("holoviews").render(value), options)


def _chart(draw: Callable[[], bytes], page: Callable[[], str], alt: str, needs: str, options: Options) -> Part:
    try:
        return picture_part(Picture(draw(), alt, scale=_SCALE), "Figure")
    except Exception as error:  # noqa: BLE001  # whatever keeps a browser from starting: the page is the answer
        reason = one_line(str(error), 120) or type(error).__name__
    file, said = interactive(page(), "figure", options)
    return Part(
        f"[{alt}] {said}",
        note(f"{alt}. {said}"),
        files=(file,),
        warnings=(f"{alt}: sent as a page ({file.name}), not as a picture. A picture needs {needs}. ({reason})",),
    )
