"""A message as a page, the way that a mail program opens it."""

from __future__ import annotations

import base64
from email.message import EmailMessage

from tests.support.composed import html_of

__all__ = ["page_of"]


def page_of(message: EmailMessage) -> str:
    """The message's HTML with its images in it, as a mail program puts them there."""
    html = html_of(message)
    for part in message.walk():
        if identity := str(part["Content-ID"] or "").strip("<>"):
            data = base64.b64encode(part.get_content()).decode()
            html = html.replace(f'"cid:{identity}"', f'"data:{part.get_content_type()};base64,{data}"')
    return html
