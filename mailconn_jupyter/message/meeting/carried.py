"""The meeting that a message carries: its calendar part, for the people of the message."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import MessageError
from ..mime.mailboxes import Mailbox
from ..render.part import Part

__all__ = ["meeting_in"]


def meeting_in(body: Part, senders: Sequence[Mailbox], to: Sequence[Mailbox], cc: Sequence[Mailbox]) -> tuple[str, str]:
    """The method and the text of the one invitation in ``body``. Who gets a blind copy is not named in it."""
    from .calendar_text import calendar_text  # noqa: PLC0415  # few messages need it

    (meeting, *others) = body.invitations
    if others:
        raise MessageError("A message holds one invitation only.", hint="Send a message for each.")
    if not senders:
        raise MessageError("An invitation needs an organiser.", hint='Give sender="ana@example.org".')
    needed = meeting.attendees or to or cc
    if not needed:
        raise MessageError("The invitation has no attendees: name them in to= or attendees=.")
    named = {mailbox.address.key for mailbox in needed}
    optional = () if meeting.attendees else [mailbox for mailbox in cc if mailbox.address.key not in named]
    return meeting.method, calendar_text(meeting, senders[0], needed, optional, body.text)
