"""A message as it will arrive, shown in the notebook before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ..formatting import columns, how_large
from ..message.incoming.message_view import FAINT, MOST_CHARACTERS, message_html
from ..message.incoming.parsed import Attachment, ParsedMessage
from ..message.mime.wire_format import as_bytes
from .report import SendReport

__all__ = ["Preview"]


class Preview:
    """What would be sent: recipients, size, attachments, and the text in a frame in which nothing can act.

    It is read from the bytes that would travel, as the reader's mail program reads them.
    """

    def __init__(self, report: SendReport) -> None:
        self.report = report

    @cached_property
    def message(self) -> ParsedMessage:
        """The message after the wire."""
        return ParsedMessage(as_bytes(self.report.message, utf8=False, eight_bit=True))

    def rows(self) -> Iterator[tuple[str, str]]:
        """What is to be known of it beside its text."""
        for name in ("From", "To", "Cc"):
            if said := self.message.header(name):
                yield name, said
        if hidden := str(self.report.message["Bcc"] or ""):
            yield "Bcc", f"{hidden} (nobody sees it)"
        yield "Subject", self.message.subject
        count = len(self.report.outcomes)
        yield "Size", f"{how_large(self.report.size)}, to {count} {'recipient' if count == 1 else 'recipients'}"

    def __repr__(self) -> str:
        rows = [
            *self.rows(),
            *(("Attached", f"{part.name} ({how_large(len(part.data))})") for part in self._attached()),
        ]
        return f"A preview; nothing was sent.\n{columns(rows)}\n\n{self.message.text.rstrip()}"

    def _attached(self) -> Iterator[Attachment]:
        return iter(part for part in self.message.attachments if not part.inline)

    def _repr_html_(self) -> str:
        return (
            f'<p style="margin:.4em 0;{FAINT}">A preview; nothing was sent.</p>'
            f"{message_html(self.message, self.rows(), most=MOST_CHARACTERS)}"
        )
