"""HTML that we did not write, made fit for a mail: styles inlined, and nothing left that acts, loads or hides.

What may stay is listed; everything else goes: scripts, handlers, forms, frames, plug-ins, SVG, ``javascript:`` links,
remote images and styles. The parser that decides is nh3's (ammonia, as browsers parse), not ours, so without the extra
``report`` there is no foreign HTML in a message at all.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape, unescape
from importlib import import_module
from typing import Any, Final

from ....extras import install
from ..image.dimensions import image_type
from ..part import Picture, fitted
from .custom_properties import with_values
from .hidden import opened_by_state, without_hidden

__all__ = ["Sanitised", "acts", "can_sanitise", "module", "sanitised"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS: Final = _words(
    "a abbr b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption "
    "figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd label li mark ol p pre q s samp small span strike strong sub "
    "summary sup table tbody td tfoot th thead tr tt u ul var"
)
_WITH_CONTENT: Final = _words(
    "script style title head noscript iframe frameset object embed applet template svg math audio video canvas select "
    "textarea button xmp"
)
# What is hidden by an attribute is taken out afterwards.
_EVERYWHERE: Final = {"style", "align", "dir", "lang", "title", "hidden"}
_ATTRIBUTES: Final = {
    "*": _EVERYWHERE,
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "border"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": {"colspan", "rowspan", "bgcolor", "valign", "width", "nowrap"},
    "th": {"colspan", "rowspan", "bgcolor", "valign", "width", "nowrap", "scope"},
    "tr": {"bgcolor", "valign"},
    "col": {"span", "width"},
    "ol": {"start", "type"},
    "font": {"color", "face", "size"},
}
# Looks only. Without position, z-index and negative places nothing can lie over the rest of the message.
_PROPERTIES: Final = _words(
    "align-items background background-color border border-bottom border-bottom-color border-bottom-style "
    "border-bottom-width border-collapse border-color border-left border-left-color border-left-style "
    "border-left-width border-radius border-right border-right-color border-right-style border-right-width "
    "border-spacing border-style border-top border-top-color border-top-style border-top-width border-width "
    "caption-side color direction display empty-cells flex-direction flex-wrap gap font font-family font-size "
    "font-style font-variant font-weight height justify-content letter-spacing line-height list-style list-style-type "
    "margin margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width opacity "
    "overflow overflow-wrap overflow-x padding padding-bottom padding-left padding-right padding-top table-layout "
    "text-align text-decoration text-indent text-overflow text-transform vertical-align white-space width word-break "
    "word-wrap"
)
_UNSAFE_VALUE: Final = re.compile(r"url|expression|image|element|attr|var\s*\(|\\|/\*|[<>@]", re.IGNORECASE)
_DATA: Final = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_WEB: Final = re.compile(r"\s*https?://", re.IGNORECASE)
_LINK: Final = re.compile(r"\s*(?:https?|mailto|tel):", re.IGNORECASE)
# As the sanitiser writes its tags: every value in quotation marks, which are escaped inside.
_IMG: Final = re.compile(r'<img((?:\s+[\w-]+="[^"]*")*)\s*/?>')
_SRC: Final = re.compile(r'\ssrc="([^"]*)"')
_ALT: Final = re.compile(r'\salt="([^"]*)"')
_SIZED: Final = re.compile(r'\s(?:width|height)="')
_SIZED_BY_STYLE: Final = re.compile(r"(?:^|;)(?:max-)?(?:width|height):")
_WIDTH: Final = re.compile(r"(?:^|;)width:(\d{1,4})px(?=;|$)")
_STYLED: Final = re.compile(r'\sstyle="([^"]*)"')
_STYLE: Final = re.compile(r"<style[\s>]", re.IGNORECASE)
_ACTS: Final = re.compile(r"<(?:script|iframe|object|embed|applet|canvas|svg|video|audio)[\s>/]", re.IGNORECASE)


@dataclass
class Sanitised:
    """What is left, the images that it shows, and what was lost that a reader would miss."""

    html: str
    pictures: tuple[Picture, ...] = ()
    warnings: list[str] = field(default_factory=list)


def can_sanitise() -> bool:
    """Whether foreign HTML can be sent: nh3 is installed."""
    return module("nh3") is not None


def module(name: str) -> Any:
    """A package of the extra ``report``; None when it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def acts(html: str) -> bool:
    """Whether the HTML needs a script, a frame or a drawing that mail programs do not show."""
    return _ACTS.search(html) is not None


def sanitised(html: str) -> Sanitised:
    """The HTML as a fragment for a mail; call :func:`can_sanitise` first."""
    result = Sanitised("")
    html = _inlined(with_values(opened_by_state(html)), result)
    pictures: dict[str, Picture] = {}

    def attribute(_tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return _style(value)
        if name == "href":
            return value if _LINK.match(value) else None
        if name != "src":
            return value
        picture = _picture(value)
        if picture is None:
            # Told below, with those that the parser has left without any; one on the web becomes a link.
            return f"https:{value.strip()}" if value.strip().startswith("//") else value if _WEB.match(value) else None
        pictures[picture.cid] = picture
        return f"cid:{picture.cid}"

    html = module("nh3").clean(
        html,
        tags=_TAGS,
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        # Links and images are judged above, one by one.
        url_schemes={"http", "https", "mailto", "tel", "data", "cid"},
        link_rel=None,
        set_tag_attribute_values={"details": {"open": "open"}},
    )
    result.html = _IMG.sub(lambda found: _shown(found, pictures, result.warnings), without_hidden(html)).strip()
    result.pictures = tuple(pictures.values())
    result.warnings = list(dict.fromkeys(result.warnings))
    return result


def _inlined(html: str, result: Sanitised) -> str:
    if not _STYLE.search(html):
        return html
    inliner = module("css_inline")
    if inliner is None:
        result.warnings.append(f"The styles of the HTML are not sent: css-inline is not installed. {install('report')}")
        return html
    try:
        # load_remote_stylesheets: a link to a style sheet would be fetched from the network, or read from the disk.
        text: str = inliner.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False).inline(html)
    except (inliner.InlineError, ValueError) as error:
        result.warnings.append(f"The styles of the HTML are not sent: they cannot be read ({error}).")
        return html
    return text


@lru_cache(1024)  # the cells of a table have few looks
def _style(value: str) -> str | None:
    kept = []
    for declaration in value.split(";"):
        name, colon, said = declaration.partition(":")
        name, said = name.strip().lower(), said.strip()
        if colon and name in _PROPERTIES and said and not _UNSAFE_VALUE.search(said):
            if name == "margin" or name.startswith("margin-"):
                said = said.replace("-", "")
            kept.append(f"{name}:{said}")
    return ";".join(kept) or None


def _picture(source: str) -> Picture | None:
    found = _DATA.match(source.strip())
    if found is None:
        return None
    try:
        data = base64.b64decode(re.sub(r"\s+", "", source.strip()[found.end() :]), validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = image_type(data)
    return Picture(data, "Image", kind) if kind else None


def _shown(found: re.Match[str], pictures: dict[str, Picture], warnings: list[str]) -> str:
    """An image tag with its size and alternative text; one that is elsewhere is a link, or its alternative text."""
    attributes = found.group(1)
    alt = _ALT.search(attributes)
    source = _SRC.search(attributes)
    if source is None or source.group(1).removeprefix("cid:") not in pictures:
        warnings.append("An image of the HTML is not sent: only those inside it (data:) are.")
        said = unescape(alt.group(1)).strip() if alt else ""
        if source is None:
            return f"[{escape(said or 'an image that is not in this message')}]"
        address = unescape(source.group(1)).strip()
        return f'<a href="{escape(address)}">{escape(f"[{said}]" if said else address)}</a>'
    if alt is None:
        attributes += ' alt="Image"'
    given = _STYLED.search(attributes)
    said = f"{given[1]};" if given and given[1] else ""
    if not _SIZED.search(attributes) and not _SIZED_BY_STYLE.search(said):
        looks = fitted(pictures[source.group(1).removeprefix("cid:")].size, said)
        return f"<img{_STYLED.sub('', attributes)}{looks}>"
    # As its author wants it, but for what is wider than the pane. Outlook takes the width of the attribute.
    wide = _WIDTH.search(said)
    if wide and ' width="' not in attributes:
        attributes += f' width="{wide[1]}"'
    if "max-width:" not in said:
        said += "max-width:100%;"
    if ' width="' in attributes and "height:" not in said:
        said += "height:auto;"
    return f'<img{_STYLED.sub("", attributes)} style="{said.rstrip(";")}">'
