"""Dates as mail has them (RFC 5322, 3.3), and as programs write them all the same."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

__all__ = ["date_of"]

_LONGEST: Final = 200
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY: Final = r"(?:[a-z]{2,10}[.,]*\s*)?"
_WORD: Final = r"(?P<month>[a-z]{3,9})[.,]?"
_DAY: Final = r"(?P<day>\d{1,2})"
_YEAR: Final = r"(?P<year>\d{4})"
_TIME: Final = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d{1,9})?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
)
# Behind an offset, some write its name, too.
_ZONE: Final = r"(?:\s*(?P<zone>(?:[a-z]{1,5}\s*)?[+-]\d{1,2}(?::?\d{2})?(?!\d)|[a-z]{1,5}\b)(?:\s+[a-z/_+-]{1,30})?)?"
_FORMS: Final = [
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # RFC 5322, and with dashes IMAP's own.
        rf"{_WEEKDAY}{_DAY}[\s.-]+{_WORD}[\s.-]*(?P<year>\d{{2,4}}),?\s+{_TIME}{_ZONE}",
        # ISO 8601.
        rf"{_YEAR}-(?P<month>\d{{2}})-(?P<day>\d{{2}})[t\s]\s*{_TIME}{_ZONE}",
        # C's, as a mailbox file has it, too.
        rf"{_WEEKDAY}{_WORD}\s+{_DAY}\s+{_TIME}\s+(?:(?P<zone>[a-z]{{1,5}}|[+-]\d{{4}})\s+)?{_YEAR}",
        # As it is written in the United States, and by JavaScript.
        rf"{_WEEKDAY}{_WORD}\s+{_DAY},?\s+{_YEAR},?\s+(?:at\s+)?{_TIME}{_ZONE}",
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})/(?P<second_number>\d{{1,2}})/{_YEAR},?\s+{_TIME}{_ZONE}",
    )
]
# As nearly all mail has it.
_USUAL: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})(?: \([A-Z]+\))?"
)
_COMMENT: Final = re.compile(r"\([^()]*+\)")
_OFFSET: Final = re.compile(r"(?:[a-z]+\s*)?([+-])(\d{1,2}):?(\d{2})?", re.ASCII)
# RFC 5322, 4.3, and those that mean one thing in the world, in hours.
_ZONES: Final = {
    name: hours
    for hours, names in (
        {-8: "pst", -7: "mst pdt", -6: "cst mdt", -5: "est cdt", -4: "edt", 0: "ut utc gmt z wet"}
        | {1: "cet met west", 2: "eet cest mest", 3: "eest msk", 9: "jst kst"}
    ).items()
    for name in names.split()
}


def date_of(text: str) -> tuple[datetime | None, str]:
    """The date with its zone, UTC where it names none; and what is wrong with it. None where it cannot be read.

    >>> date_of("Sun, 22 Nov 2026 08:30:00 GMT+0100")[0].isoformat()
    '2026-11-22T08:30:00+01:00'
    """
    if found := _USUAL.fullmatch(text):
        day, month, year, hour, minute, second, zone = found.groups()
        with contextlib.suppress(ValueError):
            number = _MONTHS.index(month.lower()) + 1
            return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=_zone(zone)[0]), ""
    text = " ".join(_COMMENT.sub(" ", text[:_LONGEST]).split())
    for form in _FORMS:
        if found := form.fullmatch(text):
            try:
                return _date({name: (value or "").lower() for name, value in found.groupdict().items()})
            except (ValueError, OverflowError):
                break
    return None, "cannot be read"


def _date(said: dict[str, str]) -> tuple[datetime, str]:
    """Raises ValueError for what no calendar, no clock and no map of the zones has."""
    if "first" in said:
        month, day = _in_numbers(int(said["first"]), int(said["second_number"]), american=bool(said["half"]))
    else:
        name, day = said["month"], int(said["day"])
        month = int(name) if name.isdecimal() else _MONTHS.index(name[:3]) + 1
    year = int(said["year"])
    if len(said["year"]) < 4:
        # RFC 5322, 4.3
        year += 2000 if len(said["year"]) == 2 and year < 50 else 1900
    hour = int(said["hour"])
    if said["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + 12 * (said["half"] == "p")
    second = int(said["second"] or 0)
    # A leap second is no second of Python's.
    second = 59 if second == 60 else second
    zone, known = _zone(said["zone"])
    date = datetime(year, month, day, hour, int(said["minute"]), second, tzinfo=zone)
    return date, "" if known else f"names an unknown time zone ({said['zone'].upper()}); UTC is assumed"


def _in_numbers(first: int, second: int, *, american: bool) -> tuple[int, int]:
    """The month and the day; raises where either could be either."""
    if first > 12 >= second:
        return second, first
    if american or second > 12:
        return first, second
    raise ValueError


@lru_cache(maxsize=256)
def _zone(said: str) -> tuple[timezone, bool]:
    """The zone, and whether it is one that is known."""
    if found := _OFFSET.fullmatch(said):
        minutes = int(found[3] or 0)
        if minutes > 59:
            raise ValueError
        offset = timedelta(hours=int(found[2]), minutes=minutes)
        zone = timezone(-offset if found[1] == "-" else offset)
        return (zone if offset else UTC), True
    hours = _ZONES.get(said, 0)
    return timezone(timedelta(hours=hours)) if hours else UTC, not said or said in _ZONES
