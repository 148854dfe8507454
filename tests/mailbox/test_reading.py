"""One way to read, whatever the protocol: the same questions, the same answers from IMAP, POP3 and a mailbox file."""

from __future__ import annotations

import datetime
import imaplib
import itertools
import poplib
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mailconn_jupyter import MailConnection, messages, to_frame
from mailconn_jupyter.errors import MailConnError, OptionError
from mailconn_jupyter.mailbox import by_mbox
from mailconn_jupyter.mailbox.by_mbox import spans_backwards
from mailconn_jupyter.mailbox.selection import moment
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.line_arguments import UnsafeArgument
from mailconn_jupyter.store import connections
from mailconn_jupyter.transport.channel import Channel
from tests.message.test_parsed import everything
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.support.broken_mail import BROKEN
from tests.support.counted_files import counted_files, large_file
from tests.support.mailboxes import ARRIVED, Mail, Mailbox, mail, mailbox_of
from tests.support.reading import to_dovecot

PROTOCOLS = ("IMAP", "POP3", "MBOX")
_numbers = itertools.count()

Make = Callable[..., Mailbox]

MAILS = [
    mail("one", date="Sun, 01 Nov 2026 10:00:00 +0000", seen=True),
    mail("two: Zürich, grüße", sender="Jürg Müller <jm@example.net>", date="Mon, 02 Nov 2026 23:30:00 -0500"),
    mail("three", sender="boss@example.com", to="ana@example.org, Carl <carl@example.org>", seen=True),
    mail('four "quoted" back\\slash', date="Wed, 04 Nov 2026 00:30:00 +0900"),
    mail("five", text="With a file.\n", file="zahlen.csv", date="Thu, 05 Nov 2026 12:00:00 +0000"),
    Mail(b"From: nodate@example.org\nTo: bob@example.org\nSubject: six\n\nNo date.\n"),
    mail("日本語の件名", sender="山田 <yamada@example.jp>", date="Sat, 07 Nov 2026 12:00:00 +0000"),
    mail("eight (100%) {5} *", date="Sun, 08 Nov 2026 12:00:00 +0000", seen=True),
]
NEWEST_FIRST = ["eight (100%) {5} *", "日本語の件名", "six", "five", 'four "quoted" back\\slash', "three"]
NEWEST_FIRST += ["two: Zürich, grüße", "one"]


@pytest.fixture
def make(dovecot: Dovecot, certificates: Certificates, tmp_path: Path) -> Make:
    """Makes a mailbox of a protocol with the given mail in it."""

    def made(protocol: str, mails: Sequence[Mail] = MAILS) -> Mailbox:
        user = f"reader{next(_numbers)}"
        return mailbox_of(protocol, user, mails, dovecot=dovecot, certificates=certificates, folder=tmp_path)

    return made


@pytest.fixture(params=PROTOCOLS)
def box(request: pytest.FixtureRequest, make: Make) -> Iterator[Mailbox]:
    """The same mail by each protocol. Whatever a test does, nothing of it is marked as read or written."""
    made = make(request.param)
    before = made.state()
    yield made
    assert made.state() == before


def subjects(box: Mailbox, **asked: Any) -> list[str]:
    return [message.subject for message in messages(box.connection, **asked)]


def first_words(box: Mailbox, **asked: Any) -> list[str]:
    return [subject.split()[0].rstrip(":") for subject in subjects(box, **asked)]


# The contract: one question, one answer, three protocols


def test_messages_come_newest_first(box: Mailbox) -> None:
    assert subjects(box) == NEWEST_FIRST
    assert subjects(box, body=False) == NEWEST_FIRST


def test_a_limit_takes_the_newest(box: Mailbox) -> None:
    limits: list[Any] = [0, 1, 3, 8, 100, np.int64(3)]
    for limit in limits:
        assert subjects(box, limit=limit) == NEWEST_FIRST[:limit]
        assert subjects(box, limit=limit, body=False) == NEWEST_FIRST[:limit]
    assert first_words(box, limit=2, to="bob") == ["eight", "日本語の件名"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"sender": "BOSS@example"}, ["three"]),
        ({"sender": "Müller"}, ["two"]),
        ({"sender": "山田"}, ["日本語の件名"]),
        ({"to": "carl"}, ["three"]),
        ({"subject": "ZÜRICH"}, ["two"]),
        ({"subject": "Zu\u0308rich"}, ["two"]),
        ({"subject": "日本"}, ["日本語の件名"]),
        ({"subject": '"quoted" back\\'}, ["four"]),
        ({"subject": "(100%) {5} *"}, ["eight"]),
        ({"subject": '" OR ALL "'}, []),
        ({"subject": "\\"}, ["four"]),
        ({"subject": "{5}"}, ["eight"]),
        ({"subject": "x" * 3000}, []),
        ({"subject": "grüße", "sender": "müller", "to": "bob"}, ["two"]),
        ({"subject": "grüße", "sender": "山田"}, []),
    ],
)
def test_a_text_is_looked_for_in_its_header_and_nothing_else(
    box: Mailbox, asked: dict[str, str], found: list[str]
) -> None:
    assert first_words(box, **asked) == found
    assert first_words(box, **asked, body=False) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # A day is the one that is written, whatever the zone.
        ({"since": datetime.date(2026, 11, 5), "before": datetime.date(2026, 11, 8)}, ["日本語の件名", "five"]),
        ({"since": "2026-11-02", "before": "2026-11-03"}, ["two"]),
        ({"before": "2026-11-02"}, ["one"]),
        # An instant is an instant: four was written on the 4th in Tokyo, when it was the 3rd in London.
        ({"since": "2026-11-03T15:00+00:00", "before": "2026-11-03T16:00+00:00"}, ["four"]),
        ({"since": datetime.datetime(2026, 11, 3, 4, 30, tzinfo=datetime.UTC), "before": "2026-11-04"}, ["two"]),
        ({"since": datetime.datetime(2026, 11, 3, 4, 31, tzinfo=datetime.UTC), "before": "2026-11-04"}, []),
        ({"since": "0001-01-01", "before": "2026-11-02"}, ["one"]),
        ({"since": "9999-12-31"}, []),
    ],
)
def test_dates_are_those_of_the_date_header(box: Mailbox, asked: dict[str, Any], found: list[str]) -> None:
    assert first_words(box, **asked) == found


TIMES = [
    pd.Timestamp("2026-11-05", tz="UTC"),
    pd.Timestamp("2026-11-05T00:00:00.000000001", tz="UTC"),
    pd.Timestamp("2026-11-05").date(),
    np.datetime64("2026-11-05"),
    np.datetime64("2026-11-05T00:00:00.000000001"),
    np.array("2026-11-05", "datetime64[s]"),
    np.str_("2026-11-05"),
]


@pytest.mark.parametrize("since", TIMES, ids=lambda since: f"{type(since).__name__} {since}")
def test_times_and_numbers_of_pandas_and_numpy_are_taken_as_pythons_own(make: Make, since: Any) -> None:
    box = make("MBOX")
    dated = ["eight", "日本語の件名", "six", "five", "three"]
    assert first_words(box, since=since) == dated
    assert first_words(box, since=since, limit=np.int64(2)) == dated[:2]
    assert first_words(box, before=since)[-1] == "one"


def test_durations_of_pandas_and_numpy_are_taken_as_pythons_own() -> None:
    week = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=7)
    given: list[Any] = [pd.Timedelta("7D"), np.timedelta64(7, "D"), np.timedelta64(7 * 86_400 * 10**9, "ns")]
    for duration in given:
        found = moment("since", duration)
        assert isinstance(found, datetime.datetime)
        assert abs(found - week) < datetime.timedelta(minutes=1)
    local = moment("since", pd.Timestamp.now() - pd.Timedelta("7D"))
    assert isinstance(local, datetime.datetime)
    assert abs(local - week) < datetime.timedelta(minutes=1)


@pytest.mark.parametrize("given", [pd.NaT, np.datetime64("NaT", "s"), np.timedelta64("NaT", "s"), np.int64(3), 3.5])
def test_what_is_no_time_is_refused_and_does_not_ask_for_everything(given: Any) -> None:
    with pytest.raises(OptionError, match="since is not a date"):
        messages("no such connection", since=given)


def test_what_is_asked_for_in_words_is_counted_from_now(box: Mailbox) -> None:
    assert subjects(box, before="1 minute ago") != []
    assert "three" in subjects(box, since=datetime.timedelta(days=36500))
    assert subjects(box, since=datetime.timedelta(days=-36500)) == []


def test_a_message_has_what_a_person_wants_of_it(box: Mailbox) -> None:
    (message,) = messages(box.connection, subject="five")
    assert message.sender == "Ana <ana@example.org>"
    assert message.to == "bob@example.org"
    assert message.date == datetime.datetime(2026, 11, 5, 12, tzinfo=datetime.UTC)
    assert message.text == "With a file.\n"
    (attachment,) = message.attachments
    assert (attachment.name, attachment.content_type) == ("zahlen.csv", "text/csv")
    assert attachment.data.split() == [b"a,b", b"1,2"]
    assert message.complete
    assert message.problems == ()
    assert message.uid
    assert message.size is not None
    assert abs(message.size - len(MAILS[4].raw)) < 40


def test_without_the_body_only_the_header_is_there(box: Mailbox) -> None:
    (message,) = messages(box.connection, subject="five", body=False)
    assert not message.complete
    assert (message.text, message.attachments, message.problems) == ("", (), ())
    assert message.raw.lower().endswith((b"\r\n\r\n", b"\n\n"))
    assert b"With a file" not in message.raw
    # It is the size of the whole.
    assert message.size is not None
    assert message.size > len(message.raw)


def test_a_message_without_a_date_is_dated_by_its_arrival_and_says_so(box: Mailbox) -> None:
    (message,) = messages(box.connection, subject="six")
    if box.connection.protocol == "POP3":
        # Which tells no arrival, and no server has written any into this one.
        assert message.date is None
        assert message.problems == ("No date.",)
        assert "six" not in subjects(box, since="1970-01-01")
        return
    assert message.date == message.arrived == ARRIVED
    assert message.problems == ("No date; the date of its arrival is used instead.",)
    assert "six" in subjects(box, since="2026-11-22")
    assert "six" not in subjects(box, before="2026-11-22")
    arrivals = {each.subject: each.arrived for each in messages(box.connection, body=False)}
    # What arrived is told by a mailbox file of all, and asked of a server where nothing else tells the date.
    assert {when for subject, when in arrivals.items() if subject != "six"} == {
        None if box.connection.protocol == "IMAP" else ARRIVED
    }


def test_an_imap_server_is_asked_for_the_arrival_of_those_messages_alone_that_say_no_date(make: Make) -> None:
    odd = {3: b"X-Odd: no date", 60: b"Date: last Tuesday", 119: b"Date: 31 Nov 2026 25:61:00"}
    mails = [mail(f"number {number}") for number in range(120)]
    for number, field in odd.items():
        mails[number] = Mail(b"Subject: number %d\n%b\n\nHello.\n" % (number, field))
    box = make("IMAP", mails)
    for body in (False, True):
        with connect(box.connection) as session:
            start = len(session.transcript)
            found = list(messages(session, body=body))
            asked = [
                line.split()[-3] for line in session.transcript[start:] if "INTERNALDATE)" in line and "C:" in line
            ]
        assert {message.date for message in found} == {ARRIVED}
        uids = {int(message.uid) for message in found if message.problems}
        assert uids == {number + 1 for number in odd}
        assert sorted(int(uid) for each in asked for uid in each.split(",")) == sorted(uids)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dates_that_no_server_reads_are_searched_by_all_the_same(make: Make, protocol: str) -> None:
    fields = (
        b"Subject: one\nDate: 2026-11-01T10:00:00Z",
        b"Subject: two\nDate: 11/02/2026 10:00:00 PM",
        b"Subject: three\nDate: Tue, 03 Nov 2026 00:30:00 GMT+0100",
        b"Received: from a by b; Wed, 4 Nov 2026 10:00:00 +0000\nSubject: four",
        b"Subject: five\nDate: Thu, 05 Nov 2026 10:00:00 +9999",
    )
    mails = [Mail(b"From: ana@example.org\n" + each + b"\n\nHello.\n") for each in fields]
    box = make(protocol, mails)
    found = {message.subject: message for message in messages(box.connection, since="2026-11-01", before="2026-11-04")}
    assert sorted(found) == ["one", "three", "two"]
    assert {message.problems for message in found.values()} == {()}
    assert found["three"].date == datetime.datetime(2026, 11, 2, 23, 30, tzinfo=datetime.UTC)
    dates = {message.subject: message.date for message in messages(box.connection)}
    by_received = datetime.datetime(2026, 11, 4, 10, tzinfo=datetime.UTC)
    assert dates["four"] == (by_received if protocol == "POP3" else ARRIVED)
    assert dates["five"] == (None if protocol == "POP3" else ARRIVED)


def test_every_message_has_a_name_of_its_own_that_stays(box: Mailbox) -> None:
    uids = [message.uid for message in messages(box.connection)]
    assert len(set(uids)) == len(MAILS)
    assert uids == [message.uid for message in messages(box.connection, body=False)]


def test_the_session_opens_with_the_first_message_and_closes_when_the_iterator_does(box: Mailbox) -> None:
    told: list[int] = []
    found = messages(box.connection, progress=lambda count, _: told.append(count))
    assert told == []
    assert next(found).subject == NEWEST_FIRST[0]
    assert len(told) == 1
    found.close()
    assert list(found) == []


def test_an_open_session_stays_open(box: Mailbox) -> None:
    with connect(box.connection) as session:
        assert [message.subject for message in messages(session)] == NEWEST_FIRST
        assert next(messages(session, limit=1)).subject == NEWEST_FIRST[0]
        assert [message.subject for message in messages(session, subject="five")] == ["five"]


def test_a_connection_is_found_by_its_name_or_is_the_default(box: Mailbox) -> None:
    connections.save(box.connection)
    assert [message.subject for message in messages(box.connection.name, limit=1)] == NEWEST_FIRST[:1]
    assert [message.subject for message in messages(limit=1)] == NEWEST_FIRST[:1]


@pytest.mark.parametrize("name", ["sender", "to", "subject", "folder"])
@pytest.mark.parametrize("text", ["a\r\nA1 DELETE INBOX", "a\nb", "a\rb", "a\x00b"])
def test_what_breaks_a_line_is_refused_before_anything_is_opened(name: str, text: str) -> None:
    asked: dict[str, Any] = {name: text}
    with pytest.raises(UnsafeArgument, match=f"{name}: .* Nothing was sent"):
        messages("no such connection", **asked)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"since": "next week"}, "since is not a date"),
        ({"before": "2026-13-01"}, "before is not a date"),
        ({"since": 7}, "since is not a date"),
        ({"limit": -1}, "limit must be a whole number"),
        ({"limit": "ten"}, "limit must be a whole number"),
        ({"subject": b"x"}, "subject must be text"),
        ({"folder": b"x"}, "folder must be the name of a folder"),
        ({"folder": ""}, "folder must be the name of a folder, and it is empty"),
        ({"folder": "\ud800"}, "half a surrogate pair"),
    ],
)
def test_a_question_that_makes_no_sense_is_an_error_at_once(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        messages("no such connection", **asked)


def test_progress_is_told_message_by_message_up_to_the_whole(box: Mailbox) -> None:
    told: list[tuple[int, float]] = []
    list(messages(box.connection, body=False, progress=lambda *heard: told.append(heard)))
    assert max(count for count, _ in told) == len(MAILS)
    assert [part for _, part in told] == sorted(part for _, part in told)
    assert 0 <= told[0][1] < 0.5
    assert told[-1][1] == pytest.approx(1)


def test_an_empty_mailbox_has_no_messages(make: Make) -> None:
    for protocol in PROTOCOLS:
        assert subjects(make(protocol, [])) == []


# What the protocols differ in


@pytest.mark.parametrize("protocol", ["IMAP", "MBOX"])
def test_unseen_takes_what_is_not_marked_as_read(make: Make, protocol: str) -> None:
    box = make(protocol)
    assert first_words(box, unseen=True) == ["日本語の件名", "six", "five", "four", "two"]
    assert first_words(box, unseen=True, limit=1, sender="müller") == ["two"]
    assert [message.seen for message in messages(box.connection)] == [
        True,
        False,
        False,
        False,
        False,
        True,
        False,
        True,
    ]


def test_pop3_says_that_it_does_not_know_what_was_read(make: Make) -> None:
    box = make("POP3")
    with pytest.raises(OptionError, match="POP3 does not know which messages were read"):
        messages(box.connection, unseen=True)
    assert {message.seen for message in messages(box.connection)} == {None}


def test_only_what_was_taken_is_marked_as_read_when_that_is_asked_for(make: Make) -> None:
    box = make("IMAP")
    found = messages(box.connection, mark_seen=True)
    assert [next(found).subject for _ in range(3)] == NEWEST_FIRST[:3]
    found.close()
    assert first_words(box, unseen=True) == ["five", "four", "two"]
    with connect(box.connection) as session:
        assert len(list(messages(session, mark_seen=True, body=False))) == len(MAILS)
        assert list(messages(session, unseen=True)) == []


@pytest.mark.parametrize("protocol", ["POP3", "MBOX"])
def test_a_protocol_that_cannot_mark_or_has_no_folders_says_so(make: Make, protocol: str) -> None:
    box = make(protocol)
    with pytest.raises(OptionError, match=f"cannot mark a message as read by {protocol}"):
        messages(box.connection, mark_seen=True)
    with pytest.raises(OptionError, match=f"{protocol} has no folders"):
        messages(box.connection, folder="Archive")


def test_a_connection_that_sends_cannot_read() -> None:
    connections.save(MailConnection(name="ops", server_host="mail.example.org"))
    with pytest.raises(OptionError, match="SMTP sends mail"):
        messages("ops")


def test_another_folder_is_read_and_an_open_session_keeps_its_own(make: Make) -> None:
    box = make("IMAP")
    with connect(box.connection) as session:
        session.folder.create("Ärchiv")
        session.append(mail("archived").raw, "Ärchiv")
        assert [message.subject for message in messages(session, folder="Ärchiv")] == ["archived"]
        assert session.folder.get() == "INBOX"
        assert not session.client.is_readonly
        assert [message.subject for message in messages(session, limit=1)] == NEWEST_FIRST[:1]
    assert subjects(box, folder="Ärchiv") == ["archived"]
    with pytest.raises(MailConnError, match="did not open the folder 'Nowhere'"):
        subjects(box, folder="Nowhere")


def test_a_session_that_leaves_the_folder_meanwhile_is_told_before_it_reads_other_messages(make: Make) -> None:
    box = make("IMAP")
    with connect(box.connection) as session:
        session.folder.create("Other")
        found = messages(session)
        next(found)
        session.folder.set("Other")
        with pytest.raises(MailConnError, match="has left the folder 'INBOX'"):
            list(found)


def test_what_is_deleted_while_it_is_read_is_left_out_and_nothing_comes_twice(make: Make) -> None:
    box = make("IMAP", [mail(f"number {number}") for number in range(2000)])
    with connect(box.connection) as session, connect(box.connection) as other:
        found = messages(session, body=False)
        seen = [next(found).subject for _ in range(500)]
        other.delete([message.uid for message in messages(other, body=False, limit=1200)][400:1200])
        seen += [message.subject for message in found]
    assert len(seen) == len(set(seen))
    assert seen[:500] == [f"number {number}" for number in range(1999, 1499, -1)]
    # Nothing of what is still there is missing.
    assert set(seen) >= {f"number {number}" for number in range(800)}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_broken_message_raises_or_keeps_another_one_from_being_read(make: Make, protocol: str) -> None:
    box = make(protocol, [Mail(broken.raw) for broken in BROKEN])
    for body in (False, True):
        found = list(messages(box.connection, body=body))
        assert len(found) == len(BROKEN)
        for message in found:
            assert str(everything(message)).encode("utf-8")
        subjects = [message.subject for message in reversed(found)]
        # A server, or what a mailbox file adds, may change what stands at the very beginning, and NULs.
        same = [got.startswith(broken.subject) for got, broken in zip(subjects, BROKEN, strict=True)]
        assert same.count(False) <= 3
        assert len(to_frame(found)) == len(BROKEN)
    assert "grüße" in {message.subject for message in messages(box.connection, subject="grüße", since="2000-01-01")}


# How much is read


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """The bytes that came over links, and the commands that went."""
    count = {"bytes": 0, "sent": 0}
    fill, sendall = Channel._fill, Channel.sendall

    def counting_fill(self: Channel) -> bool:
        before = len(self._buffer)
        more = fill(self)
        count["bytes"] += len(self._buffer) - before
        return more

    def counting_sendall(self: Channel, data: Any) -> None:
        count["sent"] += 1
        sendall(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "_fill", counting_fill)
        patch.setattr(Channel, "sendall", counting_sendall)
        yield count


def test_the_newest_hundred_of_ten_thousand_cost_what_those_of_a_thousand_cost(make: Make) -> None:
    mails = [mail(f"number {number:05}") for number in range(100)]
    counts = []
    for size in (1_000, 10_000):
        box = make("IMAP", mails * (size // 100))
        with counted() as count:
            frame = to_frame(box.connection, limit=100)
        assert list(frame["subject"]) == [f"number {number:05}" for number in range(99, -1, -1)]
        counts.append(count)
    small, large = counts
    # The same commands; and answers that differ by some digits of numbers, and of the times that the server tells.
    assert large["sent"] == small["sent"]
    assert large["bytes"] == pytest.approx(small["bytes"], rel=0.03)


def test_a_search_with_a_limit_ends_where_enough_was_found(make: Make) -> None:
    box = make("IMAP", [mail("number 0"), mail("number 1")] * 1_500)
    with connect(box.connection) as session:
        start = len(session.transcript)
        assert len(list(messages(session, subject="number 1", limit=10, body=False))) == 10
        searches = [line for line in session.transcript[start:] if "UID SEARCH" in line]
    assert len(searches) == 1
    assert "2001:3000" in searches[0]


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_a_mailbox_without_a_login_is_told_to_need_one(
    protocol: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot(protocol, dovecot, certificates, use_authentication=False)
    for read in (lambda: next(messages(connection)), lambda: to_frame(connection)):
        with pytest.raises(MailConnError, match="needs a login, and this session has none") as caught:
            read()
        assert "--username" in caught.value.hint
    with connect(connection) as session:
        with pytest.raises(imaplib.IMAP4.error if protocol == "IMAP" else poplib.error_proto, match="needs a login"):
            next(messages(session))
        # And the session goes on.
        assert session.client.noop()[0] == "OK" if protocol == "IMAP" else "UIDL" in session.capa()


def test_the_ends_of_a_large_mailbox_file_are_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "large.mbox"
    large_file(path, 50)
    connection = MailConnection(name="large", protocol="MBOX", server_host=str(path))
    with counted_files() as raw:
        (last,) = messages(connection, limit=1)
        assert (last.subject, last.text) == ("last", "Bye.\n")
        with connect(connection) as session:
            assert session[0]["Subject"] == "first"
        assert len(raw) == 2
        assert all(0 < file.count < 3 * 2**20 for file in raw)
        tracemalloc.start()
        try:
            # To look for one header, all of the file is read, and never held.
            assert [message.size for message in messages(connection, subject="first")] == [23]
            assert [message.subject for message in messages(connection, body=False)] == ["last", "large", "first"]
            assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
        finally:
            tracemalloc.stop()
    assert raw[2].count > 50 * 2**20


@pytest.mark.parametrize("chunk", [7, 64, 2**20])
def test_a_file_read_backwards_has_the_messages_that_mailbox_finds_forwards(
    make: Make, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(by_mbox, "_CHUNK", chunk)
    box = make("MBOX")
    with box.folder.open("ab") as file:
        file.write(b"From x\n\nFrom y\nSubject: not From z\n\n\nFrom\n\nFrom z")
    with connect(box.connection) as session, connect(box.connection) as other:
        spans = [(start, stop) for start, stop, _ in spans_backwards(session._file)]
        assert len(spans) == len(other)
        assert spans == [other._lookup(key) for key in reversed(other.keys())]


def test_a_file_that_changed_meanwhile_is_not_read_as_if_it_had_not(make: Make) -> None:
    box = make("MBOX")
    found = messages(box.connection)
    next(found)
    box.folder.write_bytes(b"x" * box.folder.stat().st_size)
    with pytest.raises(MailConnError, match="changed by another program"):
        list(found)


def test_a_message_that_was_removed_and_not_written_yet_is_not_read(make: Make) -> None:
    box = make("MBOX")
    with connect(box.connection, readonly=False) as session:
        session.remove(7)
        assert next(messages(session)).subject == "日本語の件名"
