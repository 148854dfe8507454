"""When a received message was sent: by its Date header, as programs write it, or else by its arrival."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.message.incoming.sent_date import date_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "Sun, 22 Nov 2026 12:00:00 +0000",
        "22 Nov 2026 12:00:00 -0000",
        "22 Nov 2026 12:00",
        "Sun, 22 Nov 2026 12:00:00 GMT",
        "Sun, 22 Nov 2026 13:00:00 +0100 (CET)",
        "Sun, 22 Nov 2026 13:00:00 +0100 CET",
        "Sun, 22 Nov 2026 13:00:00 GMT+0100",
        "Sun, 22 Nov 2026 13:00:00 +01:00",
        "Sun, 22 Nov 2026 13:00:00 UTC+1",
        "Sun, 22 Nov 2026 07:00:00 GMT-05:00",
        "Sun, 22 Nov 2026 17:30:00 +05:30",
        "Sun, 22 Nov 2026 07:00:00 EST",
        "Sun, 22 Nov 2026 13:00:00 CET",
        "Sun, 22 Nov 26 12:00:00 GMT",
        "Sunday, 22. November 2026 12.00.00 UTC",
        "22-Nov-2026 13:00:00 +0100",
        "2026-11-22T12:00:00Z",
        "2026-11-22T13:00:00.123456+01:00",
        "2026-11-22 12:00:00",
        "11/22/2026 12:00:00 PM",
        "22/11/2026 12:00",
        "Sun Nov 22 12:00:00 2026",
        "Sun Nov 22 13:00:00 CET 2026",
        "Sun Nov 22 2026 13:00:00 GMT+0100 (Central European Standard Time)",
        "Sunday, November 22, 2026 at 12:00 p.m.",
        "SUN, 22 NOV 2026 12:00:00 +0000",
        "Sun,  22   Nov\n 2026 12:00:00\t+0000",
    ],
)
def test_a_date_is_read_with_its_zone(written: str) -> None:
    message = ParsedMessage(f"Date: {written}\n\n".encode())
    assert message.date is not None
    assert message.date.replace(microsecond=0) == NOON
    assert message.problems == ()


def test_a_date_keeps_the_zone_that_it_names() -> None:
    date, _ = date_of("Sun, 22 Nov 2026 08:30:00 GMT+0100")
    assert date is not None
    assert date.isoformat() == "2026-11-22T08:30:00+01:00"


def test_a_leap_second_is_the_one_before_it() -> None:
    assert date_of("Sat, 31 Dec 2016 23:59:60 +0000")[0] == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_zone_that_nobody_knows_is_told() -> None:
    message = ParsedMessage(b"Date: Sun, 22 Nov 2026 12:00:00 XYZ\n\n")
    assert message.date == NOON
    assert message.problems == ("The date names an unknown time zone (XYZ); UTC is assumed.",)


@pytest.mark.parametrize(
    "written",
    [
        "Sun, 22 Nov 2026 12:00:00 +9999",
        "05/06/2026 12:00",
        "31 Nov 2026 12:00 +0000",
        "22 Nov 2026 25:00 +0000",
        "22 Nov 2026 12:00 +0190",
        "22 Nix 2026 12:00 +0000",
        "13:00 PM 22/11/2026",
        "11/22/2026 13:00:00 PM",
        "last Tuesday",
        "\u0662\u0662 Nov 2026 12:00 +0000",
        "22 Nov " + "9" * 5_000 + " 12:00",
    ],
)
def test_what_is_no_date_or_could_be_two_is_none(written: str) -> None:
    message = ParsedMessage(f"Date: {written}\n\n".encode())
    assert message.date is None
    assert message.problems == ("The date cannot be read.",)


def test_without_a_date_the_arrival_is_taken_and_told() -> None:
    received = b"Received: from a.example by b.example\n\t(with comments); Sun, 22 Nov 2026 12:00:00 +0000 (UTC)\n"
    older = b"Received: from c.example by a.example; Sat, 21 Nov 2026 12:00:00 +0000\n"
    message = ParsedMessage(received + older + b"\n")
    assert message.date == NOON
    assert message.problems == ("No date; the date of its arrival is used instead.",)
    message = ParsedMessage(received + b"Date: last Tuesday\n\n")
    assert message.date == NOON
    assert message.problems == ("The date cannot be read; the date of its arrival is used instead.",)
    # What the mailbox says is nearer than what a server on the way says.
    message = ParsedMessage(older + b"\n", arrived=NOON)
    assert message.date == NOON
    dated = ParsedMessage(b"Date: Sat, 21 Nov 2026 12:00:00 +0000\n\n", arrived=NOON)
    assert dated.date == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert dated.problems == ()
