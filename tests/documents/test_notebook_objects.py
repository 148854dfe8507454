"""What a notebook shows arrives looking as it does there, or is refused with the sentence that says what to send instead.

Where a library is not in the tests' extra, its own output stands here: its names of classes, its HTML, its methods.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy
import pandas
import polars
import pyarrow
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.animation import FuncAnimation
from PIL import Image

from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.render import render
from mailconn_jupyter.message.render.html.drawings import png_of_drawing
from mailconn_jupyter.message.render.html.sanitise import acts
from mailconn_jupyter.message.render.html.still import still
from tests.support.composed import arrived, attached, harmless, html_of, tags_of, text_of
from tests.support.results import png

#: Untyped, all of it.
display: Any = import_module("IPython.display")


def pictures(message: Any) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(part.get_content())) for part in message.walk() if part.get_content_type() == "image/png"
    ]


def called(name: str, **methods: Any) -> Any:
    """An object of a class that is called so: ``package.module.Class``."""
    module, _, own = name.rpartition(".")
    return type(own, (), {"__module__": module, **methods})()


# Refused: what says nothing of itself, and what is no result yet


def animation() -> Any:
    figure, axes = plt.subplots()
    film = FuncAnimation(figure, lambda _: axes.plot([1]), frames=2)
    film._draw_was_started = True  # type: ignore[attr-defined]  # Matplotlib warns of one that nobody has drawn
    plt.close(figure)
    return film


def in_memory() -> Any:
    return io.StringIO("a,b")


@pytest.mark.parametrize(
    ("make", "said", "hint"),
    [
        (lambda: open(__file__, encoding="utf-8"), "A TextIOWrapper is not the contents of the file", "file.read()"),  # noqa: SIM115, PTH123  # as people hand it over
        (in_memory, "A StringIO is not the contents of the file", "file.read()"),
        (lambda: pandas.DataFrame, "DataFrame is a class", "DataFrame(...)"),
        (lambda: numpy.add, "add is a function that was not called", "add()"),
        (lambda: numpy.mean, "mean is a function that was not called", "mean()"),
        (lambda: iter([1]), "A list_iterator shows nothing of what it yields", "list("),
        (lambda: map(str, [1]), "A map shows nothing of what it yields", "list("),
        (lambda: pandas.DataFrame({"a": [1]}).groupby("a"), "A DataFrameGroupBy is a query plan", "groups.size()"),
        (lambda: pandas.DataFrame({"a": [1]}).rolling(2), "A Rolling is a query plan", "groups.mean()"),
        (lambda: polars.col("a").sum(), "An Expr is a query plan", "frame.select("),
        (
            lambda: called("dask.dataframe.dask_expr._collection.FrameBase"),
            "A FrameBase is a query plan",
            "frame.compute()",
        ),
        (animation, "A FuncAnimation shows nothing until it is drawn", "animation.save("),
        (lambda: display.Javascript("alert(1)"), "A script shows nothing in a message", "what it would show"),
        (lambda: display.FileLink(__file__), "A FileLink points to a file on this machine", "attachments="),
        (lambda: display.FileLinks("."), "A FileLinks points to a file on this machine", "attachments="),
        (lambda: __import__("ipywidgets").IntSlider(), "A widget (IntSlider) only works in its notebook", "its value"),
        (lambda: numpy.array([object(), 1]), "An object, in the ndarray, shows nothing", "text about it"),
        (lambda: pandas.DataFrame({"m": [object()]}), "A cell of the table holds an object of type object", "drop("),
        (lambda: called("a.b.Display", figure_=plt.figure()), "nothing but its memory address", ".figure_"),
        (lambda: called("a.b.Fitted", summary=lambda _: ""), "nothing but its memory address", ".summary()"),
    ],
)
def test_what_is_no_result_is_refused_with_what_to_send(make: Callable[[], Any], said: str, hint: str) -> None:
    value = make()
    try:
        with pytest.raises(MessageError) as caught:
            render(value)
    finally:
        plt.close("all")
        if hasattr(value, "close") and not isinstance(value, type):
            value.close()
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert " at 0x" not in str(caught.value)
    assert __file__ not in str(caught.value)


@dataclasses.dataclass
class Result:
    score: float
    model: object


class Shows:
    def __init__(self, **forms: Any) -> None:
        vars(self).update(forms)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return vars(self)


def test_no_address_in_memory_is_mailed() -> None:
    assert text_of(arrived(pyarrow.array([1, 2]))).startswith("<pyarrow.lib.Int64Array>\n[\n")
    assert "score=0.5, model=<object>" in text_of(arrived(Result(0.5, object())))
    shown = Shows(**{"text/plain": "A(b=<object object at 0x7f8c54a43040>)"})
    assert text_of(arrived(shown)) == "A(b=<object>)\n"
    assert "log: <Worker object at 0x7f00aa>" in text_of(arrived(["log: <Worker object at 0x7f00aa>"]))


def test_an_object_has_the_text_that_a_notebook_shows() -> None:
    assert text_of(arrived(display.Pretty("as it is"))) == "as it is\n"
    assert "{'a': [array([1, 2])]}" in text_of(arrived({"a": [numpy.array([1, 2])]}))


@pytest.fixture
def formatter(monkeypatch: pytest.MonkeyPatch) -> DisplayFormatter:
    """That of a running IPython."""
    made = DisplayFormatter()
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(display_formatter=made))
    return made


def test_what_the_running_ipython_was_taught_is_shown(formatter: DisplayFormatter) -> None:
    class Molecule:
        """As RDKit's, of which its console teaches IPython the picture."""

    formatter.formatters["image/png"].for_type(Molecule, lambda _: png(80, 40))
    [picture] = pictures(arrived(Molecule()))
    assert picture.size == (80, 40)
    assert len(pictures(arrived(["Ethanol:", Molecule()]))) == 1
    formatter.formatters["text/html"].for_type(Result, lambda result: f"<b>{result.score}</b>")
    assert text_of(arrived(Result(0.5, object()))) == "0.5\n"


# Tables, and what only hands out columns beside


class Cube:
    """As xarray's DataArray: it hands out its values as columns, and shows itself in another way."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pyarrow.table({"x": [1, 2]}).__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        return "<p>2 dims</p>"


class Rows(Cube):
    """As DataFusion's and Spark's DataFrame: what it hands out is all of it."""

    columns = ("x",)


class Planned(Cube):
    """As one whose interchange protocol is not all there."""

    def __dataframe__(self) -> Any:
        return SimpleNamespace()

    __arrow_c_stream__ = None  # type: ignore[assignment]


def test_what_hands_out_columns_is_shown_as_a_notebook_does_unless_it_is_a_table() -> None:
    assert text_of(arrived(Cube())) == "2 dims\n"
    assert text_of(arrived(Rows())) == "x\n-\n1\n2\n"
    assert text_of(arrived(Planned())) == "2 dims\n"


# Drawings and formulas

CIRCLE = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><circle cx="30" cy="20" r="10" fill="#ff0000"/></svg>'


def test_a_drawing_is_shown_as_a_picture() -> None:
    message = arrived(display.SVG(CIRCLE))
    [picture] = pictures(message)
    assert picture.size == (120, 80)
    assert picture.convert("RGB").getpixel((60, 40)) == (255, 0, 0)
    [image] = [given for tag, given in tags_of(html_of(message)) if tag == "img"]
    assert (image["width"], image["height"]) == ("60", "40")
    assert attached(message) == {}


def test_a_drawing_within_a_page_is_shown_in_its_place_and_an_icon_is_left_out() -> None:
    icons = '<svg style="position: absolute; width: 0; height: 0"><defs><symbol id="i"><path d="M0 0"/></symbol></defs></svg>'
    # As Dask draws the chunks of an array.
    chunks = (
        '<svg width="60" height="40" style="stroke:rgb(0,0,0);stroke-width:1"><polygon points="0,0 60,0 60,40 0,40" '
        'style="fill:#00ff00A0;stroke-width:0"/><text x="5" y="20" font-size="1.0rem">9</text></svg>'
    )
    html = f"<p>before</p>{icons}<p><svg class='icon'><use href='#i'></use></svg></p>{chunks}<p>behind</p>"
    message = arrived(display.HTML(html))
    [picture] = pictures(message)
    assert picture.size == (120, 80)
    assert picture.convert("RGB").getpixel((110, 70)) == (95, 255, 95)
    assert min(picture.convert("L").tobytes()) < 80, "the number is drawn, too"
    assert re.sub(r"\s+", " ", text_of(message)) == "before [Drawing] behind "
    assert harmless(html_of(message))


@pytest.mark.parametrize(
    "svg",
    [
        '<svg width="10" height="10"><script>1</script><rect/></svg>',
        '<svg width="10" height="10"><image href="file:///etc/hostname"/><rect/></svg>',
        '<svg width="90000" height="90000"><rect/></svg>',
        '<svg width="1e9" height="10"><rect/></svg>',
        '<svg viewBox="0 0 90000 90000"><rect/></svg>',
        "<svg><rect/></svg>",
        # Each of these lines is ten of the one before it.
        '<svg width="10" height="10"><g id="a"><rect/></g><g id="b"><use href="#a"/><use href="#a"/></g><use href="#b"/></svg>',
        '<svg width="10" height="10"><pattern id="a"><rect fill="url(#a)"/></pattern></svg>',
        '<svg width="10" height="10"><rect',
    ],
)
def test_a_drawing_that_acts_or_could_fill_the_memory_is_not_drawn(svg: str) -> None:
    assert png_of_drawing(svg) is None
    assert render(Shows(**{"image/svg+xml": svg})).pictures == ()


def test_without_what_draws_it_a_drawing_is_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert attached(arrived(display.SVG(CIRCLE))) == {"image.svg": CIRCLE.encode()}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (display.Latex(r"$\frac{a}{b}$"), r"$\frac{a}{b}$"),
        (display.Math(r"\sqrt{x}"), r"$\displaystyle \sqrt{x}$"),
        (
            Shows(
                **{
                    "text/latex": r"$\displaystyle \int \sqrt{\frac{1}{x}}\, dx$",
                    "text/plain": "Integral(sqrt(1/x), x)",
                }
            ),
            "Integral(sqrt(1/x), x)",
        ),
    ],
)
def test_a_formula_is_shown_as_a_picture_and_reads_as_it_is_written(value: Any, text: str) -> None:
    message = arrived(value)
    [picture] = pictures(message)
    assert 10 < picture.width < 400
    assert text_of(message) == f"{text}\n"


@pytest.mark.parametrize(
    "latex", [r"$\begin{matrix}1 & 2\end{matrix}$", r"$\unknown$", "no formula", "$a$ and $b$", "$$"]
)
def test_latex_that_cannot_be_drawn_stays_a_text(latex: str) -> None:
    message = arrived(display.Latex(latex))
    assert pictures(message) == []
    assert text_of(message) == f"{latex}\n"


# HTML that hides and shows

DATASET = """<svg style="position: absolute; width: 0; height: 0; overflow: hidden"><defs><symbol id="icon-database"></symbol>
</defs></svg><style>.xr-text-repr-fallback {display: none;} .xr-wrap {display: block !important;}
.xr-section-summary-in ~ .xr-section-details {display: none;} .xr-section-summary-in:checked ~ .xr-section-details
{display: contents;} .xr-var-attrs {display: none;} .xr-var-attrs-in:checked ~ .xr-var-attrs {display: block;}
.xr-var-list, .xr-var-item {display: contents;}</style>
<pre class='xr-text-repr-fallback'>&lt;xarray.Dataset&gt; Size: 64B</pre><div class='xr-wrap' style='display:none'>
<div class='xr-header'><div class='xr-obj-type'>xarray.Dataset</div></div><ul class='xr-sections'><li class='xr-section-item'>
<input class='xr-section-summary-in' type='checkbox' checked /><label class='xr-section-summary'>Data variables:</label>
<div class='xr-section-inline-details'></div><div class='xr-section-details'><ul class='xr-var-list'><li class='xr-var-item'>
<div class='xr-var-name'><span>t</span></div><div class='xr-var-dims'>(x, y)</div><div class='xr-var-dtype'>float64</div>
<div class='xr-var-preview xr-preview'>1.0 1.0</div><input class='xr-var-attrs-in' type='checkbox'><label><svg class='icon'>
<use xlink:href='#icon-database'></use></svg></label><div class='xr-var-attrs'>units: K</div></li></ul></div></li>
<li class='xr-section-item'><input class='xr-section-summary-in' type='checkbox' /><label>Indexes:</label>
<div class='xr-section-details'>PandasIndex</div></li></ul></div>"""


def test_a_dataset_of_xarray_is_as_the_notebook_shows_it_at_first() -> None:
    message = arrived(Shows(**{"text/html": DATASET, "text/plain": "<xarray.Dataset>"}))
    text = text_of(message)
    assert text.startswith("xarray.Dataset\n")
    assert "Data variables:" in text
    assert "t (x, y) float64 1.0 1.0" in " ".join(text.split())
    for hidden in ("Size: 64B", "units: K", "PandasIndex"):
        assert hidden not in text
        assert hidden not in html_of(message)
    assert not re.search(r"display:\s*none", html_of(message))
    assert attached(message) == {}


def test_what_opens_at_a_click_is_open_and_what_is_hidden_is_in_neither_text() -> None:
    # As scikit-learn shows an estimator.
    html = (
        "<style>.fallback{display:none} .box{display:inline-block !important} .note{display:none} "
        ".more:hover .note{display:block}</style><div class=fallback><b>please rerun this cell</b><br><img src=''></div>"
        "<div class=box hidden>LogisticRegression <a class=more href='https://example.org/doc#:~:text=C'>?<span class=note>Long "
        "words</span></a><details><summary>Parameters</summary><p>C 2</p></details></div><p hidden>gone</p><p>there</p>"
    )
    message = arrived(display.HTML(html))
    assert re.sub(r"\s+", " ", text_of(message)).strip() == (
        "LogisticRegression ? (https://example.org/doc) Parameters C 2 there"
    )
    assert ("details", {"open": "open"}) in tags_of(html_of(message))
    for hidden in ("rerun", "Long", "gone", " hidden"):
        assert hidden not in html_of(message)


def test_a_value_that_a_style_sheet_names_is_put_where_it_is_used() -> None:
    html = (
        "<style>:root{--ground:var(--theme, #fff5e6);--edge:1px solid var(--ink,black)} @media (prefers-color-scheme:dark)"
        "{:root{--ground:#000}} p{background-color:var(--ground);border:var(--edge);color:var(--none, var(--also, #333))}"
        "</style><p>box</p>"
    )
    assert html_of(arrived(display.HTML(html))).count(
        '<p style="background-color:#fff5e6;border:1px solid black;color:#333">box</p>'
    )
    bomb = "".join(f"--a{number}:{f'var(--a{number - 1}) ' * 9};" for number in range(1, 40))
    sheet = f"<style>:root{{--a0:x;{bomb}}} p{{color:var(--a39);{'font:var(--a3);' * 2000}}}</style><p>x</p>"
    assert len(render(display.HTML(sheet)).html or "") < 100_000


def test_a_hostile_page_of_hidden_things_takes_no_longer_than_its_length() -> None:
    assert len(render(display.HTML(f"x<iframe {'a' * 1_000_000}></iframe><svg {'a ' * 500_000}></svg>")).text) < 100
    for unit in (
        "<p hidden>",
        '<p style="display:none">',
        "<svg>",
        "<iframe ",
        "<style>:checked",
        "<details>",
        "</svg><svg>",
    ):
        assert len(render(display.HTML(f"x{unit * 20_000}")).text) < 2_000_000


# What is elsewhere

URL = "https://example.org/report"


@pytest.mark.parametrize(
    "value",
    [
        display.IFrame(URL, 400, 200),
        display.Video(URL),
        display.Image(url=URL),
        display.HTML(f'<img src="{URL}" alt="{URL}">'),
        display.HTML(f'<img src="{URL.removeprefix("https:")}"><iframe src="{URL.removeprefix("https:")}"></iframe>'),
        display.HTML(f"<audio controls><source src='{URL}'></audio>"),
        display.Markdown(f"![the board]({URL})"),
    ],
    ids=["IFrame", "Video", "Image", "img", "by the same protocol", "audio", "Markdown"],
)
@pytest.mark.filterwarnings("ignore:An image of:mailconn_jupyter.errors.MailConnWarning")
@pytest.mark.filterwarnings("ignore:Scripts, frames:mailconn_jupyter.errors.MailConnWarning")
@pytest.mark.filterwarnings("ignore:.* is attached with everything:mailconn_jupyter.errors.MailConnWarning")
def test_what_is_on_the_web_is_a_link_and_not_loaded(value: Any) -> None:
    message = arrived(value)
    assert URL in text_of(message)
    assert URL in [given.get("href") for tag, given in tags_of(html_of(message)) if tag == "a"]
    assert harmless(html_of(message))


@pytest.mark.filterwarnings("ignore:An image of:mailconn_jupyter.errors.MailConnWarning")
def test_an_image_of_the_web_says_once_where_it_is() -> None:
    assert text_of(arrived(display.Image(url=URL))) == f"{URL}\n"
    assert text_of(arrived(display.HTML(f'<img src="{URL}" alt="logo">'))) == f"[logo] ({URL})\n"


def test_a_film_of_youtube_is_a_link_and_no_page() -> None:
    message = arrived(display.YouTubeVideo("abc"))
    assert text_of(message).startswith("https://www.youtube.com/embed/abc")
    assert attached(message) == {}


@pytest.mark.parametrize(
    "source", ["file:///home/ana/a.png", "blob:https://hub/1", "attachment:a.png", "out/a.png", "/home/ana/a.png"]
)
def test_an_image_that_is_not_in_the_page_is_told_and_its_place_named(source: str) -> None:
    with pytest.warns(MailConnWarning, match="An image of the HTML is not sent"):
        message = arrived(display.HTML(f'<p>x</p><img src="{source}"><img src="{source}" alt="churn">'))
    assert "[an image that is not in this message]" in text_of(message)
    assert "[churn]" in text_of(message)
    assert source not in html_of(message)


def test_a_frame_with_a_file_of_this_machine_is_told_and_no_path_is_mailed() -> None:
    with pytest.warns(MailConnWarning, match=r"a frame or a player \(iframe\), which is not sent: attach it"):
        message = arrived(display.IFrame("/home/ana/net.html", 400, 200))
    assert "a file that is not in this message" in text_of(message)
    assert "/home/ana" not in message.as_string()
    assert attached(message) == {}


def test_a_map_of_folium_is_attached_without_the_words_for_the_untrusted() -> None:
    html = (
        '<div style="width:100%;"><div style="position:relative;height:0;padding-bottom:60%;"><span style="color:#565656">'
        'Make this Notebook Trusted to load map: File -&gt; Trust Notebook</span><iframe srcdoc="&lt;script src=&quot;'
        'https://cdn.example/leaflet.js&quot;&gt;&lt;/script&gt;" style="position:absolute;"></iframe></div></div>'
    )
    message = arrived(called("folium.folium.Map", _repr_html_=lambda _: html))
    assert set(attached(message)) == {"map.html"}
    assert text_of(message) == "(Map)\nThe interactive version is attached: open map.html in a browser.\n"


# Libraries whose figures are drawn by others


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes modules of a library that is not here."""

    def make(name: str, **functions: Any) -> None:
        module = ModuleType(name)
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, name, module)

    return make


def test_a_figure_of_bokeh_is_a_picture_or_a_page_that_needs_no_network(modules: Callable[..., None]) -> None:
    figure = called("bokeh.model.model.Model", title=SimpleNamespace(text="Sales"), _repr_html_=lambda _: "junk")
    modules("bokeh.embed", file_html=lambda model, resources: f"<html>{type(model).__name__} {resources}</html>")
    modules("bokeh.resources", INLINE="inline")
    with pytest.warns(MailConnWarning, match=r"Sales: sent as a page \(figure.html\)"):
        message = arrived(figure)
    assert attached(message) == {"figure.html": b"<html>Model inline</html>"}
    assert text_of(message).startswith("[Sales] The interactive version is attached")
    modules("bokeh.io.export", get_screenshot_as_png=lambda _, scale_factor: Image.new("RGB", (40 * scale_factor, 20)))
    assert pictures(arrived(figure))[0].size == (80, 20)
    assert attached(arrived("x", attachments={"a.html": figure})) == {"a.html": b"<html>Model inline</html>"}


def test_what_holoviews_shows_is_the_figure_that_it_draws(modules: Callable[..., None]) -> None:
    figure = plt.figure()
    figure.add_subplot().set_title("Drawn")
    modules("holoviews", render=lambda _: figure)
    assert text_of(arrived(called("holoviews.core.dimension.Dimensioned"))) == "[Figure: Drawn]\n"
    plt.close(figure)


def test_only_what_needs_a_script_or_a_frame_of_its_own_is_a_page() -> None:
    data = base64.b64encode(b"film").decode()
    assert acts(still(f"<video src='data:video/mp4;base64,{data}'></video>").html)
    assert acts(still("<script>1</script>").html)
    assert not acts(still(f"<iframe src='{URL}'></iframe>{CIRCLE}").html)
