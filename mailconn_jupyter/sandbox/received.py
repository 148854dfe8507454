"""One message that the sandbox received, with its envelope."""

from __future__ import annotations

from datetime import datetime

from ..message.parsed import Attachment, ParsedMessage, one_line

__all__ = ["Attachment", "Received", "one_line"]


class Received(ParsedMessage):
    """A message as the server got it.

    ``sender`` and ``recipients`` are the envelope's (so Bcc is among them), ``raw`` the bytes, ``arrived`` the time.
    """

    def __init__(self, sender: str, recipients: tuple[str, ...], raw: bytes, arrived: datetime) -> None:
        super().__init__(raw)
        self._sender = sender
        self.recipients = recipients
        self.arrived = arrived

    @property
    def sender(self) -> str:
        """The sender of the envelope."""
        return self._sender

    def __repr__(self) -> str:
        return f"<Received {self.subject!r} from {one_line(self.sender)} to {one_line(', '.join(self.recipients))}>"

    def _repr_html_(self) -> str:
        from .view import received_html  # noqa: PLC0415  # only what is shown needs it

        return received_html(self)
