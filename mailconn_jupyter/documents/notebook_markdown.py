"""The Markdown of a notebook: its headings, and the images that a cell carries along."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote

from ..message.block_elements import out_of_paragraphs
from ..message.render import Markdown, Part, Picture, render
from ..message.render.image.dimensions import image_type
from ..message.render.plots.figures import picture_part
from ..message.texts import one_line

__all__ = ["headings", "shown_markdown"]

# A block of code, backticks, or ![words](attachment:name.png "title"). Nothing of it is read more than once, however
# many of them begin and do not end.
_PIECE: Final = re.compile(
    r"^(?P<fence>```++(?![^`\n]*+`)|~~~++).*?(?:^(?P=fence)|\Z)|(?P<ticks>`++)"
    r'|!\[(?P<alt>[^\[\]]*+)\]\(\s*+<?attachment:(?P<name>[^\s<>()\[\]"]++)>?(?:\s++"[^"]*+")?\s*+\)',
    re.MULTILINE | re.DOTALL,
)
# Backticks, or where the text ends that a code span may stand in: a block of code, an empty line.
_SPAN_OR_END: Final = re.compile(r"(?P<end>^(?:```++(?![^`\n]*+`)|~~~++)|\n[ \t]*+(?=\n))|`++", re.MULTILINE)


def headings(source: str) -> Iterator[tuple[int, str]]:
    """Level and words of each heading, without markup, images and HTML; where no Markdown library is, of the ``#`` ones."""
    try:
        reader = import_module("markdown_it").MarkdownIt("commonmark").enable("strikethrough")
    except ImportError:
        for marks, words in re.findall(r"^(#{1,6}) (.+)", source, re.MULTILINE):
            yield len(marks), re.sub(r"[*`]|\s#+$", "", words)
        return
    tokens = reader.parse(source)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and (words := "".join(_words(inline.children)).strip()):
            yield int(token.tag[1:]), words


def _words(tokens: Any) -> Iterator[str]:
    for token in tokens:
        if token.type in {"text", "text_special", "code_inline"}:
            yield token.content
        elif token.type in {"softbreak", "hardbreak"} or token.content.startswith("<br"):
            yield " "


def shown_markdown(cell: Any) -> Any:
    """The cell's text as content; the images that it carries stand where the text has them."""
    carried: Mapping[str, Any] = cell.get("attachments") or {}
    mark = f"image{secrets.token_hex(8)}x"
    pictures: list[Picture] = []

    def marked(found: re.Match[str]) -> str:
        picture = _picture(carried, found)
        if picture is None:
            return found[0]
        pictures.append(picture)
        return f"{mark}{len(pictures) - 1}z"

    # The text is rendered with marks in the places of the images: no image has to go through a parser of Markdown.
    source = _with_images(cell.source, marked) if carried else cell.source
    if not pictures:
        return Markdown(cell.source)
    part = render(Markdown(source))
    text, html = part.text, part.html
    if html is not None:
        html = out_of_paragraphs(html, re.compile(rf"{mark}\d+z"))
    for number, picture in enumerate(pictures):
        image = picture_part(picture)
        text = text.replace(f"{mark}{number}z", image.text)
        html = html.replace(f"{mark}{number}z", image.html or "") if html is not None else None
    return Part(text, html, (*part.pictures, *(pictures if html is not None else ())), part.files, part.warnings)


def _with_images(source: str, marked: Callable[[re.Match[str]], str]) -> str:
    """The text with what ``marked`` gives for each image, but for those that stand in code."""
    closed = _code_spans(source)
    pieces: list[str] = []
    done = place = 0
    while found := _PIECE.search(source, place):
        place = found.end()
        if found["ticks"]:
            place = closed.get(found.start(), place)
        elif found["name"]:
            pieces += source[done : found.start()], marked(found)
            done = place
    return "".join((*pieces, source[done:]))


def _code_spans(source: str) -> dict[int, int]:
    """Where each run of backticks that begins a code span is, and where that span ends."""
    closed: dict[int, int] = {}
    later: dict[int, int] = {}
    for found in reversed(list(_SPAN_OR_END.finditer(source))):
        if found["end"]:
            later.clear()
            continue
        length = len(found[0])
        if length in later:
            closed[found.start()] = later[length]
        later[length] = found.end()
    return closed


def _picture(carried: Mapping[str, Any], found: re.Match[str]) -> Picture | None:
    """The image of that name, if a mail program can show it."""
    for name in (found["name"], unquote(found["name"])):
        for data in dict(carried.get(name) or {}).values():
            try:
                image = base64.b64decode("".join(data))
            except (binascii.Error, ValueError, TypeError):
                continue
            if kind := image_type(image):
                return Picture(image, one_line(found["alt"], 250) or "Image", kind)
    return None
