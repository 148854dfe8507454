"""A message that a cell ends with: shown as it will arrive, where it would be its class and its address in memory."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from ..delivery.preview import preview
from ..errors import MailConnError

__all__ = ["html", "text"]


def html(message: EmailMessage) -> str | None:
    """For a notebook; None for what is no mail to anybody, which is shown as ever."""
    try:
        return preview(message)._repr_html_()  # as IPython asks for it
    except MailConnError:
        return None


def text(message: EmailMessage, printer: Any, _cycle: bool) -> None:
    """For a terminal."""
    try:
        shown = repr(preview(message))
    except MailConnError:
        shown = object.__repr__(message)
    printer.text(shown)
