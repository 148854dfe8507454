"""PIL's images and large figures: as they look, and no larger than a mail shows them."""

from __future__ import annotations

import io

import numpy
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.render import Picture, render


def picture(value: object) -> Picture:
    (shown,) = render(value).pictures
    return shown


def opened(shown: Picture) -> Image.Image:
    return Image.open(io.BytesIO(shown.data))


@pytest.mark.parametrize(("step", "mode"), [(10, "L"), (3000, "I;16")])
def test_an_image_of_whole_numbers_keeps_its_shades(step: int, mode: str) -> None:
    values = numpy.arange(12, dtype="int32").reshape(3, 4) * step
    drawn = opened(picture(Image.fromarray(values)))
    assert drawn.mode == mode
    assert (numpy.asarray(drawn) == values).all()


@pytest.mark.parametrize(
    "values", [numpy.array([[0, 70_000]], "int32"), numpy.array([[-1, 5]], "int32"), numpy.eye(3, dtype="float32")]
)
def test_an_image_of_measurements_is_an_error_that_says_how_to_show_it(values: numpy.ndarray) -> None:
    with pytest.raises(MessageError, match="contains numbers, not colours") as caught:
        render(Image.fromarray(values))
    assert "plt.imshow" in caught.value.hint


def test_a_photograph_stands_as_its_camera_was_held() -> None:
    buffer, orientation = io.BytesIO(), Image.Exif()
    orientation[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (40, 20)).save(buffer, "jpeg", exif=orientation)
    shown = picture(Image.open(buffer))
    assert shown.subtype == "jpeg"
    assert shown.size == (20, 40)
    assert opened(shown).getexif().get(0x0112, 1) == 1


def test_a_film_stays_a_film() -> None:
    buffer = io.BytesIO()
    first, *others = (Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue"))
    first.save(buffer, "gif", save_all=True, append_images=others)
    shown = picture(Image.open(buffer))
    assert shown.subtype == "gif"
    assert len(list(ImageSequence.Iterator(opened(shown)))) == 3


@pytest.mark.parametrize(("inches", "widest"), [((4, 3), 800), ((15, 5), 1920), ((24, 8), 2400), ((300, 300), 4500)])
def test_a_figure_is_drawn_as_sharp_as_it_is_shown_and_no_larger(inches: tuple[int, int], widest: int) -> None:
    figure = Figure(figsize=inches)
    figure.add_subplot().plot([1, 2])
    shown = picture(figure)
    wide = opened(shown).width
    assert widest * 0.6 < wide <= widest
    assert shown.size is not None
    assert shown.size[0] <= 960
