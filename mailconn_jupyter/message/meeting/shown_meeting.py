"""What a reader sees of an invitation in a mail program that knows no calendars, and in a preview."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..render.pairs import table_of_pairs
from ..render.part import Options, Part
from .invitation import Invitation

__all__ = ["render_invitation"]

_EVERY = {
    "daily": "every day",
    "weekdays": "every weekday",
    "weekly": "every week",
    "monthly": "every month",
    "yearly": "every year",
}


def render_invitation(invitation: Invitation, _options: Options) -> Part:
    """The title, when, where and for whom, as a table; the calendar part is made when the message's people are known."""
    cancelled = {"Cancelled": "This meeting does not take place."} if invitation.method == "CANCEL" else {}
    said = {
        "Meeting": invitation.title,
        **cancelled,
        "When": _when(invitation),
        "Repeats": _repeats(invitation),
        "Where": invitation.place,
        "With": ", ".join(mailbox.name or str(mailbox.address) for mailbox in invitation.attendees),
    }
    part = table_of_pairs({name: value for name, value in said.items() if value}, 100_000)
    assert part is not None
    return Part(part.text, part.html, invitations=(invitation,))


def _when(invitation: Invitation) -> str:
    start, end = invitation.start, invitation.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        last = end - timedelta(days=1)
        return f"{start:%A, %Y-%m-%d}" if last == start else f"{start:%A, %Y-%m-%d} to {last:%A, %Y-%m-%d}"
    till = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%A, %Y-%m-%d %H:%M}"
    return f"{start:%A, %Y-%m-%d %H:%M} to {till} ({start.tzinfo})"


def _repeats(invitation: Invitation) -> str:
    if not invitation.repeat:
        return ""
    until = f", until {invitation.until}" if invitation.until is not None else ""
    return _EVERY[invitation.repeat] + (f", {invitation.times} times" if invitation.times is not None else until)
