"""One message on its way: for whom it still is, and what was tried."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace

from ...message.mime.wire_format import Wire
from ...session.smtp.envelope import Envelope
from ...session.smtp.pipeline import Fate
from ..journals.journal_base import Known
from .spool import Spooled

__all__ = ["Entry"]


@dataclass(slots=True, eq=False)
class Entry:
    """``number`` is its place among the messages, from 0; ``envelope`` has those alone who may still be sent it."""

    number: int
    key: str
    message_id: str
    subject: str
    envelope: Envelope
    content: Wire | Spooled
    #: How often a server had it; how often it was refused for the moment; how often the link broke under it.
    tries: int = 0
    delays: int = 0
    losses: int = 0
    #: The last words about those who are still in the envelope.
    said: dict[str, Fate] = field(default_factory=dict)
    #: Whether somebody did not get it, or perhaps not.
    failed: bool = False
    #: Who may have it from an earlier batch of the journal, whatever becomes of it in this one.
    doubted: frozenset[str] = frozenset()
    #: What stands above the copy of what was sent; None where no copy of it is to be saved, or one is already.
    hidden: bytes | None = None
    #: Whether it is, or was, where the connections take it from.
    queued: bool = False
    #: Once the journal has the intent to send it: to whom another batch sends it, or has sent it.
    claimed: dict[str, Known] | None = None

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.content) if isinstance(self.content, Wire) else self.content.size

    @property
    def recipients(self) -> list[str]:
        return [str(recipient.address) for recipient in self.envelope.recipients]

    def only_for(self, left: dict[str, Fate]) -> None:
        """Whoever has it, perhaps has it, or was refused for good is not sent it again."""
        kept = tuple(each for each in self.envelope.recipients if str(each.address) in left)
        self.envelope, self.said = replace(self.envelope, recipients=kept), left

    def not_for(self, others: Container[str]) -> None:
        """Another batch sends it to those."""
        kept = tuple(each for each in self.envelope.recipients if str(each.address) not in others)
        self.envelope = replace(self.envelope, recipients=kept)
        self.said = {name: fate for name, fate in self.said.items() if name not in others}
