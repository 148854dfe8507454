"""When a meeting is: dates and times as people give them, each in a time zone that calendars know by its name."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ...errors import MessageError
from ...formatting import shown
from ...scalars import plain

__all__ = ["moment", "zone_of"]

_ZONES: Final = "zoneinfo/"
_LENGTH_OF_DATE: Final = 10


def moment(given: Any, what: str, zone: tzinfo | None = None) -> date:
    """A date, or a time (to the second) in UTC or in a :class:`~zoneinfo.ZoneInfo`; ``zone`` is that of times without one.

    Without either it is this machine's. Raises :class:`MessageError` for what is none, and for what no clock shows.
    """
    value = plain(given)
    if isinstance(value, str):
        try:
            text = value.strip()
            value = date.fromisoformat(text) if len(text) == _LENGTH_OF_DATE else datetime.fromisoformat(text)
        except ValueError:
            value = None
    if isinstance(value, datetime) and value == value:  # noqa: PLR0124  # not so NaT
        return _placed(value.replace(microsecond=0), what, zone)
    if type(value) is date:
        return value
    raise MessageError(
        f"{what}={shown(given)} is not a time that can be understood.",
        hint='Give a datetime, a text such as "2026-12-03 09:30", or a date for all day.',
    )


def zone_of(name: Any) -> tzinfo:
    """The time zone that is called so in the IANA's list. Raises :class:`MessageError` for any other."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    # Its names are paths to it: one with .. in it is a ValueError, a folder an OSError.
    except (KeyError, ValueError, TypeError, OSError):
        raise MessageError(
            f"timezone={shown(name)} is not a time zone that is known here.",
            hint='For example: timezone="Europe/Berlin"',
        ) from None


def _placed(value: datetime, what: str, zone: tzinfo | None) -> datetime:
    if value.tzinfo is None:
        zone = zone or _own_zone()
        if zone is None:
            return value.astimezone(UTC)
        placed = value.replace(tzinfo=zone)
        if placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=value.fold) != value:
            raise MessageError(
                f"{what}: in {zone} the clocks go forward over {value:%Y-%m-%d %H:%M}, which never comes."
            )
        return placed
    if zone is not None:
        return value.astimezone(zone)
    name = getattr(value.tzinfo, "key", None) or getattr(value.tzinfo, "zone", None)  # the latter is pytz'
    return value.astimezone(zone_of(name) if isinstance(name, str) else UTC)


def _own_zone() -> tzinfo | None:
    """The zone of this machine by its name, where it says that."""
    names = [os.environ.get("TZ", "").removeprefix(":")]
    # On Linux and macOS a link into the list of zones.
    names.append(str(Path("/etc/localtime").resolve()).rpartition(_ZONES)[2])
    for name in names:
        if name and not name.startswith("/"):
            try:
                return zone_of(name)
            except MessageError:
                return None
    return None
