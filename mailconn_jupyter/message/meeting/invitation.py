"""A meeting as content of a message: who gets it sees it in their calendar, and can accept it there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from ...errors import MessageError
from ...formatting import did_you_mean, shown
from ...keywords import public
from ...scalars import count_of, plain
from ..mime.mailboxes import Mailbox, mailboxes
from ..texts import clean, one_line
from .moments import moment, zone_of

__all__ = ["Invitation", "Repeat"]

Repeat = Literal["", "daily", "weekdays", "weekly", "monthly", "yearly"]
_REPEATS: Final = ("daily", "weekdays", "weekly", "monthly", "yearly")
_DAY: Final = timedelta(days=1)


class Invitation:
    """A meeting to invite to: content of :func:`~mailconn_jupyter.message.compose.compose` and ``send`` (iMIP, RFC 6047).

    ``start`` is a time, or a date for all day; with a time goes ``minutes`` or an ``end``, with a date an ``end`` that is
    the last day, by default the same. Python's own, pandas' and NumPy's times will do, and texts such as
    ``"2026-12-03 09:30"``. One that names no zone is in ``timezone`` ("Europe/Berlin"), by default in this machine's.

    ``place`` and ``description`` are texts; without a description the calendar gets the text of the message. ``repeat`` is
    ``daily``, ``weekdays``, ``weekly``, ``monthly`` or ``yearly``, ``times`` times, or until the day ``until``, else for
    ever. ``attendees`` are by default those in To, and in Cc those who need not come. The organizer is the sender.

    :meth:`updated` and :meth:`cancelled` make what changes the meeting, or calls it off, in the calendars that have it. A
    program knows it again by ``uid``: give one of your own where another kernel is to change the meeting, and then a
    higher ``sequence`` each time.

    Raises :class:`MessageError` for times that cannot be. Sending needs the extra ``calendar``.
    """

    @public
    def __init__(
        self,
        title: str,
        start: Any,
        *,
        end: Any = None,
        minutes: float | None = None,
        timezone: str | None = None,
        place: str = "",
        description: str = "",
        attendees: str | Iterable[str] = (),
        repeat: Repeat = "",
        times: int | None = None,
        until: Any = None,
        uid: str = "",
        sequence: int = 0,
    ) -> None:
        self._given = {name: value for name, value in locals().items() if name != "self"}
        self.title = _text("title", title)
        if not self.title.strip():
            raise MessageError("The invitation has no title.")
        self.place = _text("place", place)
        self.description = _text("description", description, lines=True)
        #: Whom it is for by name; empty: the recipients of the message.
        self.attendees: list[Mailbox] = mailboxes(attendees, "attendee")
        zone = zone_of(timezone) if timezone is not None else None
        #: Dates where it takes all day, and then ``end`` is the day after; else times with their zones.
        self.start: date = moment(start, "start", zone)
        self.end: date = self._ended(end, minutes, zone)
        self.repeat: Repeat = self._repeated(repeat, start)
        self.times, self.until = self._limits(times, until)
        self.uid = _text("uid", uid) or f"{uuid.uuid4()}@mailconn"
        #: How often it was changed (RFC 5545, 3.8.7.4).
        self.sequence = _count("sequence", sequence)
        #: ``REQUEST``, or ``CANCEL`` for what calls it off (RFC 5546, 3.2).
        self.method: Literal["REQUEST", "CANCEL"] = "REQUEST"

    @property
    def all_day(self) -> bool:
        """Whether it takes whole days."""
        return not isinstance(self.start, datetime)

    def updated(self, **changes: Any) -> Invitation:
        """The same meeting with other options; to move its ``start`` alone keeps its length."""
        if changes.keys() & {"start", "end", "minutes"}:
            changes = {"end": None, "minutes": None} | changes
            if changes["end"] is None and changes["minutes"] is None:
                zone = zone_of(self._given["timezone"]) if self._given["timezone"] is not None else None
                begins = moment(changes.get("start", self.start), "start", zone)
                # A day that is said is the last one.
                changes["end"] = (
                    begins + (self.end - self.start) - (timedelta() if isinstance(begins, datetime) else _DAY)
                )
        return Invitation(**{**self._given, "uid": self.uid, "sequence": self.sequence + 1, **changes})

    def cancelled(self) -> Invitation:
        """What calls the meeting off."""
        made = Invitation(**{**self._given, "uid": self.uid, "sequence": self.sequence + 1})
        made.method = "CANCEL"
        return made

    def __repr__(self) -> str:
        called_off = ", cancelled" if self.method == "CANCEL" else ""
        return f"<Invitation {self.title!r}, {self.start}{called_off}>"

    def _ended(self, end: Any, minutes: Any, zone: Any) -> date:
        if end is not None and minutes is not None:
            raise MessageError("An invitation has end= or minutes=, not both.")
        if self.all_day and minutes is None:
            ends = self.start if end is None else moment(end, "end", zone)
            if isinstance(ends, datetime):
                raise MessageError("The start is a date, and the end a time.", hint="Give two dates, or two times.")
            if ends < self.start:
                raise MessageError(f"The meeting ends ({ends}) before it begins ({self.start}).")
            return ends + _DAY
        if minutes is not None:
            if self.all_day:
                raise MessageError(
                    f"minutes={shown(minutes)} needs a start with a time.", hint="A date alone is all day."
                )
            length = plain(minutes)
            if isinstance(length, bool) or not isinstance(length, int | float) or not 0 < length < 1e6:
                raise MessageError(f"minutes={shown(minutes)} must be a number above 0 and below a million.")
            assert isinstance(self.start, datetime)
            # Over a change of the clocks a meeting is as long as on any other day.
            return (self.start.astimezone(UTC) + timedelta(minutes=length)).astimezone(self.start.tzinfo)
        if end is None:
            raise MessageError("The invitation does not say how long the meeting is.", hint="Give minutes= or end=.")
        ends = moment(end, "end", zone)
        if not isinstance(ends, datetime):
            raise MessageError("The start is a time, and the end a date.", hint="Give two times, or two dates.")
        if ends <= self.start:
            raise MessageError(f"The meeting ends ({ends}) before it begins ({self.start}).")
        return ends

    def _repeated(self, repeat: Any, start: Any) -> Repeat:
        if not repeat:
            return ""
        if repeat not in _REPEATS:
            near = did_you_mean(str(repeat), _REPEATS)
            raise MessageError(f"repeat={shown(repeat)} is not one of {', '.join(_REPEATS)}.{near}")
        own = plain(start)
        named = isinstance(self.start, datetime) and self.start.tzinfo is UTC
        if named and not (isinstance(own, datetime) and own.tzinfo is UTC) and self._given["timezone"] != "UTC":
            # An hour from UTC is not a zone: half of the year it would be another hour.
            raise MessageError(
                "A meeting that repeats needs the name of its time zone.", hint='For example: timezone="Europe/Berlin"'
            )
        known: Repeat = repeat
        return known

    def _limits(self, times: Any, until: Any) -> tuple[int | None, date | None]:
        if times is None and until is None:
            return None, None
        if not self.repeat:
            raise MessageError("times= and until= are for a meeting that repeats.", hint='For example: repeat="weekly"')
        if times is not None and until is not None:
            raise MessageError("A meeting repeats a number of times= or until= a day, not both.")
        if times is not None:
            count = _count("times", times)
            if not count:
                raise MessageError("times=0: a meeting takes place at least once.")
            return count, None
        last = moment(until, "until", getattr(self.start, "tzinfo", None))
        day = last.date() if isinstance(last, datetime) else last
        if day < (self.start.date() if isinstance(self.start, datetime) else self.start):
            raise MessageError(f"until={shown(until)} is before the meeting begins.")
        return None, day


def _text(name: str, value: Any, *, lines: bool = False) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{name}={shown(value)} is not text.")
    return clean(value) if lines else one_line(value, 1000)


def _count(name: str, value: Any) -> int:
    number = count_of(value)
    if number is None:
        raise MessageError(f"{name}={shown(value)} is not a whole number, zero or more.")
    return number
