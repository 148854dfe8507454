"""Markdown as HTML with its styles inline; without a Markdown library the text goes as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import Any, Final

from ...extras import install
from ..texts import clean, from_right, mended
from .part import Options, Part
from .table.grid import HEAD, TABLE, ZEBRA
from .words import PARAGRAPH, preformatted

__all__ = ["render_markdown"]

_STYLES: Final = {
    "paragraph_open": PARAGRAPH,
    # Outlook moves a list by its margin, the others by either.
    "bullet_list_open": "margin:0 0 12px 24px;padding:0",
    "ordered_list_open": "margin:0 0 12px 24px;padding:0",
    "code_inline": "font-family:Menlo,Consolas,monospace;font-size:12px;background:#f0f1f4;color:#1b1b1b",
    "link_open": "color:#0b57d0",
}
#: What stands in place of a tag: Outlook draws lines and keeps distances at cells alone.
_TAGS: Final = {
    "blockquote_open": f'<blockquote style="{PARAGRAPH}"><table role="presentation" cellpadding="0" cellspacing="0" border="0">'
    '<tr><td style="padding:0 0 0 12px;border-left:3px solid #cfd5dd;color:#4a505a;background:#ffffff">\n',
    "blockquote_close": "</td></tr></table></blockquote>\n",
    "table_open": f'<div style="{PARAGRAPH}">{TABLE}\n',
    "table_close": "</table></div>\n",
}
#: What follows the last paragraph of a quotation.
_QUOTED: Final = ["blockquote_close"]
#: What can be read from the right.
_BLOCKS: Final = frozenset(
    ["paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "th_open", "td_open"]
)
_SIZES: Final = {"h1": 22, "h2": 18, "h3": 16, "h4": 14, "h5": 14, "h6": 14}


def render_markdown(text: Any, _options: Options) -> Part:
    """CommonMark with tables. HTML inside it is shown, not obeyed; images are named, not loaded."""
    source = mended(str(text)).strip("\n")
    try:
        library = import_module("markdown_it")
    except ImportError:
        return Part(
            source,
            warnings=(f"Markdown is sent as plain text: markdown-it-py is not installed. {install('report')}",),
        )
    reader = library.MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = reader.parse(clean(source))
    warnings: list[str] = []
    if not source.isascii():
        _turned(tokens)
    _styled(tokens, warnings)
    html: str = reader.renderer.render(tokens, reader.options, {})
    return Part(source, html.strip(), warnings=tuple(dict.fromkeys(warnings)))


def _turned(tokens: Sequence[Any]) -> None:
    """Say of each block whose first text is read from the right that it is."""
    said = ""
    for token in reversed(tokens):
        if token.type == "inline":
            said = token.content
        elif token.type in _BLOCKS and from_right(said):
            token.attrSet("dir", "rtl")


def _styled(tokens: Sequence[Any], warnings: list[str]) -> None:
    row = 0
    for number, token in enumerate(tokens):
        if token.type == "paragraph_open" and [end.type for end in tokens[number + 3 : number + 4]] == _QUOTED:
            token.attrSet("style", "margin:0")  # or the line beside it would be longer than the text
        elif token.type in _STYLES:
            style = _STYLES[token.type]
            token.attrSet("style", style.replace("0 0 12px 24px", "0 24px 12px 0") if token.attrGet("dir") else style)
        elif token.type == "heading_open":
            token.attrSet("style", f"margin:4px 0 8px;font-size:{_SIZES[token.tag]}px;line-height:1.3")
        elif token.type in {"fence", "code_block"}:
            # A renderer of its own would put the style on the code, inside the box.
            token.type, token.content = "html_block", f"{preformatted(token.content.rstrip())}\n"
        elif token.type in _TAGS:
            token.type, token.content = "html_block", _TAGS[token.type]
        elif token.type == "image":
            warnings.append("An image of the Markdown is not sent: attach it, or pass it as content.")
            source = str(token.attrGet("src") or "")
            if source.startswith(("http://", "https://")):
                said = (
                    f'<a href="{escape(source)}" style="{_STYLES["link_open"]}">[{escape(token.content or source)}]</a>'
                )
                token.type, token.content = "html_inline", said
            else:
                token.type, token.content = "text", f"[{token.content}]"
        elif token.type == "thead_open":
            row = -1
        elif token.type == "tr_open":
            if ground := HEAD if row < 0 else ZEBRA if row % 2 else "":
                token.attrSet("bgcolor", ground)
            row += 1
        elif token.type == "th_open" and not token.attrGet("style"):
            token.attrSet("align", "left")
        if token.children:
            _styled(token.children, warnings)
