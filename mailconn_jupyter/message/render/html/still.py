"""HTML in which what a mail cannot hold has become what it can: frames and films are links, drawings are images."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Final

from .drawings import is_icon, png_of_drawing
from .foreign_tables import dressed

__all__ = ["Still", "still"]

_MEDIA: Final = re.compile(r"<(iframe|video|audio|source|embed)\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""(?<![\w-])([\w-]{1,40})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_WEB: Final = re.compile(r"https?:", re.IGNORECASE)
_DATA: Final = re.compile(r"(?:data|about):", re.IGNORECASE)
_DRAWING: Final = re.compile(r"<(/?)svg\b[^<>]*>", re.IGNORECASE)
# Of one page; a hostile one could have any number.
_MOST_DRAWINGS: Final = 20
# For branca (Folium), where a notebook is not trusted; and the ticks, which are nothing but that.
_FOR_THE_UNTRUSTED: Final = re.compile(r"<span[^<>]*>Make this Notebook Trusted[^<]*</span>")
# xarray sets its lists by a grid, which few mail programs know.
_CUBE: Final = """<style>
.xr-wrap{max-width:none}
.xr-sections,.xr-section-item,.xr-var-list,.xr-var-item{display:block !important}
.xr-section-summary-in[checked]~.xr-section-details{display:block !important}
.xr-sections,.xr-var-list,.xr-dim-list{list-style:none;padding:0 !important;margin:0}
.xr-section-item{padding:2px 0}
.xr-section-summary,.xr-section-inline-details,.xr-dim-list li{display:inline-block;padding-right:8px}
.xr-var-item>div{display:inline-block;vertical-align:top}
.xr-var-item>.xr-var-attrs,.xr-var-item>.xr-var-data{display:none}
.xr-var-name{width:140px;padding-left:20px}.xr-var-dims{width:90px}.xr-var-dtype{width:80px;color:#595f69}
.xr-array-wrap>input,.xr-array-wrap>label{display:none}
.xr-attrs dt{font-weight:bold}
</style>"""


@dataclass
class Still:
    """The HTML, and what of it was lost."""

    html: str
    warnings: list[str] = field(default_factory=list)


def still(html: str) -> Still:
    """The same page for a program that loads nothing and draws nothing; it is still to be sanitised."""
    result = Still(html)

    def linked(found: re.Match[str]) -> str:
        given = {name.lower(): one or two or three for name, one, two, three in _ATTRIBUTE.findall(found[2])}
        address = unescape(given.get("src", "")).strip()
        if address.startswith("//"):
            # By the same protocol as the page, which a mail has not.
            address = f"https:{address}"
        tag = found[1].lower()
        if not address and tag in {"audio", "video"}:
            return ""  # what it plays stands within it
        if not address or _DATA.match(address):
            return f"<audio{found[2]}>" if tag == "source" else found[0]
        if _WEB.match(address):
            return f'<a href="{escape(address)}">{escape(address)}</a>'
        result.warnings.append(f"The HTML shows a file in a frame or a player ({tag}), which is not sent: attach it.")
        return "[a file that is not in this message]"

    html = _FOR_THE_UNTRUSTED.sub("", _MEDIA.sub(linked, html))
    if "xr-wrap" in html:
        html += _CUBE
    result.html = dressed(_with_images(html))
    return result


def _with_images(html: str) -> str:
    """The page with its drawings as images, icons left out; one that cannot be drawn stays."""
    pieces: list[str] = []
    end, depth, start, drawn = 0, 0, 0, 0
    for tag in _DRAWING.finditer(html):
        if tag[0].endswith("/>"):
            continue
        depth = max(depth + (-1 if tag[1] else 1), 0)
        if not tag[1] and depth == 1:
            start = tag.start()
        elif tag[1] and depth == 0 and start >= end and drawn < _MOST_DRAWINGS:
            svg = html[start : tag.end()]
            drawn += 1
            if is_icon(svg):
                image = ""
            elif (data := png_of_drawing(svg)) is not None:
                image = f'<img alt="Drawing" src="data:image/png;base64,{base64.b64encode(data[0]).decode()}" width="{data[1]}" height="{data[2]}">'
            else:
                continue
            pieces += [html[end:start], image]
            end = tag.end()
    return "".join([*pieces, html[end:]])
