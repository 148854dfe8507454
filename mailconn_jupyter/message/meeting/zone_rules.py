"""A time zone as a calendar carries it (VTIMEZONE, RFC 5545, 3.6.5): when its clocks change, as a rule for every year.

icalendar's own lists dates, which Exchange does not read, and has the clocks go forward an hour late.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

__all__ = ["zone_component"]

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
#: Years in which a rule must hold to be one.
_YEARS: Final = 6
_WEEK: Final = 7


@dataclass(frozen=True)
class _Change:
    """The clocks go from one distance from UTC to another; ``at`` is what they showed."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str
    summer: bool


def zone_component(calendar: Any, zone: ZoneInfo, year: int) -> Any:
    """The zone from the year before on, made with the library ``calendar`` (icalendar)."""
    made = calendar.Timezone()
    made.add("TZID", zone.key)
    changes = _changes(zone, year - 1, year + _YEARS - 2)
    kinds = [[change for change in changes if change.summer is summer] for summer in (False, True)]
    if not changes:
        start = datetime(year - 1, 1, 1, tzinfo=zone)
        offset = start.utcoffset() or timedelta()
        kinds = [[_Change(start.replace(tzinfo=None), offset, offset, start.tzname() or zone.key, summer=False)]]
    for alike in filter(None, kinds):
        rule = _rule(alike)
        for change in alike[:1] if rule or not changes else alike:
            part = calendar.TimezoneDaylight() if change.summer else calendar.TimezoneStandard()
            part.add("DTSTART", change.at)
            part.add("TZOFFSETFROM", change.before)
            part.add("TZOFFSETTO", change.after)
            part.add("TZNAME", change.name)
            if rule:
                part.add("RRULE", rule)
            made.add_component(part)
    return made


@lru_cache(32)  # of a merge all have the same
def _changes(zone: ZoneInfo, first: int, last: int) -> tuple[_Change, ...]:
    return tuple(_found(zone, first, last))


def _found(zone: ZoneInfo, first: int, last: int) -> Iterator[_Change]:
    day = datetime(first, 1, 1, tzinfo=UTC)
    while day.year <= last:
        following = day + timedelta(days=1)
        before, after = (at.astimezone(zone).utcoffset() or timedelta() for at in (day, following))
        if before != after:
            low, high = 0, 86400
            while high - low > 1:
                middle = (low + high) // 2
                passed = (day + timedelta(seconds=middle)).astimezone(zone).utcoffset() != before
                low, high = (low, middle) if passed else (middle, high)
            onset = day + timedelta(seconds=high)
            local = onset.astimezone(zone)
            yield _Change(
                (onset + before).replace(tzinfo=None), before, after, local.tzname() or zone.key, summer=after > before
            )
        day = following


def _rule(changes: Sequence[_Change]) -> dict[str, list[Any]] | None:
    """The day of the year that they all are, such as the last Sunday in March; None where they are no such day."""
    first = changes[0]
    alike = {
        (change.at.month, change.at.weekday(), change.at.time(), change.before, change.after) for change in changes
    }
    places = set.intersection(*map(_places, changes))
    if len(changes) != _YEARS or len(alike) != 1 or not places:
        return None
    return {"FREQ": ["YEARLY"], "BYMONTH": [first.at.month], "BYDAY": [f"{min(places)}{_DAYS[first.at.weekday()]}"]}


def _places(change: _Change) -> set[int]:
    """Which of its weekdays in the month it is, -1 the last."""
    day, days = change.at.day, monthrange(change.at.year, change.at.month)[1]
    return {(day - 1) // _WEEK + 1} | ({-1} if day + _WEEK > days else set())
