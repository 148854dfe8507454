"""Messages on their way while others are handed over: left half-way, cut, mixed up, expunged, forked; and what that costs."""

from __future__ import annotations

import gc
import itertools
import os
import random
import re
import threading
import traceback
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

import pytest

from mailconn_jupyter import ParsedMessage, messages, to_frame
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.mailbox import read_ahead
from mailconn_jupyter.mailbox.fetched import Fetched
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.imap.errors import LinkLost
from mailconn_jupyter.session.imap.session import IMAPSession
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do
from tests.fuzz.corpus import MESSAGES
from tests.message.test_parsed import everything
from tests.servers.certificates import Certificates
from tests.servers.conversation import Conversation
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Cut, Relay
from tests.servers.script import ScriptServer
from tests.support.broken_mail import BROKEN
from tests.support.isolation import give_password
from tests.support.mailboxes import Mail, Mailbox, mail, mailbox_of
from tests.support.reading import to_script
from tests.support.scripted_mailboxes import uids

_numbers = itertools.count()

Make = Callable[[int], Mailbox]

#: What a hostile or a talkative server says between two answers.
RUBBISH = [
    b"* 3 EXISTS\r\n",
    b"* OK [ALERT] tea is ready\r\n",
    b"* 2 FETCH (FLAGS (\\Answered))\r\n",
    b"* 4000 FETCH (UID 9999 FLAGS (\\Seen) RFC822.SIZE 5 BODY[] {5}\r\nother)\r\n",
    b"* 77 FETCH ()\r\n",
    b'* LIST () "/" Tea\r\n',
    b"* SEARCH 1 2 3\r\n",
    b"* X-TEA (a b c)\r\n",
]


@pytest.fixture
def make(dovecot: Dovecot, certificates: Certificates, request: pytest.FixtureRequest) -> Make:
    """Makes a folder with so many messages, each with a file of its own size."""

    def made(count: int) -> Mailbox:
        tmp_path = request.getfixturevalue("tmp_path")
        mails = [mail(f"number {number}", text="x" * 70 * (number % 50 + 1), file="a.csv") for number in range(count)]
        return mailbox_of(
            "IMAP", f"ahead{next(_numbers)}", mails, dovecot=dovecot, certificates=certificates, folder=tmp_path
        )

    return made


def subjects(count: int) -> list[str]:
    return [f"number {number}" for number in range(count - 1, -1, -1)]


def in_flight(session: IMAPSession) -> bool:
    return session.client.ahead is not None


# What it costs


def turns(box: Mailbox, port: int, read: Callable[[MailConnection], object]) -> int:
    """How often this side has spoken after the server, in all but the opening and the farewell."""
    counts = []
    for work in (read, lambda connection: connect(connection, readonly=True).quit()):
        with Relay(port, round_trip=0.02) as link:
            work(box.connection.copy(server_port=link.port))
            counts.append(link.turns)
    return counts[0] - counts[1]


def test_a_table_of_whole_messages_costs_few_round_trips(make: Make, dovecot: Dovecot) -> None:
    box = make(400)
    # SEARCH, sizes, and bodies of which the next are asked for before the last have come.
    assert turns(box, dovecot.imap, lambda connection: to_frame(connection, body=True)) <= 7
    assert turns(box, dovecot.imap, lambda connection: list(messages(connection))) <= 9
    assert turns(box, dovecot.imap, lambda connection: to_frame(connection, limit=100)) <= 2
    assert turns(box, dovecot.imap, lambda connection: next(messages(connection, limit=1))) <= 2
    assert turns(box, dovecot.imap, lambda connection: to_frame(connection, subject="number 7")) <= 2


def test_what_is_read_and_on_its_way_is_a_few_megabytes(
    dovecot: Dovecot, certificates: Certificates, request: pytest.FixtureRequest
) -> None:
    mails = [Mail(b"Subject: %d\n\n" % number + (b"x" * 76 + b"\n") * 3_000) for number in range(120)]
    box = mailbox_of(
        "IMAP",
        f"ahead{next(_numbers)}",
        mails,
        dovecot=dovecot,
        certificates=certificates,
        folder=request.getfixturevalue("tmp_path"),
    )
    tracemalloc.start()
    try:
        assert sum(1 for _ in messages(box.connection)) == 120
        whole = sum(len(each.raw) for each in mails)
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20 < whole
    finally:
        tracemalloc.stop()


def test_a_message_that_is_larger_than_what_is_asked_for_at_first_is_whole(
    dovecot: Dovecot, certificates: Certificates, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [100, 4095, 4096, 4097, 9000]
    mails = [Mail(b"Subject: s\r\n\r\n" + b"x" * (size - 14)) for size in sizes]
    box = mailbox_of(
        "IMAP",
        f"ahead{next(_numbers)}",
        mails,
        dovecot=dovecot,
        certificates=certificates,
        folder=request.getfixturevalue("tmp_path"),
    )
    monkeypatch.setattr(read_ahead, "_BEGINNING", 4096)
    for newest in range(1, len(sizes) + 1):
        with connect(box.connection) as session:
            found = [len(message.raw) for message in messages(session)]
            assert found == sizes[::-1][newest - 1 :]
            session.delete(session.uids()[-1])


def test_who_takes_long_over_a_message_has_none_waiting_in_the_link(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make(60)
    with connect(box.connection) as session:
        hurried = [in_flight(session) for _ in messages(session)]
        monkeypatch.setattr(read_ahead, "_HASTE", -1.0)
        found = messages(session)
        first = next(found)
        # The sizes of those that follow it, which are few bytes.
        session.noop()
        slow = [in_flight(session) for _ in found]
    assert first.subject == "number 59"
    assert True in hurried
    assert True not in slow


# Left half-way


@pytest.mark.parametrize("taken", [1, 2, 5, 6, 21, 60])
@pytest.mark.parametrize("body", [True, False])
def test_a_session_whose_read_was_left_half_way_answers_what_is_asked_next(make: Make, taken: int, body: bool) -> None:
    box = make(300)
    with connect(box.connection) as session:
        found = messages(session, body=body, limit=250)
        assert [next(found).subject for _ in range(taken)] == subjects(300)[:taken]
        found.close()
        assert len(session.uids()) == 300
        # And one that nobody has closed.
        for number, message in enumerate(messages(session, body=body)):
            assert message.subject == subjects(300)[number]
            if number == taken:
                break
        assert session.folder.status("INBOX")["MESSAGES"] == 300
        assert [message.subject for message in messages(session, limit=3)] == subjects(300)[:3]
        assert not in_flight(session)


def test_a_session_of_its_own_is_closed_at_once_when_the_read_is_left(make: Make) -> None:
    box = make(200)
    for message in messages(box.connection, limit=150):
        assert message.subject == "number 199"
        break
    gc.collect()
    with closing(messages(box.connection)) as found:
        assert [next(found).subject for _ in range(30)] == subjects(200)[:30]


def test_what_was_left_is_not_kept(make: Make) -> None:
    box = make(300)
    with connect(box.connection) as session:
        found = messages(session, limit=250)
        next(found)
        assert in_flight(session)
        records = session.client.ahead._take.__self__  # type: ignore[union-attr]
        found.close()
        session.noop()
        assert (records.by_uid, records.asked) == ({}, set())


def test_other_commands_between_two_messages_are_answered_and_nothing_is_lost(make: Make) -> None:
    box = make(150)
    with connect(box.connection) as session:
        seen = []
        for number, message in enumerate(messages(session, limit=140)):
            seen.append(message.subject)
            match number % 5:
                case 0:
                    session.flag(message.uid, ["\\Flagged"], True)
                case 1:
                    assert len(session.uids()) == 150
                case 2:
                    # Two reads of one session, one within the other.
                    assert next(messages(session, limit=1)).subject == "number 149"
                case 3 if number < 20:
                    inner = [each.subject for each in messages(session, body=False)]
                    assert inner == subjects(150)
        assert seen == subjects(150)[:140]
        assert len(list(messages(session, flagged=True, body=False))) == 28


def test_two_reads_of_one_session_that_take_turns_have_all_messages(make: Make) -> None:
    box = make(120)
    with connect(box.connection) as session:
        pairs = list(zip(messages(session, limit=110), messages(session, body=False, limit=110), strict=True))
    assert [(one.subject, two.subject) for one, two in pairs] == [(each, each) for each in subjects(120)[:110]]
    assert all(one.raw.startswith(two.raw) for one, two in pairs)


def test_what_is_expunged_while_it_is_on_its_way_is_left_out_and_nothing_comes_twice(make: Make) -> None:
    box = make(300)
    chance = random.Random(5)
    with connect(box.connection) as session, connect(box.connection) as other:
        seen = []
        left = other.uids()
        for number, message in enumerate(messages(session, limit=300)):
            assert message.attachments
            seen.append(message.subject)
            if number % 20 == 0:
                gone = chance.sample(left, 5)
                left = [uid for uid in left if uid not in gone]
                other.delete(gone)
            if number % 50 == 7:
                session.noop()
        kept = {message.subject for message in messages(other, body=False)}
    assert len(seen) == len(set(seen))
    assert set(seen) >= kept


# Cut, cancelled, interrupted


def test_a_link_that_is_cut_anywhere_is_an_error_of_ours_and_what_came_before_is_right(
    make: Make, dovecot: Dovecot
) -> None:
    box = make(80)
    raw = [message.raw for message in messages(box.connection)]
    with Relay(dovecot.imap) as whole:
        list(messages(box.connection.copy(server_port=whole.port), limit=80))
    lost = 0
    for part in range(1, 40):
        cut = Cut(whole.bytes_from_server * part // 40, reset=part % 2 == 0)
        with Relay(dovecot.imap, to_client=cut) as link:
            found = messages(box.connection.copy(server_port=link.port), limit=80)
            came: list[bytes] = []
            try:
                came.extend(message.raw for message in found)
            except MailConnError:
                lost += 1
            assert came == raw[: len(came)]
    assert lost > 30


def test_a_session_that_was_cut_while_messages_were_on_their_way_says_so_from_then_on(
    make: Make, dovecot: Dovecot
) -> None:
    box = make(900)
    with Relay(dovecot.imap) as link:
        session = connect(box.connection.copy(server_port=link.port))
        found = messages(session, limit=890)
        next(found)
    for again in (lambda: list(found), session.noop, lambda: next(messages(session))):
        with pytest.raises(MailConnError):
            again()
    session.quit()


def test_a_cancel_ends_a_read_whose_answers_are_on_their_way(make: Make, dovecot: Dovecot) -> None:
    box = make(200)
    cancel = threading.Event()
    session = IMAPSession(connection=box.connection, cancel=cancel)
    found = messages(session, limit=200)
    next(found)
    cancel.set()
    with pytest.raises(LinkLost) as caught:
        list(found)
    assert caught.value.cause == "cancelled"


def test_an_interrupt_in_an_answer_closes_the_link(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = make(200)
    with connect(box.connection) as session:
        found = messages(session, limit=200)
        next(found)
        readline = session.client.sock.readline
        lines = itertools.count()

        def interrupted(size: int) -> bytes:
            if next(lines) == 20:
                raise KeyboardInterrupt
            return bytes(readline(size))

        monkeypatch.setattr(session.client.sock, "readline", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(found)
        with pytest.raises(LinkLost, match="closed"):
            session.noop()


# A fork


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("taken", [1, 10, 40])
def test_parent_and_child_of_a_fork_each_read_the_rest_over_links_of_their_own(make: Make, taken: int) -> None:
    box = make(150)
    with connect(box.connection) as session:
        found = messages(session, limit=140)
        assert [next(found).subject for _ in range(taken)] == subjects(150)[:taken]
        assert in_flight(session)
        process = os.fork()
        if not process:
            code = 1
            try:
                assert [message.subject for message in found] == subjects(150)[taken:140]
                assert len(session.uids()) == 150
                code = 0
            except BaseException:  # noqa: BLE001  # the parent is told by the code
                traceback.print_exc()
            finally:
                os._exit(code)
        assert [message.subject for message in found] == subjects(150)[taken:140]
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        assert len(session.uids()) == 150


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_that_leaves_a_read_takes_nothing_from_its_parent(make: Make) -> None:
    box = make(150)
    with connect(box.connection) as session:
        found = messages(session, limit=140)
        next(found)
        process = os.fork()
        if not process:
            found.close()
            session.quit()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        assert len(list(found)) == 139


# Servers that answer in another order, or say more


class Mixed:
    """A server that answers two FETCH at once, in any order; ``rubbish`` stands between its answers."""

    def __init__(self, mails: Mapping[int, bytes], seed: int, rubbish: bool) -> None:
        self._mails, self._chance, self._rubbish = mails, random.Random(seed), rubbish

    def serve(self, talk: Conversation) -> None:
        line = talk.line().decode()
        while True:
            tag, _, command = line.partition(" ")
            line = ""
            if command.startswith(("EXAMINE", "SELECT")):
                talk.send(f"* {len(self._mails)} EXISTS\r\n{tag} OK [READ-ONLY] done\r\n".encode())
            elif command.startswith("UID SEARCH"):
                talk.send(f"* SEARCH {' '.join(map(str, self._mails))}\r\n{tag} OK done\r\n".encode())
            elif command.startswith("UID FETCH"):
                line = self._several(talk, (tag, command))
            else:
                talk.send(f"* BYE\r\n{tag} OK done\r\n".encode())
                return
            line = line or talk.line().decode()

    def _several(self, talk: Conversation, first: tuple[str, str]) -> str:
        """Answer what is in flight, the tagged lines last and in another order; returns a line that is no FETCH."""
        asked, line = [first], ""
        while talk.comes(0.05):
            tag, _, command = (line := talk.line().decode()).partition(" ")
            if not command.startswith("UID FETCH"):
                break
            asked.append((tag, command))
            line = ""
        said = [each for _, command in asked for each in self._answers(*command.split(" ", 3)[2:])]
        self._chance.shuffle(said)
        ends = [f"{tag} OK done\r\n".encode() for tag, _ in asked]
        self._chance.shuffle(ends)
        for each in (*said, *ends):
            if self._rubbish:
                talk.send(self._chance.choice(RUBBISH))
            talk.send(each)
        return line

    def _answers(self, numbers: str, items: str) -> Iterator[bytes]:
        for uid in uids(numbers):
            raw = self._mails[uid]
            about = f"* {sorted(self._mails).index(uid) + 1} FETCH (UID {uid} FLAGS () RFC822.SIZE {len(raw)}".encode()
            if "HEADER" in items:
                raw = raw[: raw.index(b"\r\n\r\n") + 4]
            if (part := re.search(r"<0\.(\d+)>", items)) is not None:
                raw = raw[: int(part[1])]
            yield about + (b" BODY[] {%d}\r\n%s)\r\n" % (len(raw), raw) if "BODY" in items else b")\r\n")


@contextmanager
def mixed(mails: Mapping[int, bytes], seed: int, *, rubbish: bool) -> Iterator[MailConnection]:
    kit = IMAPKit()
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    with ScriptServer([*script, Do(Mixed(mails, seed, rubbish).serve)], strict=False) as server:
        yield to_script("IMAP", server.port, username="alice")


@pytest.mark.parametrize("rubbish", [False, True])
@pytest.mark.parametrize("body", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_answers_in_any_order_with_anything_between_are_each_taken_for_what_they_are(
    seed: int, body: bool, rubbish: bool
) -> None:
    head = b"Date: Sun, 22 Nov 2026 08:30:00 +0000\r\nSubject: %d\r\n\r\n"
    mails = {uid: head % uid + b"x" * uid for uid in range(1, 301)}
    with mixed(mails, seed, rubbish=rubbish) as connection:
        found = list(messages(connection, body=body, limit=290))
    assert [int(message.uid) for message in found] == list(range(300, 10, -1))
    for message in found:
        assert message.subject == message.uid
        assert not body or message.raw == mails[int(message.uid)]


def test_every_broken_message_has_the_parts_that_its_bytes_have_whatever_is_on_its_way_with_it() -> None:
    raws = [*dict.fromkeys([*(each.raw for each in BROKEN), *MESSAGES])]
    mails = dict(enumerate((raw for raw in raws if len(raw) < 2_000_000), 1))
    with mixed(mails, 7, rubbish=True) as connection:
        hurried = list(messages(connection, limit=len(mails)))
    with mixed(mails, 8, rubbish=True) as connection:
        slow = list(messages(connection))
    for found in (hurried, slow):
        assert [message.raw for message in reversed(found)] == list(mails.values())
    for message in hurried:
        alone = ParsedMessage(message.raw, uid=message.uid, flags=())
        assert (message.parts, message.html, message.text) == (alone.parts, alone.html, alone.text)
        assert everything(message) == everything(alone)


# One answer


@pytest.mark.parametrize(
    "said",
    [
        b"7 (UID 105 FLAGS (\\Seen $x) RFC822.SIZE 12 BODY[HEADER] {4}",
        b"7 (FLAGS () UID 105 RFC822.SIZE 12 BODY[] {4}",
        b"7 (RFC822.SIZE 12 BODY[]<0> {4}",
        b"7 (BODY[] {4}",
    ],
)
def test_what_is_usual_in_an_answer_is_read_as_anything_else_in_one_is(said: bytes) -> None:
    at_once = Fetched.of([(said, b"data"), b")"])
    assert at_once.raw == b"data"
    assert at_once == Fetched.of([(said, b"data"), b" X-NEW 1)"])


def test_a_message_is_read_the_same_alone_and_among_others(make: Make) -> None:
    box = make(100)
    with connect(box.connection) as session:
        among: list[ParsedMessage] = list(messages(session))
        for number in (0, 3, 57):
            (alone,) = messages(session, subject=f"number {99 - number}", limit=1)
            assert (alone.raw, alone.size, alone.flags) == (among[number].raw, among[number].size, among[number].flags)
