from __future__ import annotations

import io
import re
import struct
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from importlib import import_module
from typing import Any

import altair
import matplotlib as mpl
import numpy
import pandas
import plotly.graph_objects
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.render import Picture, render
from mailconn_jupyter.message.render.image.dimensions import dimensions, image_type
from tests.support.composed import ATTACKS, arrived, attached, harmless, html_of, tags_of, text_of, travelled


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    with mpl.rc_context():
        mpl.use("agg")
        yield


def figure(title: str = "Churn") -> Figure:
    drawn = Figure(figsize=(4, 3), dpi=100)
    axes = drawn.add_subplot()
    axes.plot([1, 3, 2])
    axes.set(title=title, xlabel="week", ylabel="share")
    return drawn


def images(message: EmailMessage) -> list[Any]:
    return [part for part in message.walk() if part.get_content_maintype() == "image"]


def shown(message: EmailMessage) -> list[dict[str, str]]:
    return [attributes for tag, attributes in tags_of(html_of(message)) if tag == "img"]


def test_a_figure_is_an_image_of_the_text_with_its_words_and_its_size() -> None:
    message = arrived("See:", figure())
    (part,) = images(message)
    (image,) = shown(message)
    assert image["src"] == f"cid:{part['Content-ID'][1:-1]}"
    assert part.get_content_disposition() == "inline"
    assert image["alt"] == "Churn; share over week"
    wide, high = dimensions(part.get_payload(decode=True)) or (0, 0)
    # Drawn at twice the pixels, shown at the size of the notebook.
    assert (round(wide / 2), round(high / 2)) == (int(image["width"]), int(image["height"]))
    assert 300 < int(image["width"]) <= 410
    assert "[Figure: Churn; share over week]" in text_of(message)


def test_images_are_related_to_the_alternatives_and_come_before_attachments() -> None:
    message = arrived(figure(), attachments={"a.bin": b"\0"})
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "application/octet-stream",
    ]
    related = next(part for part in message.walk() if part.get_content_type() == "multipart/related")
    assert related.get_param("type") == "multipart/alternative"


def test_axes_arrays_of_axes_and_subfigures_are_their_figure() -> None:
    drawn = figure()
    several = Figure(figsize=(4, 3))
    array: Any = several.subplots(2, 2)
    array[0, 0].set_title("first")
    assert shown(arrived(drawn.axes[0]))[0]["alt"] == "Churn; share over week"
    assert shown(arrived(array))[0]["alt"] == "first"
    nested = Figure(figsize=(4, 3))
    assert len(shown(arrived(nested.subfigures(1, 2, squeeze=False)[0, 0]))) == 1


def test_drawing_leaves_the_figure_as_it_was() -> None:
    drawn = figure()
    arrived(drawn)
    assert (drawn.dpi, tuple(drawn.get_size_inches())) == (100, (4, 3))


def test_the_same_image_twice_is_sent_once() -> None:
    picture = Image.new("RGB", (30, 20), "red")
    message = arrived(picture, "and again", picture)
    assert len(images(message)) == 1
    assert len(shown(message)) == 2


def test_images_of_pil_keep_their_size_and_a_photograph_its_format() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "blue").save(buffer, "JPEG")
    photograph = Image.open(io.BytesIO(buffer.getvalue()))
    message = arrived(photograph, Image.new("RGBA", (20, 10)), Image.new("CMYK", (5, 5)))
    assert [part.get_content_type() for part in images(message)] == ["image/jpeg", "image/png", "image/png"]
    assert [(one["width"], one["height"]) for one in shown(message)] == [("64", "48"), ("20", "10"), ("5", "5")]
    assert all("background:#ffffff" in one["style"] for one in shown(message))


def test_an_image_wider_than_a_page_is_shown_smaller_and_sent_whole() -> None:
    message = arrived(Image.new("L", (1920, 400)))
    (image,) = shown(message)
    # Outlook takes the attributes, and has narrow panes; the others have a style, and make it fit.
    assert (image["width"], image["height"]) == ("572", "119")
    assert "width:960px;" in image["style"]
    assert image["style"].endswith("max-width:100%;height:auto")
    assert dimensions(images(message)[0].get_payload(decode=True)) == (1920, 400)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_the_size_of_an_image_is_read_from_its_first_bytes(kind: str) -> None:
    for settings in ({}, {"lossless": True}) if kind == "webp" else ({},):
        buffer = io.BytesIO()
        Image.new("RGB", (321, 123), "green").save(buffer, kind, **settings)
        assert (image_type(buffer.getvalue()), dimensions(buffer.getvalue())) == (kind, (321, 123))
        assert dimensions(buffer.getvalue()[:8]) is None
    assert dimensions(b"text") is None
    assert dimensions(b"\xff\xd8\xff\xc0" + struct.pack(">H", 0)) is None


def test_an_image_without_a_known_size_has_none() -> None:
    assert Picture(b"text", "alt").size is None


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_title_is_shown_and_not_obeyed(attack: str) -> None:
    message = arrived(figure(attack))
    assert harmless(html_of(message))
    assert shown(message)[0]["alt"].startswith(attack)


def test_an_altair_chart_is_a_picture_at_its_true_size() -> None:
    data = pandas.DataFrame({"week": [1, 2], "share": [3, 4]})
    chart = altair.Chart(data).mark_bar().encode(x="week:O", y="share").properties(width=200, height=100)
    message = arrived(chart)
    (image,) = shown(message)
    assert image["alt"] == "Chart: share over week:O"
    assert 200 < int(image["width"]) < 300
    assert not attached(message)


def test_a_chart_that_cannot_be_drawn_is_attached_as_a_page_and_both_sides_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chart = plotly.graph_objects.Figure(plotly.graph_objects.Bar(y=[1, 3, 2])).update_layout(title="Bars <b>")

    def fails(*args: Any, **options: Any) -> bytes:
        raise ValueError("Image export requires kaleido")

    # Whether kaleido finds a browser is the machine's affair.
    # Plotly remembers for good whether it found it when it was imported.
    import_module("plotly.io._kaleido")
    monkeypatch.setitem(sys.modules, "kaleido", None)
    monkeypatch.setattr(type(chart), "to_image", fails)
    with pytest.warns(MailConnWarning, match="kaleido"):
        message = travelled(compose("ana@example.org", "x", chart))
    page = attached(message)["figure.html"]
    assert b"Plotly.newPlot" in page
    # Plotly's own script has such a source of icons for its maps.
    assert not re.search(rb'<script[^<>]*\ssrc="http', page)
    assert harmless(html_of(message))
    for body in (html_of(message), text_of(message)):
        assert "The interactive version is attached: open figure.html in a browser." in body
    assert "Bars <b>" in text_of(message)


def test_altair_without_its_converter_is_attached_as_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = altair.Chart(pandas.DataFrame({"x": [1]})).mark_bar().encode(x="x")
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.warns(MailConnWarning, match="vl-convert-python"):
        message = travelled(compose("ana@example.org", "x", chart))
    assert b"vegaEmbed" in attached(message)["figure.html"]


def test_figures_are_attached_in_the_format_of_their_name() -> None:
    chart = altair.Chart(pandas.DataFrame({"x": [1]})).mark_bar().encode(x="x")
    plot = plotly.graph_objects.Figure(plotly.graph_objects.Bar(y=[1]))
    files = attached(
        arrived(
            attachments={
                "a.png": figure(),
                "a.svg": figure().axes[0],
                "a.pdf": figure(),
                "b.jpg": Image.new("RGBA", (4, 4)),
                "b.webp": Image.new("RGB", (4, 4)),
                "c.svg": chart,
                "c.json": chart,
                "d.html": plot,
            }
        )
    )
    beginnings = {name: data[:5] for name, data in files.items()}
    assert beginnings["a.png"] == b"\x89PNG\r"
    assert b"<svg" in files["a.svg"]
    assert beginnings["a.pdf"] == b"%PDF-"
    assert image_type(files["b.jpg"]) == "jpeg"
    assert image_type(files["b.webp"]) == "webp"
    assert files["c.svg"].startswith(b"<svg")
    assert b'"mark"' in files["c.json"]
    assert b"Plotly.newPlot" in files["d.html"]
    with pytest.raises(MessageError, match=r"'a\.xyz' cannot be written"):
        arrived(attachments={"a.xyz": figure()})


def test_a_figure_without_a_name_is_attached_as_an_image() -> None:
    assert list(attached(arrived(attachments=[figure(), figure("other")]))) == ["figure.png", "figure-2.png"]


def test_two_hundred_figures_of_fifty_megabytes_get_a_clear_answer() -> None:
    noise = numpy.random.default_rng(1)
    parts = [render(Image.fromarray(noise.integers(0, 255, (290, 290, 3), dtype="uint8"))) for _ in range(200)]
    assert sum(len(part.pictures[0].data) for part in parts) > 50_000_000
    with pytest.raises(MessageError) as caught:
        arrived(*parts)
    assert "200 images" in caught.value.message
    assert "more than the 25.0 MB" in caught.value.message
