"""Drawings (SVG): which are more than a drawing, as a browser that opens one runs its scripts, and the others as images."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final

from ..image.dimensions import dimensions
from ..part import Picture

__all__ = ["drawing_acts", "drawing_picture", "is_icon", "png_of_drawing"]

# An element that is not one of its shapes, a handler, what lies outside of it, and letters in disguise.
_ACTS: Final = re.compile(
    r"<(?!/?(?:svg|g|path|rect|circle|ellipse|line|polyline|polygon|text|tspan|defs|use|symbol|marker|pattern|clipPath|mask|"
    r"linearGradient|radialGradient|stop|title|desc|style|metadata|(?:rdf|cc|dc):[A-Za-z]+)[\s/>]"
    r"|!--|!DOCTYPE\s+svg\s+PUBLIC|\?xml\s)"
    r"|[\s/\"']on\w+\s*=|href\s*=\s*(?![\"']#)|url\(\s*(?!#)|@import|<!ENTITY"
    r"|<style[^<]*\\|style\s*=[^<>]*\\|&#(?:x0*[2-7][\da-f]|0*(?:3[2-9]|[4-9]\d|1[01]\d|12[0-7]));",
    re.IGNORECASE,
)


def drawing_acts(svg: str) -> bool:
    """Whether the drawing holds anything but shapes and texts: a script, a handler, a link, something from elsewhere."""
    return _ACTS.search(svg) is not None


_SCALE: Final = 2
_MOST_PIXELS: Final = 8_000_000
_HEAD: Final = re.compile(r"<svg\b([^<>]*)>", re.IGNORECASE)
_SIZE: Final = re.compile(r"""(?<![\w-])(width|height|viewBox)\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[\d.]{1,12}")
_UNITS: Final = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}
# What can stand in itself, over and over: ten lines that are a billion shapes.
_REPEATS: Final = re.compile(r"<(?:pattern|mask|marker|symbol|filter)\b", re.IGNORECASE)
_USED: Final = re.compile(r"""<use\b[^<>]*href\s*=\s*["']#([^"']*)["']""", re.IGNORECASE)
_NAMED: Final = re.compile(r"""<(\w+)\b[^<>]*\bid\s*=\s*["']([^"']*)["']""")
_SHAPES: Final = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text"})
_BOX: Final = re.compile(r"""viewBox\s*=\s*["']\s*(-?[\d.]+)[\s,]+(-?[\d.]+)[\s,]""", re.IGNORECASE)
_REM: Final = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d{1,6})?)rem\b")
_DRAWS: Final = re.compile(r"<(?:path|rect|circle|ellipse|line|polyline|polygon|text|image)\b", re.IGNORECASE)
_NOWHERE: Final = re.compile(r"""<svg\b[^<>]*style\s*=\s*["'][^"']*\bwidth:\s*0\b""", re.IGNORECASE)


def is_icon(svg: str) -> bool:
    """Whether it draws nothing by itself: a sheet of icons without a size, or one that is drawn elsewhere."""
    return _NOWHERE.match(svg) is not None or _DRAWS.search(svg) is None


def png_of_drawing(svg: str) -> tuple[bytes, int, int] | None:
    """The image, sharp, and its width and height to show; by vl-convert, and None where that is not installed.

    None also for a drawing that acts, that has no size or a vast one, or that repeats itself.
    """
    if drawing_acts(svg) or _REPEATS.search(svg) or not _in_bounds(svg):
        return None
    used = set(_USED.findall(svg))
    if used and any(name in used and tag.lower() not in _SHAPES for tag, name in _NAMED.findall(svg)):
        return None
    head = _HEAD.search(svg)
    if head is None:
        return None
    # Sizes by the letters of a page, which there is none around it; a drawing within a page names neither its language
    # nor a font; and of what shines through, vl-convert gets the colours wrong, except on an opaque ground.
    box = _BOX.search(head[1])
    left, top = box.groups() if box else ("0", "0")
    named = head[1] if "xmlns=" in head[1] else f'{head[1]} xmlns="http://www.w3.org/2000/svg"'
    font = "" if "font-family" in named else ' font-family="sans-serif"'
    ground = f'<rect x="{left}" y="{top}" width="100%" height="100%" fill="#ffffff" stroke="none"/>'
    svg = f"{svg[: head.start()]}<svg{named}{font}>{ground}{svg[head.end() :]}"
    svg = _REM.sub(lambda found: f"{float(found[1]) * 16}px", svg)
    try:
        data: bytes = import_module("vl_convert").svg_to_png(svg, scale=_SCALE)
    except Exception:  # noqa: BLE001  # not installed, or no drawing
        return None
    size = dimensions(data)
    return None if size is None else (data, round(size[0] / _SCALE), round(size[1] / _SCALE))


def drawing_picture(svg: str) -> Picture | None:
    """The drawing as a picture, where it can be drawn."""
    drawn = png_of_drawing(svg)
    return None if drawn is None else Picture(drawn[0], "Drawing", scale=_SCALE)


def _in_bounds(svg: str) -> bool:
    head = _HEAD.search(svg)
    said = {name.lower(): value.strip() for name, value in _SIZE.findall(head[1])} if head else {}
    box = said.get("viewbox", "").replace(",", " ").split()
    wide, high = (_pixels(said.get(name, "")) for name in ("width", "height"))
    if len(box) == 4:
        wide, high = wide or _pixels(box[2]), high or _pixels(box[3])
    return bool(wide and high) and wide * high * _SCALE**2 <= _MOST_PIXELS


def _pixels(text: str) -> float:
    number = _NUMBER.match(text)
    if number is None or (unit := text[number.end() :].strip()) not in _UNITS:
        return 0
    try:
        return float(number[0]) * _UNITS[unit]
    except ValueError:
        return 0
