"""Figures and images: drawn at twice the pixels for sharp screens, shown at their true size, named for who sees none."""

from __future__ import annotations

from html import escape
from io import BytesIO
from typing import Any, Final

from ..texts import one_line
from .part import Options, Part, Picture

__all__ = ["matplotlib_file", "picture_part", "pil_file", "render_axes", "render_matplotlib", "render_pil"]

# A transparent image on a dark ground would hide its own black lettering.
_STYLE: Final = "display:block;max-width:100%;height:auto;margin:0 0 12px;border:0;background:#ffffff"
_SCALE: Final = 2


def picture_part(picture: Picture, kind: str = "Image") -> Part:
    """A picture as a part: its tag with alternative text and size, and the words for who reads plain text."""
    size = f' width="{picture.size[0]}" height="{picture.size[1]}"' if picture.size else ""
    alt = escape(picture.alt)
    text = picture.alt if picture.alt.startswith(kind) else f"{kind}: {picture.alt}"
    return Part(
        f"[{text}]",
        f'<img src="cid:{picture.cid}" alt="{alt}"{size} style="{_STYLE}">',
        (picture,),
    )


def render_matplotlib(figure: Any, _options: Options) -> Part:
    """A Matplotlib figure as PNG, twice its resolution, without the empty margin, as notebooks show it."""
    data = matplotlib_file(figure, "png", scale=_SCALE)
    return picture_part(Picture(data, _described(figure), scale=_SCALE), "Figure")


def matplotlib_file(figure: Any, kind: str, *, scale: float = 1) -> bytes:
    """The figure in any format that Matplotlib writes."""
    whole = getattr(figure, "figure", None) or figure  # a SubFigure is drawn with its figure
    dpi = whole.dpi * scale
    if kind == "png":
        from .tight_canvas import tight_png  # noqa: PLC0415  # it imports Matplotlib, as the figure has

        return tight_png(whole, dpi)
    buffer = BytesIO()
    whole.savefig(buffer, format=kind, dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()


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
    """A PIL image: a photograph stays JPEG, the rest is PNG."""
    kind = "jpeg" if image.format == "JPEG" and image.mode in {"RGB", "L"} else "png"
    title = image.info.get("Title") or image.info.get("title")
    alt = (
        one_line(title, 250)
        if isinstance(title, str) and title.strip()
        else f"Image, {image.width} \N{MULTIPLICATION SIGN} {image.height}"
    )
    return picture_part(Picture(pil_file(image, kind), alt, kind))


def pil_file(image: Any, kind: str) -> bytes:
    """The image in any format that PIL writes."""
    buffer = BytesIO()
    if kind == "png" and image.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"}:
        image = image.convert("RGB")
    if kind == "jpeg" and image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("RGB")
    image.save(buffer, format=kind, **({"quality": 90} if kind == "jpeg" else {}))
    return buffer.getvalue()
