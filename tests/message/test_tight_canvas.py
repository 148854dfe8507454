from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.style
import numpy
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mailconn_jupyter.message.render.plots.figures import matplotlib_file


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    with mpl.rc_context():
        yield


def usual() -> Figure:
    drawn = Figure(figsize=(4, 3))
    axes = drawn.add_subplot()
    axes.plot([1, 3, 2], label="churn")
    axes.set(title="Churn, week 47", xlabel="week", ylabel="share")
    axes.legend()
    return drawn


def legend_outside() -> Figure:
    drawn = usual()
    drawn.axes[0].legend(loc="upper left", bbox_to_anchor=(1.02, 1))
    return drawn


def legend_far_outside() -> Figure:
    drawn = usual()
    drawn.axes[0].legend(loc="upper left", bbox_to_anchor=(2, 1))
    return drawn


def constrained() -> Figure:
    drawn = Figure(figsize=(5, 3), layout="constrained")
    left, right = drawn.subplots(1, 2)
    left.imshow(numpy.arange(12).reshape(3, 4))
    right.bar(["a", "b"], [1, 2])
    drawn.suptitle("Both")
    return drawn


def dark() -> Figure:
    with matplotlib.style.context("dark_background"):
        return usual()


def edge_to_edge() -> Figure:
    drawn = Figure(figsize=(3, 2), facecolor="#336699")
    axes = drawn.add_axes((0, 0, 1, 1))
    axes.imshow(numpy.arange(6).reshape(2, 3), aspect="auto")
    axes.set_axis_off()
    return drawn


def transparent() -> Figure:
    drawn = usual()
    drawn.patch.set_alpha(0)
    drawn.axes[0].patch.set_alpha(0.5)
    return drawn


def in_parts() -> Figure:
    drawn = Figure(figsize=(5, 3))
    left, right = drawn.subfigures(1, 2)  # type: ignore[misc]  # two of them
    left.subplots().plot([1, 2])
    right.subplots().set_title("right")
    return drawn


FIGURES = [usual, legend_outside, legend_far_outside, constrained, dark, edge_to_edge, transparent, in_parts]


@pytest.mark.parametrize("make", FIGURES)
@pytest.mark.parametrize("scale", [1, 2])
def test_a_figure_drawn_once_is_the_picture_that_a_notebook_shows(make: Callable[[], Figure], scale: int) -> None:
    ours = Image.open(io.BytesIO(matplotlib_file(make(), "png", scale=scale)))
    buffer = io.BytesIO()
    usual_one = make()
    usual_one.savefig(buffer, format="png", dpi=usual_one.dpi * scale, bbox_inches="tight")
    theirs = Image.open(buffer)
    assert abs(ours.width - theirs.width) <= 2
    assert abs(ours.height - theirs.height) <= 2
    # What is cut is cut at whole pixels, so a line may be drawn half a pixel beside.
    small = (theirs.width // 8, theirs.height // 8)
    one, other = (numpy.asarray(image.convert("RGBA").resize(small), dtype=int) for image in (ours, theirs))
    assert numpy.abs(one - other).mean() < 4


def test_what_stands_outside_of_the_figure_is_not_cut_off() -> None:
    inside, outside, far = (
        Image.open(io.BytesIO(matplotlib_file(make(), "png"))) for make in (usual, legend_outside, legend_far_outside)
    )
    assert inside.width < outside.width < far.width


def test_the_margin_has_the_figures_own_ground() -> None:
    picture = Image.open(io.BytesIO(matplotlib_file(edge_to_edge(), "png"))).convert("RGBA")
    assert picture.getpixel((2, 2)) == (0x33, 0x66, 0x99, 255)


def test_an_empty_figure_has_the_size_that_it_was_given() -> None:
    assert Image.open(io.BytesIO(matplotlib_file(Figure(figsize=(4, 3)), "png"))).size == (400, 300)


def test_a_picture_without_transparency_is_kept_without_its_layer() -> None:
    assert Image.open(io.BytesIO(matplotlib_file(usual(), "png"))).mode == "RGB"
    assert Image.open(io.BytesIO(matplotlib_file(transparent(), "png"))).mode == "RGBA"


def test_the_figure_itself_stays_as_it_was() -> None:
    drawn = usual()
    canvas = FigureCanvasAgg(drawn)
    before = drawn.dpi, drawn.get_size_inches().tolist(), drawn.get_facecolor()
    matplotlib_file(drawn, "png", scale=2)
    assert drawn.canvas is canvas
    assert (drawn.dpi, drawn.get_size_inches().tolist(), drawn.get_facecolor()) == before


def test_a_figure_in_a_window_on_a_sharp_screen_has_its_own_size() -> None:
    drawn = usual()
    plain = Image.open(io.BytesIO(matplotlib_file(drawn, "png"))).size
    canvas = FigureCanvasAgg(drawn)
    canvas._set_device_pixel_ratio(2)  # type: ignore[attr-defined]  # what a window's canvas calls
    assert drawn.dpi == 200
    assert Image.open(io.BytesIO(matplotlib_file(drawn, "png"))).size == plain
