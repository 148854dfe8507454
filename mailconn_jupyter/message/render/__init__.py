"""From a result to what a mail program can show: one renderer a kind, found by the object's type.

:func:`register` adds a renderer of one's own. No library is imported for this but the one that an object came from.
"""

from __future__ import annotations

from .part import File, Options, Part, Picture
from .registry import register, render, unregister
from .words import HTML, Markdown, MimeBundle, Preformatted

__all__ = [
    "HTML",
    "File",
    "Markdown",
    "MimeBundle",
    "Options",
    "Part",
    "Picture",
    "Preformatted",
    "register",
    "render",
    "unregister",
]
