"""HTML from elsewhere as a part of a message: the author's own, or what an object says of itself."""

from __future__ import annotations

from typing import Any

from ...errors import MessageError
from ...extras import install
from .html.plain_text import plain_text
from .html.sanitise import acts, can_sanitise, sanitised
from .html.still import Still, still
from .part import File, Options, Part

__all__ = ["interactive", "part_of_html", "render_html"]


def render_html(html: Any, _options: Options) -> Part:
    """HTML that the author gave: sanitised, or, without the extra that can, an error rather than a loss."""
    if not can_sanitise():
        raise MessageError(
            "HTML cannot be sent: the package nh3, which removes what mail must not contain, is not installed.",
            hint=install("report"),
        )
    return part_of_html(still(str(html)))


def part_of_html(page: Still, *, attached: bool = False) -> Part:
    """The sanitised HTML and its plain text; ``attached``: the whole page is too, so that no script of it is lost."""
    result = sanitised(page.html)
    warnings = [*page.warnings, *result.warnings]
    if acts(page.html) and not attached:
        warnings.append("Scripts, frames and drawings of the HTML are not sent: mail programs do not run them.")
    return Part(plain_text(result.html), result.html, result.pictures, warnings=tuple(dict.fromkeys(warnings)))


def interactive(html: str, name: str, options: Options) -> tuple[File, str]:
    """The page itself as an attachment, for what needs scripts, and the sentence that tells the reader."""
    file = File(options.own_name(f"{name}.html"), html.encode(errors="replace"), "text/html")
    return file, f"The interactive version is attached: open {file.name} in a browser."
