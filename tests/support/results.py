"""What a notebook shows, one object a kind, and what must be readable of it in a mail's plain text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest

from tests.servers.require import require, require_packages

__all__ = ["KINDS", "Bundle", "Html", "Kind", "Png", "png"]


def png(wide: int = 120, high: int = 60, colour: str = "#2a6fbb") -> bytes:
    """An image file."""
    from PIL import Image  # noqa: PLC0415  # slow to import, and many tests need none

    buffer = BytesIO()
    Image.new("RGB", (wide, high), colour).save(buffer, "png")
    return buffer.getvalue()


class Html:
    def _repr_html_(self) -> str:
        return "<p>A <b>bold</b> claim &amp; a <i>slanted</i> one</p>"


class Png:
    def _repr_png_(self) -> bytes:
        return png()


class Bundle:
    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # A retina image, as IPython says it: twice the pixels, the size in the metadata.
        image = base64.b64encode(png(400, 200, "#bb2a6f")).decode()
        return {"text/plain": "a picture", "image/png": image}, {"image/png": {"width": 200, "height": 100}}


@dataclass(frozen=True)
class Kind:
    """``says``: words of the plain text. ``pictures``: images in the HTML. ``files``: names of what is attached."""

    make: Callable[[], Any]
    says: tuple[str, ...]
    html: bool = True
    pictures: int = 0
    files: tuple[str, ...] = ()


def _pandas() -> Any:
    return pytest.importorskip("pandas")


def table(rows: int = 6) -> Any:
    pandas = _pandas()
    return pandas.DataFrame(
        {
            "region": (["Nørth", "South", "East & West"] * rows)[:rows],
            "orders": [1200 + 37 * number for number in range(rows)],
            "revenue": [10234.5 + 17.25 * number for number in range(rows)],
            "since": pandas.date_range("2026-01-01", periods=rows),
        }
    )


def styler() -> Any:
    _pandas()
    pytest.importorskip("jinja2")
    frame = table().drop(columns="since")
    style = frame.style.format({"revenue": "{:,.2f} €"}).highlight_max(subset=["orders"], color="#ffe08a")
    return style.map(lambda value: "color:#b00020;font-weight:bold" if value > 10270 else "", subset=["revenue"])


def polars() -> Any:
    module = pytest.importorskip("polars")
    return module.DataFrame({"city": ["Łódź", "東京"], "people": [670_000, 14_000_000], "share": [0.25, 0.75]})


def figure() -> Any:
    module = pytest.importorskip("matplotlib.figure")
    drawn = module.Figure(figsize=(5, 3))
    axes = drawn.subplots()
    axes.plot([1, 2, 3, 4], [1, 4, 2, 5], marker="o")
    axes.set_title("Churn by week")
    return drawn


def axes() -> Any:
    return figure().axes[0]


def image() -> Any:
    module = pytest.importorskip("PIL.Image")
    return module.new("RGB", (160, 80), "#3a7d44")


def plotly() -> Any:
    module = pytest.importorskip("plotly.graph_objects")
    # What plotly draws pictures with.
    require_packages("kaleido")
    require("chromium")
    return module.Figure(module.Bar(x=["a", "b", "c"], y=[3, 1, 2]), {"title": {"text": "Sales by plotly"}})


def altair() -> Any:
    module = pytest.importorskip("altair")
    data = module.Data(values=[{"x": "a", "y": 3}, {"x": "b", "y": 1}, {"x": "c", "y": 2}])
    return module.Chart(data, title="Sales by altair").mark_bar().encode(x="x:N", y="y:Q")


def scalar() -> Any:
    return pytest.importorskip("numpy").float64(0.12345)


def failure() -> BaseException:
    known: dict[str, int] = {}
    try:
        known["missing-key"]
    except KeyError as error:
        return error
    raise AssertionError


def markdown() -> Any:
    from mailconn_jupyter.message.render.words import Markdown  # noqa: PLC0415  # beside its only use

    return Markdown("## Results\n\nUp by **12 %**, see [the board](https://example.org/board):\n\n- north\n- south\n")


def html() -> Any:
    from mailconn_jupyter.message.render.words import HTML  # noqa: PLC0415  # the same

    return HTML("<style>em{color:#b00020}</style><h2>Results</h2><p>Up by <em>12 %</em></p>")


KINDS: dict[str, Kind] = {
    "text": Kind(
        lambda: "Three things moved.\n\nGrüße, 東京 🎉", ("Three things moved.", "Grüße, 東京 🎉"), html=False
    ),
    "markdown": Kind(markdown, ("Results", "12 %", "https://example.org/board", "north")),
    "html": Kind(html, ("Results", "Up by 12 %")),
    "dataframe": Kind(table, ("Nørth", "East & West", "1385", "2026-01-06")),
    "long dataframe": Kind(lambda: table(1000), ("Nørth", "of 1,000 rows", "table.csv"), files=("table.csv",)),
    "series": Kind(lambda: table()["revenue"], ("revenue", "10234.50")),
    "styler": Kind(styler, ("Nørth", "10,234.50 €", "1385")),
    "polars": Kind(polars, ("Łódź", "東京", "14000000")),
    "figure": Kind(figure, ("Churn by week",), pictures=1),
    "axes": Kind(axes, ("Churn by week",), pictures=1),
    "image": Kind(image, ("160",), pictures=1),
    "plotly": Kind(plotly, ("Sales by plotly",), pictures=1),
    "altair": Kind(altair, ("Sales by altair",), pictures=1),
    "scalar": Kind(scalar, ("0.12345",), html=False),
    "dict": Kind(lambda: {"accuracy": 0.93, "model": "größte"}, ("accuracy", "0.93", "größte")),
    "object with HTML": Kind(Html, ("bold claim & a slanted one",)),
    "object with PNG": Kind(Png, (), pictures=1),
    "object with a bundle": Kind(Bundle, (), pictures=1),
    "exception": Kind(failure, ("KeyError", "missing-key", "results.py")),
}


def contents() -> Iterator[tuple[str, Any]]:
    """Each kind with its object."""
    for name, kind in KINDS.items():
        yield name, kind.make()
