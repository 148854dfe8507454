"""``preview()``: a message as it will arrive, shown before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage, Message
from functools import cached_property

from ..errors import MessageError
from ..formatting import columns, counted, how_large
from ..keywords import public
from ..message.incoming.message_view import FAINT, MOST_CHARACTERS, message_html
from ..message.incoming.parsed import Attachment, ParsedMessage
from ..message.mime.wire_format import as_bytes
from ..message.texts import one_line
from ..session.smtp.envelope import envelope_of

__all__ = ["Preview", "preview"]


@public
def preview(message: EmailMessage) -> Preview:
    """The message of :func:`~mailconn_jupyter.message.compose.compose` as it will arrive; nothing is opened or sent.

    Leave it in a cell to see it, as ``%mailconn send --preview`` shows it; elsewhere it prints as text. Raises
    :class:`~mailconn_jupyter.errors.MessageError` for what is no message.
    """
    if not isinstance(message, Message):
        raise MessageError(
            f"preview() shows a message, not {one_line(type(message).__name__)}.",
            hint='compose("ana@example.org", ...) makes one, and a SendReport has it as .message.',
        )
    return Preview(message)


class Preview:
    """What would be sent: recipients, size, attachments, and the text in a frame in which nothing can act.

    It is read from the bytes that would travel, as the reader's mail program reads them.
    """

    def __init__(self, message: EmailMessage) -> None:
        self._sent = message

    @cached_property
    def message(self) -> ParsedMessage:
        """The message after the wire."""
        return ParsedMessage(as_bytes(self._sent, utf8=False, eight_bit=True))

    def rows(self) -> Iterator[tuple[str, str]]:
        """What is to be known of it beside its text."""
        for name in ("From", "To", "Cc"):
            if said := self.message.header(name):
                yield name, said
        if hidden := str(self._sent["Bcc"] or ""):
            yield "Bcc", f"{hidden} (hidden from the others)"
        yield "Subject", self.message.subject
        count = len(set(envelope_of(self._sent, None, None)[1]))
        size = how_large(len(self.message.raw))
        yield "Size", f"{size}, to {counted(count, 'recipient')}"

    def __repr__(self) -> str:
        rows = [
            *self.rows(),
            *(("Attached", f"{part.name} ({how_large(len(part.data))})") for part in self._attached()),
        ]
        return f"Preview: nothing was sent.\n{columns(rows)}\n\n{self.message.text.rstrip()}"

    def _attached(self) -> Iterator[Attachment]:
        return iter(part for part in self.message.attachments if not part.inline)

    def _repr_html_(self) -> str:
        return (
            f'<p style="margin:.4em 0;{FAINT}">Preview: nothing was sent.</p>'
            f"{message_html(self.message, self.rows(), most=MOST_CHARACTERS)}"
        )
