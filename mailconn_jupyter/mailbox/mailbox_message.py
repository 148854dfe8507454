"""A message with the place where it lies, so that something can be done with it there."""

from __future__ import annotations

from typing import Self

from ..message.incoming.parsed import ParsedMessage
from .acting.act import Wanted, act
from .acting.action import Action
from .acting.action_report import ActionReport, row_of
from .acting.actions import Actions
from .acting.fingerprint import fingerprint
from .acting.place import Place

__all__ = ["MailboxMessage"]


class MailboxMessage(Actions, ParsedMessage):
    """A message of a mailbox: what it says, and what can be done with it where it lies."""

    place: Place | None = None

    @classmethod
    def of(cls, message: ParsedMessage, place: Place) -> Self:
        """The same message, in its place."""
        made = cls.__new__(cls)
        # All that is known of it, also what was read of it already.
        made.__dict__.update(message.__dict__, place=place)
        return made

    def without_body(self) -> ParsedMessage:
        """The same with its header alone, as where no more was read."""
        stripped = super().without_body()
        return stripped if self.place is None else type(self).of(stripped, self.place)

    def _act(self, action: Action) -> ActionReport:
        return act(self.place, action, Wanted({self.uid: fingerprint(self)}, [row_of(self)]))
