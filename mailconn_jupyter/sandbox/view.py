"""An inbox and its messages for a person: as text, and as HTML in which nothing of a message can act.

What a message says is escaped. Its HTML body stands in a frame that may do nothing (``sandbox=""``), under a policy
that loads nothing (Content-Security-Policy), so it neither runs scripts nor tells its sender that it was opened.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import unquote

from ..markup import columns, table
from .received import Attachment, Received, one_line

__all__ = ["inbox_html", "inbox_text", "received_html"]

_MOST_ROWS: Final = 50
_MOST_OPENED: Final = 10
# An output is saved in the notebook: what is larger is told of, not shown.
_MOST_CHARACTERS: Final = 1_000_000
_MOST_LINE: Final = 120

_POLICY: Final = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
)
# A mail is dark on light, whatever the notebook's theme: senders write it so. Links would open a window, which the
# frame may not, so that none leads away.
_HEAD: Final = (
    f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    '<base target="_blank"><style>html{color-scheme:light;background:#fff;color:#1b1b1b}'
    "body{margin:10px 12px;font:14px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%}</style>"
    "</head><body>"
)
# What the policy does not rule: links that look up hosts, refreshes, and another base. Unknown elements do nothing.
_UNRULED: Final = re.compile(r"<(?=(?:link|meta|base)[\s/>])", re.IGNORECASE)
_CID: Final = re.compile(r"""(?<=["'=(\s])cid:([^"'\s<>)]+)""", re.IGNORECASE)
_PICTURE: Final = re.compile(r"image/[a-z0-9.+-]+")

_RULE: Final = "1px solid var(--jp-border-color2, rgba(128,128,128,.45))"
_FAINT: Final = "color:var(--jp-ui-font-color2, inherit)"


def inbox_text(messages: Sequence[Received]) -> str:
    """The list as text."""
    if not messages:
        return "Inbox: nothing has arrived yet."
    return f"Inbox: {_count(len(messages))}\n{columns(_rows(messages), header=_COLUMNS)}{_older(messages)}"


def inbox_html(messages: Sequence[Received]) -> str:
    """The list, and the newest messages to open; the newest is open."""
    if not messages:
        return f"<p>{inbox_text(messages)}</p>"
    shown = [table(_rows(messages), header=_COLUMNS, caption=f"Inbox: {_count(len(messages))}")]
    if older := _older(messages):
        shown.append(f'<p style="{_FAINT}">{escape(older.strip())}</p>')
    left = _MOST_CHARACTERS
    for index in range(len(messages) - 1, max(len(messages) - _MOST_OPENED, 0) - 1, -1):
        page = received_html(messages[index], most=left)
        left -= len(page)
        opened = " open" if index == len(messages) - 1 else ""
        title = f"{index}: {_subject(messages[index])}"
        shown.append(
            f'<details{opened} style="margin:.5em 0"><summary style="cursor:pointer">{escape(title)}</summary>'
            f"{page}</details>"
        )
        if left <= 0:
            break
    return "".join(shown)


def received_html(received: Received, most: int = _MOST_CHARACTERS) -> str:
    """One message: headers, body and attachments, in about ``most`` characters."""
    rows = [(name, received.header(name)) for name in ("From", "To", "Cc", "Subject", "Date")]
    envelope = f"{one_line(received.sender)} to {one_line(', '.join(received.recipients))}"
    rows = [*((name, _cut(text, 1000)) for name, text in rows if text), ("Envelope", _cut(envelope, 1000))]
    headers = "".join(
        f'<div><span style="display:inline-block;min-width:5.5em;{_FAINT}">{escape(name)}</span>'
        f"<bdi>{escape(text)}</bdi></div>"
        for name, text in rows
    )
    return (
        f'<div style="border:{_RULE};border-radius:4px;margin:.4em 0;text-align:left;overflow:hidden">'
        f'<div style="padding:.6em .8em;overflow-wrap:anywhere">{headers}</div>'
        f"{_body(received, most)}{_attachments(received.attachments)}</div>"
    )


_COLUMNS: Final = ("Index", "From", "To", "Subject", "Arrived")


def _rows(messages: Sequence[Received]) -> list[tuple[str, str, str, str, str]]:
    first = max(len(messages) - _MOST_ROWS, 0)
    return [
        (
            str(index),
            _cut(received.header("From") or one_line(received.sender)),
            _cut(_recipients(received.recipients)),
            _subject(received),
            f"{received.arrived:%H:%M:%S}",
        )
        for index, received in enumerate(messages[first:], first)
    ]


def _older(messages: Sequence[Received]) -> str:
    count = len(messages) - _MOST_ROWS
    return f"\nBefore these: {_count(count)}, inbox[0] to inbox[{count - 1}]." if count > 0 else ""


def _recipients(recipients: Sequence[str]) -> str:
    more = f" and {len(recipients) - 3} more" if len(recipients) > 3 else ""
    return f"{one_line(', '.join(recipients[:3]))}{more}"


def _subject(received: Received) -> str:
    return _cut(received.subject) or "(no subject)"


def _body(received: Received, most: int) -> str:
    parts = []
    if received.html is not None:
        parts.append(_frame(received, most))
    if received.text is not None:
        page = _plain(received.text, most)
        if received.html is not None:
            page = f'<details><summary style="cursor:pointer;padding:.4em .8em">Plain text</summary>{page}</details>'
        parts.append(f'<div style="border-top:{_RULE}">{page}</div>')
    return "".join(parts) or _note("The message has no text.")


def _plain(text: str, most: int) -> str:
    text = text.rstrip()
    cut = _note(f"Cut: the text has {len(text)} characters.") if len(text) > most // 2 else ""
    return (
        f'<pre style="margin:0;padding:.6em .8em;white-space:pre-wrap;overflow-wrap:anywhere;'
        f'max-height:30em;overflow:auto">{escape(text[: max(most // 2, 0)])}</pre>{cut}'
    )


def _frame(received: Received, most: int) -> str:
    html = received.html or ""
    pictures = {
        part.content_id: part for part in received.attachments if part.inline and _PICTURE.fullmatch(part.content_type)
    }
    note = ""
    if len(html) + sum(len(part.data) for part in pictures.values()) * 4 // 3 > most:
        pictures = {}
        note = _note("Its pictures are too large to be shown here.")
    if len(html) > most:
        return _note(f"The HTML text is too large to be shown here ({len(html)} characters).")
    page = _HEAD + _UNRULED.sub("<x-", _CID.sub(lambda found: _picture(pictures, found), html))
    return (
        f'<div style="height:{_height(html)}px;resize:vertical;overflow:hidden;border-top:{_RULE};background:#fff">'
        f'<iframe sandbox="" referrerpolicy="no-referrer" title="{escape(_subject(received))}" '
        f'style="width:100%;height:100%;border:0;display:block;color-scheme:light" srcdoc="{escape(page)}"></iframe>'
        f"</div>{note}"
    )


def _picture(pictures: dict[str, Attachment], found: re.Match[str]) -> str:
    part = pictures.get(found.group(1)) or pictures.get(unquote(found.group(1)))
    return found.group() if part is None else f"data:{part.content_type};base64,{base64.b64encode(part.data).decode()}"


def _height(html: str) -> int:
    """About how high the page is, in pixels: a frame that may run nothing cannot tell. A person can drag it."""
    text = len(" ".join(re.sub(r"<[^<>]*>", "", html).split()))
    blocks = len(re.findall(r"<(?:p|br|tr|li|div|h[1-6]|hr|table)\b", html, re.IGNORECASE))
    pictures = len(re.findall(r"<img\b", html, re.IGNORECASE))
    return min(max(40 + text // 90 * 20 + blocks * 24 + pictures * 120, 110), 480)


def _attachments(attachments: Sequence[Attachment]) -> str:
    if not attachments:
        return ""
    lines = "".join(
        f"<li><bdi>{escape(_cut(part.name))}</bdi> ({escape(part.content_type)}, {_size(len(part.data))}"
        f"{', shown in the text' if part.inline else ''})</li>"
        for part in attachments[:_MOST_ROWS]
    )
    more = f"<li>and {len(attachments) - _MOST_ROWS} more</li>" if len(attachments) > _MOST_ROWS else ""
    return (
        f'<div style="border-top:{_RULE};padding:.6em .8em;overflow-wrap:anywhere">Attachments'
        f'<ul style="margin:.2em 0 0 1.4em;padding:0">{lines}{more}</ul></div>'
    )


def _note(text: str) -> str:
    return f'<p style="margin:0;padding:.6em .8em;border-top:{_RULE};{_FAINT}">{escape(text)}</p>'


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _count(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _cut(text: str, most: int = _MOST_LINE) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
