"""Invitations, as another library of calendars reads them from the message after the wire."""

from __future__ import annotations

import datetime
import io
import sys
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import dateutil.tz
import numpy
import pandas
import pytest
import vobject

import mailconn_jupyter as mailconn
from mailconn_jupyter import Invitation
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.extras import install
from tests.support.composed import arrived, html_of, text_of
from tests.support.results import figure

UTC = datetime.UTC
BERLIN = ZoneInfo("Europe/Berlin")


def calendar_part(message: EmailMessage) -> EmailMessage:
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    return part


def read(message: EmailMessage) -> Any:
    """The calendar that a message carries."""
    return vobject.readOne(calendar_part(message).get_content())


def event_of(invitation: Invitation, **options: Any) -> Any:
    return read(arrived("Please come.", invitation, **options)).vevent


def retro(**options: Any) -> Invitation:
    given: dict[str, Any] = {"start": "2026-10-19 09:30", "minutes": 45, "timezone": "Europe/Berlin"}
    return Invitation("Retro", **(given | options))


def test_the_calendar_is_the_last_alternative_and_says_its_method_twice() -> None:
    message = arrived("Please come.", retro(), figure(), attachments={"plan.txt": b"plan"})
    mixed = [part.get_content_type() for part in message.iter_parts()]
    assert mixed == ["multipart/related", "text/plain"]
    (alternative,) = [part for part in message.walk() if part.get_content_type() == "multipart/alternative"]
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    part = calendar_part(message)
    assert part["Content-Type"].params["method"] == "REQUEST"
    assert part["Content-Disposition"] is None
    assert read(message).method.value == "REQUEST"


def test_who_reads_it_without_a_calendar_sees_what_and_when() -> None:
    message = arrived(retro(place="Room 5", repeat="weekly", times=4))
    for said in ("Retro", "Monday, 2026-10-19 09:30 to 10:15 (Europe/Berlin)", "every week, 4 times", "Room 5"):
        assert said in text_of(message)
        assert said in html_of(message)
    assert "09:30 to 10:15" in repr(mailconn.preview(mailconn.compose("a@example.org", "s", retro(), sender="b@x.org")))


def test_the_sender_organizes_and_who_gets_a_blind_copy_is_not_named() -> None:
    event = event_of(retro(), sender="Bob <bob@example.org>", cc="Łu <lu@example.org>", bcc="eve@example.org")
    assert event.organizer.value == "mailto:bob@example.org"
    assert event.organizer.params["CN"] == ["Bob"]
    invited = {one.value: one.params for one in event.attendee_list}
    assert invited.keys() == {"mailto:ana@example.org", "mailto:lu@example.org"}
    assert invited["mailto:ana@example.org"]["ROLE"] == ["REQ-PARTICIPANT"]
    assert invited["mailto:ana@example.org"]["RSVP"] == ["TRUE"]
    assert invited["mailto:lu@example.org"]["ROLE"] == ["OPT-PARTICIPANT"]
    assert invited["mailto:lu@example.org"]["CN"] == ["Łu"]
    named = event_of(retro(attendees=["Zoë <zoe@example.org>"]), cc="lu@example.org")
    assert [one.value for one in named.attendee_list] == ["mailto:zoe@example.org"]


def test_a_meeting_that_repeats_stays_at_its_hour_over_the_change_of_the_clocks() -> None:
    event = event_of(retro(repeat="weekly", times=3))
    found = [moment.astimezone(UTC) for moment in event.getrruleset(addRDate=True)]
    # The clocks go back on 25 October.
    assert [f"{moment:%m-%d %H:%M}" for moment in found] == ["10-19 07:30", "10-26 08:30", "11-02 08:30"]
    assert event.dtend.value - event.dtstart.value == datetime.timedelta(minutes=45)
    until = event_of(retro(repeat="weekly", until="2026-11-02"))
    assert len(list(until.getrruleset(addRDate=True))) == 3
    assert "UNTIL=20261102T225959Z" in str(until.rrule.value)
    days = event_of(retro(repeat="weekdays", times=6)).getrruleset(addRDate=True)
    assert [f"{day:%d}" for day in days] == ["19", "20", "21", "22", "23", "26"]


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berlin",
        "Europe/London",
        "Europe/Dublin",
        "America/New_York",
        "America/Sao_Paulo",
        "Australia/Sydney",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Pacific/Chatham",
    ],
)
def test_the_zone_in_the_message_says_the_same_as_the_list_of_zones(name: str) -> None:
    message = arrived(Invitation("Retro", "2026-06-01 12:00", minutes=30, timezone=name))
    text = calendar_part(message).get_content().replace("\r\n", "\n")
    told = dateutil.tz.tzical(io.StringIO(text)).get(name)
    zone = ZoneInfo(name)
    for hour in range(0, 365 * 24, 7):
        moment = datetime.datetime(2026, 1, 1, tzinfo=UTC) + datetime.timedelta(hours=hour)
        local = moment.astimezone(zone)
        assert local.replace(tzinfo=told, fold=0).utcoffset() == local.replace(fold=0).utcoffset(), local


def test_a_zone_whose_clocks_change_by_a_rule_carries_the_rule() -> None:
    # Exchange reads no list of dates.
    text = calendar_part(arrived(retro())).get_content()
    assert text.count("BEGIN:STANDARD") == text.count("BEGIN:DAYLIGHT") == 1
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10" in text


@pytest.mark.parametrize(
    "start",
    [
        datetime.datetime(2026, 10, 19, 9, 30, tzinfo=BERLIN),
        datetime.datetime(2026, 10, 19, 7, 30, tzinfo=UTC),
        datetime.datetime(2026, 10, 19, 9, 30, 0, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        pandas.Timestamp("2026-10-19 09:30", tz="Europe/Berlin"),
        pandas.Timestamp("2026-10-19 09:30"),
        numpy.datetime64("2026-10-19T09:30:00.000000000"),
        "2026-10-19 09:30",
        "2026-10-19T07:30:00+00:00",
    ],
)
def test_any_time_is_the_same_moment(start: Any) -> None:
    naive = getattr(start, "tzinfo", 0) is None or isinstance(start, numpy.datetime64) or start == "2026-10-19 09:30"
    options: dict[str, Any] = {"timezone": "Europe/Berlin"} if naive else {}
    options["minutes"] = numpy.int64(45)
    event = event_of(Invitation("Retro", start, **options))
    assert event.dtstart.value.astimezone(UTC) == datetime.datetime(2026, 10, 19, 7, 30, tzinfo=UTC)


def test_a_time_without_a_zone_is_in_that_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    message = arrived(Invitation("Retro", "2026-07-01 12:00", minutes=30))
    assert read(message).vevent.dtstart.value.astimezone(UTC).hour == 16
    assert "DTSTART;TZID=America/New_York:20260701T120000" in calendar_part(message).get_content()


def test_dates_take_all_day_and_the_end_is_the_last_of_them() -> None:
    event = event_of(Invitation("Off-site", datetime.date(2026, 12, 3), end="2026-12-04"))
    assert (event.dtstart.value, event.dtend.value) == (datetime.date(2026, 12, 3), datetime.date(2026, 12, 5))
    one = event_of(Invitation("Holiday", "2026-12-24", repeat="yearly", until="2028-12-24"))
    assert one.dtend.value == datetime.date(2026, 12, 25)
    assert len(list(one.getrruleset(addRDate=True))) == 3
    message = arrived(Invitation("Off-site", "2026-12-03", end="2026-12-04"))
    assert "Thursday, 2026-12-03 to Friday, 2026-12-04" in text_of(message)


def test_an_update_and_a_cancellation_are_of_the_same_meeting() -> None:
    first = retro()
    moved = first.updated(start="2026-10-20 10:00", place="Room 6")
    longer = moved.updated(minutes=60)
    off = longer.cancelled()
    events = [event_of(one) for one in (first, moved, longer, off)]
    assert len({event.uid.value for event in events}) == 1
    assert [str(event.sequence.value) for event in events] == ["0", "1", "2", "3"]
    assert f"{events[1].dtstart.value:%d %H:%M}" == "20 10:00"
    lengths = [event.dtend.value - event.dtstart.value for event in events]
    assert lengths == [datetime.timedelta(minutes=minutes) for minutes in (45, 45, 60, 60)]
    assert events[2].location.value == "Room 6"
    assert events[3].status.value == "CANCELLED"
    message = arrived(off)
    assert read(message).method.value == calendar_part(message)["Content-Type"].params["method"] == "CANCEL"
    assert "does not take place" in text_of(message)
    assert off.cancelled().sequence == 4
    later = retro(uid="retro-2026", sequence=4)
    assert (event_of(later).uid.value, str(event_of(later).sequence.value)) == ("retro-2026", "4")


def test_days_that_are_moved_stay_as_many() -> None:
    moved = Invitation("Off-site", "2026-12-03", end="2026-12-04").updated(start="2026-12-10")
    assert (moved.start, moved.end) == (datetime.date(2026, 12, 10), datetime.date(2026, 12, 12))


def test_what_outlook_shows_in_place_of_the_message_says_the_same() -> None:
    assert event_of(retro()).description.value.startswith("Please come.\n\nMeeting  Retro")
    assert event_of(retro(description="Bring a pen.\nOr two.")).description.value == "Bring a pen.\nOr two."


NASTY = 'x\r\nATTENDEE:mailto:eve@example.org\r\nEND:VEVENT\x00"; ü, \\n \N{LINE SEPARATOR}y'


def test_no_text_can_write_a_line_of_the_calendar() -> None:
    mail = retro(place=NASTY, description=NASTY, uid=NASTY, attendees='"A \\" ;:, ^n B" <b@example.org>')
    message = arrived(mail.updated(title=NASTY))
    text = calendar_part(message).get_content().replace("\r\n ", "").replace("\n ", "")
    assert [line for line in text.splitlines() if line.startswith("ATTENDEE")] == [
        line for line in text.splitlines() if line.endswith("mailto:b@example.org")
    ]
    assert text.count("END:VEVENT\n") + text.count("END:VEVENT\r\n") == 1
    assert len(read(message).vevent_list) == 1


WRONG = {
    "{'start': '2026-10-19 09:30'}": "how long the meeting is",
    "{'start': 'soon', 'minutes': 5}": "start='soon' is not a time",
    "{'start': pandas.NaT, 'minutes': 5}": "is not a time",
    "{'start': numpy.datetime64('NaT', 's'), 'minutes': 5}": "is not a time",
    "{'start': 47, 'minutes': 5}": "start=47 is not a time",
    "{'start': '2026-10-19 09:30', 'minutes': 0}": "minutes=0 must be a number above 0 and below a million.",
    "{'start': '2026-10-19 09:30', 'minutes': float('nan')}": "minutes=nan must be a number",
    "{'start': '2026-10-19 09:30', 'minutes': 5, 'end': '2026-10-19 10:00'}": "not both",
    "{'start': '2026-10-19 09:30', 'end': '2026-10-19 09:00'}": "before it begins",
    "{'start': '2026-10-19 09:30', 'end': '2026-10-20'}": "the end a date",
    "{'start': '2026-10-19', 'end': '2026-10-20 09:00'}": "the end a time",
    "{'start': '2026-10-19', 'minutes': 5}": "A date alone is all day.",
    "{'start': '2026-10-19', 'minutes': 45}": "minutes=45 needs a start with a time.",
    "{'start': '2026-03-29 02:30', 'minutes': 5, 'timezone': 'Europe/Berlin'}": "never comes",
    "{'start': '2026-10-19', 'timezone': 'Berlin'}": 'timezone="Europe/Berlin"',
    "{'start': '2026-10-19', 'timezone': '../../etc/passwd'}": "not a time zone",
    "{'start': '2026-10-19T09:30+02:00', 'minutes': 5, 'repeat': 'weekly'}": "the name of its time zone",
    "{'start': '2026-10-19', 'repeat': 'week'}": "Did you mean 'weekly'?",
    "{'start': '2026-10-19', 'times': 3}": "for a meeting that repeats",
    "{'start': '2026-10-19', 'repeat': 'daily', 'times': 3, 'until': '2026-11-01'}": "not both",
    "{'start': '2026-10-19', 'repeat': 'daily', 'times': 0}": "times=0",
    "{'start': '2026-10-19', 'repeat': 'daily', 'until': '2026-10-01'}": "before the meeting begins",
    "{'start': '2026-10-19', 'attendees': 'Ana'}": "The attendee 'Ana'",
    "{'start': '2026-10-19', 'place': 5}": "place=5 is not text",
    "{'start': '2026-10-19', 'location': 'x'}": "no keyword 'location'",
}


@pytest.mark.parametrize("given", WRONG)
def test_a_meeting_that_cannot_be_is_refused_with_a_reason(given: str) -> None:
    options = eval(given, {"pandas": pandas, "numpy": numpy})  # those above
    with pytest.raises(mailconn.MailConnError) as caught:
        Invitation("Retro", **options)
    assert WRONG[given] in str(caught.value)


def test_a_message_invites_to_one_meeting_from_somebody() -> None:
    with pytest.raises(MessageError, match="one invitation only"):
        arrived(retro(), [retro()])
    with pytest.raises(MessageError, match="needs an organiser"):
        mailconn.compose("ana@example.org", "s", retro())


@pytest.mark.parametrize("content", [["Please come.", retro()], {"the meeting": retro()}])
def test_among_other_content_it_is_an_invitation_too(content: Any) -> None:
    assert read(arrived(content)).vevent.summary.value == "Retro"


def test_in_a_template_it_is_an_invitation_too() -> None:
    template = mailconn.Template("Hello {{ name }}\n\n{{ meeting }}")
    message = arrived(template, variables={"name": "Ana", "meeting": retro()})
    assert read(message).vevent.summary.value == "Retro"
    assert "Hello Ana" in text_of(message)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(MessageError) as caught:
        arrived(retro())
    assert install("calendar") in caught.value.hint
