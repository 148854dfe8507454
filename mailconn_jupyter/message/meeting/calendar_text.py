"""An invitation as iCalendar (RFC 5545) in the form that Outlook, Gmail and Apple Calendar act on (iTIP, RFC 5546)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from typing import Any, Final
from zoneinfo import ZoneInfo

from ...errors import MessageError
from ...extras import install
from ..mime.mailboxes import Mailbox
from .invitation import Invitation
from .zone_rules import zone_component

__all__ = ["calendar_text"]

_FREQUENCY: Final = {
    "daily": "DAILY",
    "weekdays": "WEEKLY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "yearly": "YEARLY",
}
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR")
#: Characters of a description: a calendar is no place for a long table.
_MOST: Final = 8000


def calendar_text(
    invitation: Invitation, organizer: Mailbox, needed: Sequence[Mailbox], optional: Sequence[Mailbox], description: str
) -> str:
    """The text of a ``text/calendar`` part. Raises :class:`MessageError` where icalendar is not installed."""
    try:
        library = import_module("icalendar")
    except ImportError:
        raise MessageError(
            "An invitation cannot be sent: icalendar is missing.", hint=f"{install('calendar')}"
        ) from None
    calendar = library.Calendar()
    calendar.add("PRODID", "-//mailconn-jupyter//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", invitation.method)
    zones = {at.tzinfo for at in (invitation.start, invitation.end) if isinstance(at, datetime)}
    for zone in zones:
        if isinstance(zone, ZoneInfo):
            calendar.add_component(zone_component(library, zone, invitation.start.year))
    calendar.add_component(_event(library, invitation, organizer, needed, optional, description))
    said: bytes = calendar.to_ical()
    return said.decode().replace("\r\n", "\n")


def _event(  # noqa: PLR0917  # all that it says
    library: Any,
    invitation: Invitation,
    organizer: Mailbox,
    needed: Sequence[Mailbox],
    optional: Sequence[Mailbox],
    description: str,
) -> Any:
    cancelled = invitation.method == "CANCEL"
    event = library.Event()
    event.add("UID", invitation.uid)
    event.add("SEQUENCE", invitation.sequence)
    event.add("DTSTAMP", datetime.now(UTC).replace(microsecond=0))
    event.add("SUMMARY", invitation.title)
    event.add("DTSTART", invitation.start)
    event.add("DTEND", invitation.end)
    if invitation.repeat:
        event.add("RRULE", _rule(invitation))
    if invitation.place:
        event.add("LOCATION", invitation.place)
    # Outlook shows it in place of the message.
    if said := (invitation.description or description)[:_MOST].strip():
        event.add("DESCRIPTION", said)
    event.add("ORGANIZER", _address(library, organizer))
    for role, people in (("REQ-PARTICIPANT", needed), ("OPT-PARTICIPANT", optional)):
        for mailbox in people:
            attendee = _address(library, mailbox)
            attendee.params["ROLE"] = role
            if not cancelled:
                attendee.params |= {"PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"}
            event.add("ATTENDEE", attendee)
    event.add("STATUS", "CANCELLED" if cancelled else "CONFIRMED")
    if invitation.all_day:
        # A whole day keeps nobody from meeting others, as Google and Apple have it.
        event.add("TRANSP", "TRANSPARENT")
    return event


def _address(library: Any, mailbox: Mailbox) -> Any:
    address = library.vCalAddress(f"mailto:{mailbox.address}")
    if mailbox.name:
        # A quotation mark has no form in RFC 5545, and RFC 6868's is not read by all.
        address.params["CN"] = mailbox.name.replace('"', "'")
    return address


def _rule(invitation: Invitation) -> dict[str, Any]:
    rule: dict[str, Any] = {"FREQ": _FREQUENCY[invitation.repeat]}
    if invitation.repeat == "weekdays":
        rule["BYDAY"] = list(_WEEKDAYS)
    if invitation.times is not None:
        rule["COUNT"] = invitation.times
    elif invitation.until is not None:
        start = invitation.start
        # In UTC where the start has a zone (RFC 5545, 3.3.10), and the whole of that day.
        rule["UNTIL"] = (
            (datetime.combine(invitation.until, time(), start.tzinfo) + timedelta(days=1, seconds=-1)).astimezone(UTC)
            if isinstance(start, datetime)
            else invitation.until
        )
    return rule
