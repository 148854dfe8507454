"""A Matplotlib canvas that draws a figure once and then cuts its empty margin off; ``bbox_inches="tight"`` draws it twice.

``savefig(..., backend=...)`` takes this module by its name, so nothing here is imported where Matplotlib is not.
"""

from __future__ import annotations

from io import BytesIO
from math import ceil, floor
from typing import Any, Final

import numpy as np
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from PIL import Image

__all__ = ["FigureCanvas", "tight_png"]

#: Inches around a figure that are drawn with it: labels and legends often stand a little outside.
_AROUND: Final = 1.0


class _OutsideError(ValueError):
    """Something stands even further outside: there is no picture to cut it from."""


class FigureCanvas(FigureCanvasAgg):
    """What ``savefig`` draws with."""

    def print_png(self, filename_or_obj: Any, **_: Any) -> None:
        """Write the part that shows something, with ``savefig.pad_inches`` around it."""
        self.draw()  # type: ignore[no-untyped-call]  # Matplotlib's own
        drawn = np.asarray(self.buffer_rgba())  # type: ignore[no-untyped-call]  # the same
        high, wide = drawn.shape[:2]
        dpi = self.figure.dpi
        box = self.figure.get_tightbbox(self.get_renderer())  # type: ignore[no-untyped-call]  # the same
        if box is self.figure.bbox_inches:
            # An empty figure: all of it, without what was drawn around it.
            box = box.padded(-_AROUND - float(rcParams["savefig.pad_inches"]))
        box = box.padded(float(rcParams["savefig.pad_inches"]))
        place = floor(box.x0 * dpi), floor(high - box.y1 * dpi), ceil(box.x1 * dpi), ceil(high - box.y0 * dpi)
        if min(place[0], place[1], wide - place[2], high - place[3]) < 0:
            raise _OutsideError
        picture = Image.fromarray(drawn).crop(place)
        if picture.getchannel("A").getextrema() == (255, 255):
            # Without a layer of transparency it is smaller, and twice as fast to write.
            picture = picture.convert("RGB")
        picture.save(filename_or_obj, format="png", dpi=(dpi, dpi))


def tight_png(figure: Any, dpi: float) -> bytes:
    """The figure as PNG, as ``savefig(bbox_inches="tight")`` makes it, except that it is cut at whole pixels."""
    buffer = BytesIO()
    width, height = figure.get_size_inches()
    around = Bbox.from_extents(-_AROUND, -_AROUND, width + _AROUND, height + _AROUND)
    try:
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches=around, backend=f"module://{__name__}")
    except _OutsideError:
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()
