"""One message that the sandbox received, with its envelope."""

from __future__ import annotations

from datetime import datetime

from ..message.incoming.message_view import MOST_CHARACTERS, message_html
from ..message.incoming.parsed import Attachment, ParsedMessage, one_line

__all__ = ["Attachment", "Received", "one_line", "received_html"]


class Received(ParsedMessage):
    """A message as the server got it.

    ``sender`` and ``recipients`` are the envelope's (so Bcc is among them), ``raw`` the bytes, ``arrived`` the time.
    """

    def __init__(self, sender: str, recipients: tuple[str, ...], raw: bytes, arrived: datetime) -> None:
        super().__init__(raw, arrived=arrived)
        self._sender = sender
        self.recipients = recipients
        self.arrived: datetime = arrived

    @property
    def sender(self) -> str:
        """The sender of the envelope."""
        return self._sender

    def __repr__(self) -> str:
        return f"<Received {self.subject!r} from {one_line(self.sender)} to {one_line(', '.join(self.recipients))}>"

    def _repr_html_(self) -> str:
        return received_html(self)


def received_html(received: Received, most: int = MOST_CHARACTERS) -> str:
    """One message: headers, body and attachments, in about ``most`` characters."""
    rows = [(name, received.header(name)) for name in ("From", "To", "Cc", "Subject", "Date")]
    envelope = f"{one_line(received.sender)} to {one_line(', '.join(received.recipients))}"
    return message_html(received, [*((name, text) for name, text in rows if text), ("Envelope", envelope)], most=most)
