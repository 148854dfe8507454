"""Words: plain text, text in columns, and the marks by which a text is told to be Markdown, HTML or a cell's output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from ...formatting import how_large
from ..texts import clean, from_right, html_text, mended
from .part import File, Options, Part

__all__ = ["HTML", "Markdown", "MimeBundle", "Preformatted", "paragraphs", "preformatted", "render_text"]

#: The styles that stand in more than one renderer. Dark text always with its light ground: programs with a dark mode
#: turn both or neither.
PARAGRAPH: Final = "margin:0 0 12px"
# Outlook pads cells alone, and scrolls nothing: a line that is too long goes on in the next one.
_BOX: Final = (
    f'<div style="{PARAGRAPH}"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
    '<td bgcolor="#f5f6f8" style="padding:10px 12px;border:1px solid #dcdfe4"><pre style="margin:0;color:#1b1b1b;'
    "background:#f5f6f8;font:12px/1.45 Menlo,Consolas,'Courier New',monospace;white-space:pre-wrap;"
    'word-break:break-word">{text}</pre></td></tr></table></div>'
)
NOTE: Final = "margin:0 0 12px;color:#595f69;font-size:12px"

#: Characters of a text that are shown at most, and of a printed one at least, however little room is left.
_MOST: Final = 40_000
_LEAST: Final = 2_000


class Markdown(str):
    """A text in Markdown. It is shown formatted, in the message and in a notebook."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


class HTML(str):
    """A text in HTML. It is sanitised: styles are inlined, scripts, forms and remote images are not sent."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


class Preformatted(str):
    """A text whose columns matter, such as what a cell printed: in a fixed-width font, terminal colours taken out."""

    __slots__ = ()


@dataclass(frozen=True)
class MimeBundle:
    """One output of a cell as Jupyter keeps it: the same thing in several MIME types, with metadata for some."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: What the object is called where it cannot be shown.
    name: str = "output"
    #: Whether it may be from anywhere: who sends it is told of what acts in it.
    loose: bool = False

    def text(self, kind: str) -> str:
        """One of its forms as a text, empty where it is not there; a notebook on disk keeps it as a list of lines."""
        said = self.data.get(kind)
        if isinstance(said, str):
            return said
        if isinstance(said, bytes):
            return said.decode(errors="replace")
        return "".join(map(str, said)) if isinstance(said, list) else str(said or "")


def paragraphs(text: str) -> str:
    """Plain text as HTML: an empty line parts two paragraphs, lines and runs of spaces stay."""
    pieces = [piece.strip("\n") for piece in mended(text).split("\n\n")]
    # Said, and not left to dir=auto, which not all mail programs know.
    return "\n".join(
        f'<p{" dir=rtl" if from_right(piece) else ""} style="{PARAGRAPH}">{html_text(piece)}</p>'
        for piece in pieces
        if piece
    )


def preformatted(text: str) -> str:
    """The text in a box, in a fixed-width font."""
    return _BOX.replace("{text}", escape(clean(text)))


def note(text: str) -> str:
    """A small line from us to the reader."""
    return f'<p style="{NOTE}">{escape(text)}</p>'


def render_text(text: str, options: Options) -> Part:
    """A text goes as it is; it asks for no HTML of its own."""
    text = clean(str(text))
    if len(text) <= _MOST:
        return Part(text)
    shown, more, file = _cut(text, options, _MOST)
    return Part(f"{shown}\n{more}", f"{paragraphs(shown)}\n{note(more)}", files=(file,))


def render_preformatted(text: str, options: Options) -> Part:
    text = clean(str(text)).strip("\n")
    most = max(min(_MOST, options.room), _LEAST)
    if len(text) <= most:
        return Part(text, preformatted(text))
    shown, more, file = _cut(text, options, most)
    return Part(f"{shown}\n{more}", f"{preformatted(shown)}\n{note(more)}", files=(file,))


def _cut(text: str, options: Options, most: int) -> tuple[str, str, File]:
    """The beginning of a text that is too long to be read in a mail, what to say of the rest, and the whole of it."""
    shown = text[:most].rpartition("\n")[0] or text[:most]
    data = text.encode()
    name = options.own_name("text.txt")
    return shown, f"... cut here; the whole text ({how_large(len(data))}) is in {name}.", File(name, data, "text/plain")
