"""Figures and images: drawn at twice the pixels for sharp screens, shown at their true size, named for who sees none."""

from __future__ import annotations

from html import escape
from io import BytesIO
from typing import Any, Final

from ....errors import MessageError
from ...texts import one_line
from ..image.dimensions import image_type
from ..part import WIDEST, Options, Part, Picture, fitted

__all__ = [
    "IMAGE_FORMATS",
    "matplotlib_file",
    "picture_part",
    "pil_file",
    "render_axes",
    "render_bytes",
    "render_matplotlib",
    "render_pil",
    "write_axes",
    "write_matplotlib",
    "write_pil",
]

# A transparent image on a dark ground would hide its own black lettering.
_STYLE: Final = "display:block;border:0;background:#ffffff;"
_SCALE: Final = 2
#: Pixels across that a sharp picture of the widest size that is shown has (see Picture.size).
_SHARP: Final = _SCALE * WIDEST
_MOST_PIXELS: Final = 20_000_000
#: What libraries call the formats that have other suffixes, too.
IMAGE_FORMATS: Final = {"jpg": "jpeg", "tif": "tiff"}
#: The modes of PIL that PNG has, too.
_IN_PNG: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})


def picture_part(picture: Picture, kind: str = "Image") -> Part:
    """A picture as a part: its tag with alternative text and size, and the words for who reads plain text."""
    alt = escape(picture.alt)
    text = picture.alt if picture.alt.startswith(kind) else f"{kind}: {picture.alt}"
    return Part(
        f"[{text}]",
        f'<div style="margin:0 0 12px"><img src="cid:{picture.cid}" alt="{alt}"{fitted(picture.size, _STYLE)}></div>',
        (picture,),
    )


def render_matplotlib(figure: Any, _options: Options) -> Part:
    """A Matplotlib figure as PNG, twice its resolution, without the empty margin, as notebooks show it."""
    scale = _scale(figure)
    data = matplotlib_file(figure, "png", scale=scale)
    return picture_part(Picture(data, _described(figure), scale=scale), "Figure")


def _scale(figure: Any) -> float:
    """Twice the resolution for what is shown at its own size; less for a wider figure, which is shown smaller."""
    wide, high = (float(inches) * _dpi(figure) for inches in _whole(figure).get_size_inches())
    sharp = min(_SCALE, max(_SHARP / max(wide, 1), 1))
    return float(min(sharp, (_MOST_PIXELS / max(wide * high, 1)) ** 0.5))


def _dpi(figure: Any) -> float:
    """The resolution that its author gave it; a window on a sharp screen draws it at a multiple."""
    whole = _whole(figure)
    return float(whole.dpi / getattr(whole.canvas, "device_pixel_ratio", 1))


def _whole(figure: Any) -> Any:
    """The figure that a SubFigure is drawn with."""
    return getattr(figure, "figure", None) or figure


def matplotlib_file(figure: Any, kind: str, *, scale: float = 1) -> bytes:
    """The figure in any format that Matplotlib writes."""
    whole = _whole(figure)
    dpi = _dpi(whole) * scale
    if kind == "png":
        from ..image.tight_canvas import tight_png  # noqa: PLC0415  # it imports Matplotlib, as the figure has

        return tight_png(whole, dpi)
    buffer = BytesIO()
    whole.savefig(buffer, format=kind, dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()


def write_matplotlib(figure: Any, suffix: str) -> bytes:
    """The figure as a file; images for screens at twice their size."""
    return matplotlib_file(figure, suffix, scale=_SCALE if suffix in {"png", "jpg", "jpeg", "webp"} else 1)


def write_axes(axes: Any, suffix: str) -> bytes:
    """The figure that the axes belong to, as a file."""
    return write_matplotlib(axes.figure, suffix)


def render_axes(axes: Any, options: Options) -> Part:
    """The figure that the axes belong to."""
    return render_matplotlib(axes.figure, options)


def _described(figure: Any) -> str:
    """Alternative text from what the figure says: its titles and the labels of its axes."""
    said = [figure.get_suptitle()] if hasattr(figure, "get_suptitle") else []
    for axes in figure.axes:
        said.append(axes.get_title())
        labels = [label for label in (axes.get_ylabel(), axes.get_xlabel()) if label]
        said.append(" over ".join(labels))
    return one_line("; ".join(dict.fromkeys(text for text in said if text)), 250) or "Figure"


def render_pil(image: Any, _options: Options) -> Part:
    """A PIL image: a photograph stays JPEG, a film GIF, the rest is PNG."""
    if image.format == "GIF" and getattr(image, "is_animated", False):
        kind = "gif"
    else:
        kind = "jpeg" if image.format == "JPEG" and image.mode in {"RGB", "L"} else "png"
    image = _upright(image)
    title = image.info.get("Title") or image.info.get("title")
    alt = (
        one_line(title, 250)
        if isinstance(title, str) and title.strip()
        else f"Image, {image.width} \N{MULTIPLICATION SIGN} {image.height}"
    )
    return picture_part(Picture(pil_file(image, kind), alt, kind))


def write_pil(image: Any, suffix: str) -> bytes:
    """The image as a file."""
    return pil_file(image, IMAGE_FORMATS.get(suffix, suffix))


def pil_file(image: Any, kind: str) -> bytes:
    """The image in any format that PIL writes."""
    buffer = BytesIO()
    if image.mode in {"I", "F"}:
        image = _coloured(image)
    if kind == "png" and image.mode not in _IN_PNG:
        image = image.convert("RGB")
    if kind == "jpeg" and image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("RGB")
    more: dict[str, dict[str, Any]] = {"jpeg": {"quality": 90}, "gif": {"save_all": True}}
    image.save(buffer, format=kind, **more.get(kind, {}))
    return buffer.getvalue()


def render_bytes(data: Any, _options: Options) -> Part:
    """An image that somebody has read or drawn; other bytes are nothing to read."""
    data = bytes(data)
    if kind := image_type(data):
        return picture_part(Picture(data, "Image", kind))
    raise MessageError(
        f"Bytes are not text, and these {len(data)} are not an image that mail programs show (PNG, JPEG, GIF, WebP).",
        hint='For text: data.decode(). For anything else: attachments={"data.bin": data}',
    )


def _upright(image: Any) -> Any:
    """A photograph as its camera was held; the number that says so is not kept."""
    if image.format != "JPEG":
        return image
    from PIL import ImageOps  # noqa: PLC0415  # the image is PIL's

    turned = ImageOps.exif_transpose(image)
    turned.format = image.format
    return turned


def _coloured(image: Any) -> Any:
    """An image of integers as one of shades, where they are shades; measurements have no colour of their own."""
    least, most = image.getextrema()
    if image.mode == "F" or least < 0 or most > 65_535:
        raise MessageError(
            f"An image of mode {image.mode} with values from {least:g} to {most:g} contains numbers, not colours.",
            hint='Show it with plt.imshow(...), or scale it: Image.fromarray((a * 255).astype("uint8"))',
        )
    return image.convert("L" if most <= 255 else "I;16")
