"""Drawings (SVG) that are more than a drawing: a browser that opens one runs its scripts."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["drawing_acts"]

# An element that is none of its shapes, a handler, what lies outside of it, and letters in disguise.
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
