"""A formula in LaTeX as a picture, as a notebook shows it; drawn by Matplotlib, where that is installed and knows its signs."""

from __future__ import annotations

import re
from importlib import import_module
from io import BytesIO
from typing import Final

from ...texts import one_line
from ..part import Picture

__all__ = ["formula_picture"]

_FORMULA: Final = re.compile(r"\s*(\$\$?)([^$]{1,2000})\1\s*")
_SIZE: Final = re.compile(r"\\(?:displaystyle|textstyle|limits)\b\s*")
_SCALE: Final = 2


def formula_picture(latex: str) -> Picture | None:
    """The picture of one formula between ``$`` or ``$$``; None for any other text, and where it cannot be drawn."""
    found = _FORMULA.fullmatch(latex)
    if found is None:
        return None
    formula = _SIZE.sub("", found[2]).strip()
    buffer = BytesIO()
    try:
        draw = import_module("matplotlib.mathtext").math_to_image
        properties = import_module("matplotlib.font_manager").FontProperties(size=16)
        draw(f"${formula}$", buffer, prop=properties, dpi=72 * _SCALE, format="png")
    except Exception:  # noqa: BLE001  # it knows a part of LaTeX; the source says it, too
        return None
    return Picture(buffer.getvalue(), one_line(formula, 250), scale=_SCALE)
