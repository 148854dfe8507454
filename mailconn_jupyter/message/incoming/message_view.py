"""A message for a person, as HTML in which nothing of it can act: its headers, its body, its attachments.

What a message says is escaped. Its HTML body stands in a frame that may do nothing (``sandbox=""``), under a policy
that loads nothing (Content-Security-Policy), so it neither runs scripts nor tells its sender that it was opened.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Final

from ...formatting import cut, escape, how_large, prose
from ..page import POLICY
from .parsed import Attachment, ParsedMessage
from .references import REFERENCE, reference

__all__ = ["FAINT", "MOST_CHARACTERS", "RULE", "message_html", "note"]

#: An output is saved in the notebook: what is larger is told of, not shown.
MOST_CHARACTERS: Final = 1_000_000
_MOST_PARTS: Final = 50

# A mail is dark on light, whatever the notebook's theme: senders write it so. Links would open a window, which the
# frame may not, so that none leads away.
_HEAD: Final = (
    f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    '<base target="_blank"><style>html{color-scheme:light;background:#fff;color:#1b1b1b}'
    "body{margin:10px 12px;font:14px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%}</style>"
    "</head><body>"
)
# What the policy does not rule: links that look up hosts, refreshes, another base, and drawings and formulas, whose links
# heed no base and open in the frame. Unknown elements do nothing.
_UNRULED: Final = re.compile(r"<(?=(?:link|meta|base|svg|math)[\s/>])", re.IGNORECASE)
# A link that names its own frame as its target would open in it. As the name of an attribute a character reference is only
# some letters; everywhere else it is read as the letter.
_TARGET: Final = re.compile("t(?=arget)", re.IGNORECASE)
# What is left of a character reference that was cut.
_CUT_REFERENCE: Final = re.compile(r"&[^;]{0,6}\Z")
_PICTURE: Final = re.compile(r"image/[a-z0-9.+-]+")

#: A line and a lesser text in the notebook's own colours, light or dark.
RULE: Final = "1px solid var(--jp-border-color2, rgba(128,128,128,.45))"
FAINT: Final = "color:var(--jp-ui-font-color2, inherit)"


def message_html(message: ParsedMessage, rows: Iterable[tuple[str, str]], *, most: int = MOST_CHARACTERS) -> str:
    """The message under ``rows`` of names and texts, in about ``most`` characters."""
    headers = "".join(
        f'<div><span style="display:inline-block;min-width:5.5em;{FAINT}">{prose(name)}</span>'
        f"<bdi>{prose(cut(text, 1000))}</bdi></div>"
        for name, text in rows
    )
    return (
        f'<div style="border:{RULE};border-radius:4px;margin:.4em 0;text-align:left;overflow:hidden">'
        f'<div style="padding:.6em .8em;overflow-wrap:anywhere">{headers}</div>'
        f"{_secured(message)}{_body(message, most)}{_attachments(message.attachments)}</div>"
    )


def _secured(message: ParsedMessage) -> str:
    """What the message says of its own safety, which nobody has checked here."""
    return note(message.secured) if message.secured else ""


def _body(message: ParsedMessage, most: int) -> str:
    parts = []
    if message.html:
        parts.append(_frame(message, most))
    # Not the text of the HTML, where that is all there is.
    if message.parts.text:
        page = _plain(message.parts.text, most - sum(map(len, parts)))
        if message.html:
            page = f'<details><summary style="cursor:pointer;padding:.4em .8em">Plain text</summary>{page}</details>'
        parts.append(f'<div style="border-top:{RULE}">{page}</div>')
    return "".join(parts) or note("The message has no text.")


def _plain(text: str, most: int) -> str:
    text = text.rstrip()
    limit = max(most // 2, 0)
    # A character of the text may take six of the page.
    shown = escape(text[:limit])
    said = note(f"Cut: the text has {len(text)} characters.") if len(text) > limit or len(shown) > limit else ""
    shown = shown if len(shown) <= limit else _CUT_REFERENCE.sub("", shown[:limit])
    return (
        f'<pre style="margin:0;padding:.6em .8em;white-space:pre-wrap;overflow-wrap:anywhere;'
        f'max-height:30em;overflow:auto">{shown}</pre>{said}'
    )


def _frame(message: ParsedMessage, most: int) -> str:
    html = message.html or ""
    page = _page(html)
    shown = escape(page)
    if len(shown) > most:
        return note(f"The HTML text is too large to be shown here ({len(html)} characters).")
    pictures = {
        reference(part.content_id): part
        for part in message.attachments
        if part.inline and _PICTURE.fullmatch(part.content_type)
    }
    # Each place where a picture is shown has all of it.
    places = [pictures[key] for found in REFERENCE.finditer(page) if (key := reference(found[1])) in pictures]
    said = ""
    if len(shown) + sum(len(part.data) for part in places) * 4 // 3 > most:
        said = note("Its pictures are too large to be shown here.")
    elif places:
        encoded = {key: _as_url(part) for key, part in pictures.items()}
        shown = escape(REFERENCE.sub(lambda found: encoded.get(reference(found[1]), found[0]), page))
    title = escape(cut(message.subject) or "(no subject)")
    return (
        f'<div style="height:{_height(html)}px;resize:vertical;overflow:hidden;border-top:{RULE};background:#fff">'
        f'<iframe sandbox="" referrerpolicy="no-referrer" title="{title}" '
        f'style="width:100%;height:100%;border:0;display:block;color-scheme:light" srcdoc="{shown}"></iframe>'
        f"</div>{said}"
    )


def _page(html: str) -> str:
    """The HTML in a page of its own, without what the policy does not rule."""
    return _HEAD + _TARGET.sub(lambda found: f"&#{ord(found[0])};", _UNRULED.sub("<x-", html))


def _as_url(part: Attachment) -> str:
    return f"data:{part.content_type};base64,{base64.b64encode(part.data).decode()}"


def _height(html: str) -> int:
    """About how high the page is, in pixels: a frame that may run nothing cannot tell. A person can drag it."""
    text = len(" ".join(re.sub(r"<[^<>]*>", "", html).split()))
    blocks = len(re.findall(r"<(?:p|br|tr|li|div|h[1-6]|hr|table)\b", html, re.IGNORECASE))
    pictures = [re.search(r"\bheight=\"?(\d{1,4})", tag) for tag in re.findall(r"<img\b[^<>]*", html, re.IGNORECASE)]
    drawn = sum(int(found.group(1)) if found else 120 for found in pictures)
    return min(max(40 + text // 90 * 20 + blocks * 24 + drawn, 110), 480)


def _attachments(attachments: Sequence[Attachment]) -> str:
    if not attachments:
        return ""
    lines = "".join(
        f"<li><bdi>{prose(cut(part.name))}</bdi> ({prose(part.content_type)}, {how_large(len(part.data))}"
        f"{', shown in the text' if part.inline else ''})</li>"
        for part in attachments[:_MOST_PARTS]
    )
    more = f"<li>and {len(attachments) - _MOST_PARTS} more</li>" if len(attachments) > _MOST_PARTS else ""
    return (
        f'<div style="border-top:{RULE};padding:.6em .8em;overflow-wrap:anywhere">Attachments'
        f'<ul style="margin:.2em 0 0 1.4em;padding:0">{lines}{more}</ul></div>'
    )


def note(text: str) -> str:
    """A line below the message."""
    return f'<p style="margin:0;padding:.6em .8em;border-top:{RULE};{FAINT}">{prose(text)}</p>'
