"""A result as a file of the format that the file's name asks for: ``{"churn.parquet": df, "plot.svg": figure}``."""

from __future__ import annotations

import json
from typing import Any, Final

from .failure import MessageError
from .render.charts import altair_file, plotly_file
from .render.export import FORMATS, table_file
from .render.figures import matplotlib_file, pil_file
from .render.part import Options
from .render.registry import type_names
from .render.tables import frame_of
from .texts import mended, one_line

__all__ = ["written"]

_FIGURE: Final = "matplotlib.figure.FigureBase"
_AXES: Final = "matplotlib.axes._base._AxesBase"
_IMAGE_FORMATS: Final = {"jpg": "jpeg", "tif": "tiff"}


def written(name: str, value: Any, options: Options) -> bytes:
    """The bytes of a file called ``name`` that holds ``value``; :class:`MessageError` when there is no such format."""
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return mended_text(value)
    if hasattr(value, "read"):
        return _from_file(name, value)
    try:
        data = _written(suffix, value, options)
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(f"The attachment {name!r} cannot be written: {one_line(str(error), 200)}") from error
    if data is None:
        raise MessageError(
            f"An object of type {one_line(type(value).__name__)} cannot be attached as {name!r}.",
            hint="Tables can be .csv, .xlsx, .parquet; figures .png, .svg, .pdf; dicts and lists .json.",
        )
    return data


def mended_text(value: str) -> bytes:
    """A text's bytes in UTF-8, its line ends as they are."""
    return "\r".join(mended(piece) for piece in value.split("\r")).encode()


def _from_file(name: str, file: Any) -> bytes:
    try:
        data = file.read()
    except (OSError, ValueError) as error:
        raise MessageError(
            f"The attachment {name!r} cannot be read: {error}.", hint="Is the file still open?"
        ) from error
    if not isinstance(data, str | bytes | bytearray):
        raise MessageError(f"The attachment {name!r} cannot be read: its read() gave {type(data).__name__}.")
    return mended_text(data) if isinstance(data, str) else bytes(data)


def _written(suffix: str, value: Any, options: Options) -> bytes | None:
    names = set(type_names(value))
    if _AXES in names:
        value, names = value.figure, {_FIGURE}
    image = _IMAGE_FORMATS.get(suffix, suffix)
    if _FIGURE in names:
        return matplotlib_file(value, suffix, scale=2 if suffix in {"png", "jpg", "jpeg", "webp"} else 1)
    if "PIL.Image.Image" in names:
        return pil_file(value, image)
    if "plotly.basedatatypes.BaseFigure" in names:
        return plotly_file(value, image, scale=2)
    if "altair.TopLevelMixin" in names:
        return altair_file(value, image, scale=2)
    if (frame := frame_of(value)) is not None:
        if suffix in FORMATS:
            return table_file(frame, suffix, index=options.index)
        if suffix == "html" and hasattr(value, "to_html"):
            return str(value.to_html()).encode()
        return None
    if suffix == "json" and isinstance(value, dict | list | tuple | int | float):
        return json.dumps(value, indent=2, ensure_ascii=False, default=str).encode()
    if suffix == "html" and hasattr(type(value), "_repr_html_"):
        return str(value._repr_html_()).encode()
    return None
