"""IMAP servers with habits of their own, as people meet them: sessions open with them, and reading is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, strategies

from mailconn_jupyter import messages
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError, OptionError
from mailconn_jupyter.mailbox.fetched import Fetched, Records
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.imap.errors import LinkLost, Refused
from tests.servers import Certificates, Dovecot
from tests.servers.conversation import Conversation, UnexpectedError
from tests.servers.script import ScriptServer, Send, Step
from tests.support.isolation import give_password
from tests.support.reading import to_dovecot, to_script

Answer = bytes | Callable[[Conversation, str], bytes]
Rules = Sequence[tuple[str, Answer]]


class Answers(Step):
    """Answer each command by the first rule whose pattern fits it (without its tag); TAG stands for the tag. LOGOUT ends it."""

    def __init__(self, *rules: tuple[str, Answer]) -> None:
        self._rules = rules

    def play(self, talk: Conversation) -> bool:
        while True:
            tag, _, command = talk.line().decode().partition(" ")
            if command == "LOGOUT":
                talk.send(f"* BYE\r\n{tag} OK bye\r\n".encode())
                return True
            for pattern, answer in self._rules:
                if re.fullmatch(pattern, command):
                    said = answer if isinstance(answer, bytes) else answer(talk, command)
                    talk.send(said.replace(b"TAG", tag.encode()))
                    break
            else:
                raise UnexpectedError(f"no rule for {command!r}")


CAPABILITY = r"CAPABILITY"
LOGIN = ("AUTHENTICATE PLAIN .*", b"TAG OK in\r\n")
OPEN = (r'(SELECT|EXAMINE) "INBOX"', b"* 3 EXISTS\r\nTAG OK done\r\n")


def offering(words: str) -> tuple[str, Answer]:
    return CAPABILITY, f"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN {words}\r\nTAG OK done\r\n".encode()


@contextmanager
def server_of(
    *rules: tuple[str, Answer], strict: bool = True, **options: Any
) -> Iterator[tuple[MailConnection, ScriptServer]]:
    """A connection to a server that goes by these rules, and the server."""
    give_password("ops", "s3cret-s3cret")
    with ScriptServer([Send(b"* OK hi\r\n"), Answers(*rules)], strict=strict) as server:
        yield to_script("IMAP", server.port, **{"username": "alice", **options}), server


# A server that opens no folder to a client that has not said who it is


def netease() -> Rules:
    """163.com and 126.com, as clients' authors tell of them (mjs/imapclient #544, roundcube/roundcubemail #9414).

    ID (RFC 2971) is offered, and wanted between the login and SELECT or EXAMINE, with a name and a version.
    """
    known = False

    def identified(talk: Conversation, command: str) -> bytes:
        nonlocal known
        known = re.fullmatch(r'ID \("name" "mailconn-jupyter" "version" "[^"]+"\)', command) is not None
        return b'* ID ("name" "Coremail Imap")\r\nTAG OK ID completed\r\n'

    def opened(talk: Conversation, command: str) -> bytes:
        verb = command.partition(" ")[0].encode()
        unsafe = b"TAG NO %s Unsafe Login. Please contact kefu@188.com for help\r\n" % verb
        return b"* 3 EXISTS\r\nTAG OK done\r\n" if known else unsafe

    looking = ("(LIST|STATUS) .*", b"TAG OK done\r\n")
    return [offering("ID"), LOGIN, ("ID .*", identified), ('(SELECT|EXAMINE) "INBOX"', opened), looking]


def test_a_server_that_wants_to_know_who_asks_is_told() -> None:
    with server_of(*netease()) as (connection, _), connect(connection) as mailbox:
        assert mailbox.folder.get() == "INBOX"
    with server_of(*netease()) as (connection, _):
        assert check(connection).ok
    with server_of(*netease()) as (connection, _), connect(connection.copy(use_authentication=False)) as mailbox:
        assert mailbox.login("alice", "s3cret-s3cret").folder.get() == "INBOX"


def test_a_server_that_does_not_ask_who_it_is_is_not_told() -> None:
    with server_of(offering(""), LOGIN, OPEN) as (connection, server), connect(connection):
        pass
    assert not [line for line in server.lines if b" ID " in line]


@pytest.mark.parametrize("answer", [b"TAG NO who?\r\n", b"TAG BAD what?\r\n", b""])
def test_a_server_that_does_not_take_who_asks_is_none_the_worse(answer: bytes) -> None:
    rules = [offering("ID"), LOGIN, ("ID .*", answer), OPEN, ("NOOP", b"TAG OK done\r\n")]
    with server_of(*rules) as (connection, _), connect(connection) as mailbox:
        assert mailbox.noop()[0] == "OK"


def test_who_asks_is_said_without_a_round_trip_of_its_own(dovecot: Dovecot, certificates: Certificates) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        lines = list(mailbox.transcript)
        asked = next(number for number, line in enumerate(lines) if " ID (" in line)
        assert re.fullmatch(r'C: \S+ SELECT "INBOX"', lines[asked + 1])
        assert mailbox.noop()[0] == "OK"


# An account that has no INBOX

NO_INBOX = (r'(SELECT|EXAMINE) "INBOX"', b"TAG NO Mailbox does not exist\r\n")
ARCHIVE = (r'(SELECT|EXAMINE) "?Archive"?', b"* 0 EXISTS\r\nTAG OK done\r\n")


@pytest.mark.parametrize(
    "listed", [b"", b'* LIST (\\Noselect) "/" INBOX\r\n', b'* LIST (\\NonExistent) "/" "INBOX"\r\n']
)
def test_an_account_without_inbox_opens_and_has_its_other_folders(listed: bytes) -> None:
    """RFC 9051, 5.1, has an INBOX for everybody; an account that is there to share folders may have none all the same."""
    looking = [('LIST "" "?INBOX"?', listed + b"TAG OK done\r\n"), ("(LIST|STATUS) .*", b"TAG OK done\r\n")]
    rules = [offering(""), LOGIN, NO_INBOX, ARCHIVE, *looking]
    with server_of(*rules) as (connection, _), connect(connection) as mailbox:
        assert mailbox.folder.get() is None
        assert "does not exist" in mailbox.opening.stages["ready"].facts["INBOX"]
        mailbox.folder.set("Archive")
        assert list(messages(mailbox, folder="Archive")) == []
        with pytest.raises(Refused, match="'INBOX'"):
            list(messages(mailbox))
    with server_of(*rules) as (connection, _):
        assert list(messages(connection, folder="Archive")) == []
    with server_of(*rules) as (connection, _):
        assert check(connection).ok


@pytest.mark.parametrize(
    ("refusal", "listed"),
    [
        (b"TAG NO the disk is away\r\n", b'* LIST () "/" INBOX\r\nTAG OK done\r\n'),
        (b"TAG NO no\r\n", b"TAG NO not now\r\n"),
        (b"TAG BAD what?\r\n", b"TAG OK done\r\n"),
    ],
)
def test_an_inbox_that_is_there_and_is_not_opened_is_still_an_error(refusal: bytes, listed: bytes) -> None:
    rules = [offering(""), LOGIN, (OPEN[0], refusal), ('LIST "" "?INBOX"?', listed)]
    with (
        server_of(*rules, strict=False) as (connection, _),
        pytest.raises(OpenError, match=r"did not (open INBOX|accept SELECT)"),
    ):
        connect(connection)


# FETCH data: updates of one record. Gmail tells the flags apart (modern-email/defects #39), others any item
# (emailjs/emailjs-imap-client #53), and each server what others change meanwhile (RFC 9051, 7.5.2).

HEADER = b"From: ana@example.org\r\nDate: Sun, 22 Nov 2026 08:30:00 +0000\r\nSubject: one\r\n\r\n"
RAW = HEADER + b"Hello.\r\n"
SEARCH = ("UID SEARCH .*", b"* SEARCH 105\r\nTAG OK done\r\n")
ONE = (r'(SELECT|EXAMINE) "INBOX"', b"* 1 EXISTS\r\nTAG OK done\r\n")


def literal(data: bytes, section: bytes = b"") -> bytes:
    return b"BODY[%s] {%d}\r\n%s" % (section, len(data), data)


ABOUT = b'* 1 FETCH (UID 105 FLAGS (\\Seen) INTERNALDATE "22-Nov-2026 09:00:00 +0000" RFC822.SIZE %d)\r\n' % len(RAW)
BODY = b"* 1 FETCH (UID 105 " + literal(RAW) + b")\r\n"
NEWS = b"* 1 FETCH (UID 105 FLAGS (\\Seen \\Answered))\r\n"
BARE_NEWS = b"* 1 FETCH (FLAGS (\\Seen \\Answered))\r\n"

RECORDS = {
    "one answer each": (ABOUT, BODY, {"\\Seen"}),
    "news of a flag before the answer": (NEWS + ABOUT, NEWS + BODY, {"\\Seen", "\\Answered"}),
    "news of a flag after the answer": (ABOUT + NEWS, BODY + NEWS, {"\\Seen", "\\Answered"}),
    "news without the UID": (ABOUT + BARE_NEWS, BARE_NEWS + BODY, {"\\Seen", "\\Answered"}),
    "two answers for one message": (
        b"* 1 FETCH (UID 105 RFC822.SIZE %d)\r\n* 1 FETCH (UID 105 FLAGS (\\Seen))\r\n" % len(RAW),
        b"* 1 FETCH (UID 105)\r\n* 1 FETCH (" + literal(RAW) + b")\r\n",
        {"\\Seen"},
    ),
    "no flags": (b"* 1 FETCH (UID 105 RFC822.SIZE %d)\r\n" % len(RAW), BODY, None),
    "flags with the body alone": (
        b"* 1 FETCH (UID 105 RFC822.SIZE %d)\r\n" % len(RAW),
        b"* 1 FETCH (FLAGS (\\Seen) UID 105 " + literal(RAW) + b")\r\n",
        {"\\Seen"},
    ),
    "a literal that is no body": (
        ABOUT,
        b"* 1 FETCH (UID 105 X-GM-LABELS ({4}\r\nWork) " + literal(RAW) + b")\r\n",
        {"\\Seen"},
    ),
}


@pytest.mark.parametrize(("about", "body", "flags"), RECORDS.values(), ids=RECORDS)
def test_what_a_server_says_of_a_message_is_put_together_however_it_says_it(
    about: bytes, body: bytes, flags: set[str] | None
) -> None:
    whole = (r"UID FETCH 105 \(UID BODY.PEEK\[\]\)", body + b"TAG OK done\r\n")
    header = (
        r"UID FETCH .* BODY.PEEK\[HEADER\]\)",
        about + b"* 1 FETCH (UID 105 " + literal(HEADER, b"HEADER") + b")\r\nTAG OK\r\n",
    )
    rules = [offering(""), LOGIN, ONE, SEARCH, whole, header, ("UID FETCH .*", about + b"TAG OK done\r\n")]
    with server_of(*rules) as (connection, _):
        (message,) = messages(connection)
    assert message.raw == RAW
    assert message.problems == ()
    assert message.size == len(RAW)
    assert message.flags == flags
    assert message.seen is (None if flags is None else True)
    with server_of(*rules) as (connection, _):
        (message,) = messages(connection, body=False)
    assert (message.subject, message.size) == ("one", len(RAW))


def test_a_number_that_another_message_has_by_now_updates_none_of_the_old_one() -> None:
    """Unsolicited data name a message by its number alone, and an EXPUNGE moves the numbers (RFC 9051, 7.5.1)."""
    two = ("UID SEARCH .*", b"* SEARCH 105 106\r\nTAG OK done\r\n")
    size = b"RFC822.SIZE %d" % len(RAW)
    about = b"* 1 FETCH (UID 105 FLAGS () %s)\r\n* 2 FETCH (UID 106 FLAGS () %s)\r\n" % (size, size)
    about += b"* 1 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen))\r\nTAG OK done\r\n"
    body = b"* 1 FETCH (UID 106 " + literal(RAW) + b")\r\nTAG OK done\r\n"
    opened = (r'(SELECT|EXAMINE) "INBOX"', b"* 2 EXISTS\r\nTAG OK done\r\n")
    rules = [offering(""), LOGIN, opened, two, (r"UID FETCH .* \(UID BODY.*", body), ("UID FETCH .*", about)]
    with server_of(*rules) as (connection, _):
        (message,) = messages(connection)
    assert (message.uid, message.flags) == ("106", frozenset())


# A SEARCH that the server does not do

TWO = {105: b"b\xc3\xa4r", 106: b"bear"}


def mailbox_of(search: Answer) -> Rules:
    """Two messages whose subjects are bär and bear; SEARCH without a CHARSET finds both."""

    def fetched(talk: Conversation, command: str) -> bytes:
        said = b""
        for number, (uid, word) in enumerate(TWO.items(), 1):
            raw = b"Subject: " + word + b"\r\nDate: Sun, 22 Nov 2026 08:30:00 +0000\r\n\r\nHello.\r\n"
            if str(uid) in command or ":" in command:
                said += (
                    b"* %d FETCH (UID %d FLAGS () RFC822.SIZE %d " % (number, uid, len(raw)) + literal(raw) + b")\r\n"
                )
        return said + b"TAG OK done\r\n"

    both = ("UID SEARCH .*", b"* SEARCH 105 106\r\nTAG OK done\r\n")
    opened = (r'(SELECT|EXAMINE) "INBOX"', b"* 2 EXISTS\r\nTAG OK done\r\n")
    return [offering(""), LOGIN, opened, ("UID SEARCH CHARSET .*", search), both, ("UID FETCH .*", fetched)]


def continued(end: bytes) -> Answer:
    """Ask for the literal, and answer the whole command then."""

    def ask(talk: Conversation, command: str) -> bytes:
        talk.send(b"+ go on\r\n")
        talk.line()
        return end

    return ask


@pytest.mark.parametrize(
    "answer",
    [
        b"TAG NO [BADCHARSET (US-ASCII)] no\r\n",
        b"TAG NO unsupported search criterion\r\n",
        b"TAG NO [CANNOT] charset not supported\r\n",
        b"TAG BAD Unexpected command\r\n",
        b"TAG OK SEARCH completed\r\n",
        continued(b"TAG NO Search failed\r\n"),
        continued(b"TAG BAD what?\r\n"),
    ],
    ids=["BADCHARSET", "NO", "CANNOT", "BAD", "OK in place of the continuation", "NO at the end", "BAD at the end"],
)
def test_a_text_that_a_server_does_not_search_for_is_compared_here(answer: Answer) -> None:
    """Exchange says NO and BADCHARSET (jstedfast/MailKit #808), Yahoo BAD (iroco-co/aioimaplib #126), others as they like."""
    with server_of(*mailbox_of(answer)) as (connection, _):
        assert [message.uid for message in messages(connection, subject="B\u00c4R")] == ["105"]
    with server_of(*mailbox_of(answer)) as (connection, _):
        # Wherever it stands; then the body is read, and not handed over where nobody wants it.
        (found,) = messages(connection, text="b\u00c4r", body=False)
        assert (found.uid, found.complete, found.raw.endswith(b"\r\n\r\n")) == ("105", False, True)


def test_a_search_that_is_refused_whatever_it_asks_for_is_an_error() -> None:
    refused = [("UID SEARCH.*", b"TAG NO not now\r\n"), *mailbox_of(b"")]
    with server_of(*refused) as (connection, _), pytest.raises(Refused, match="not now"):
        list(messages(connection, subject="b\u00e4r"))


# Days: a server may take a message's day in its own zone, or in UTC (RFC 9051, 6.4.4 disregards the zone)


def by_utc(dates: dict[int, datetime]) -> Rules:
    """A server whose SENTSINCE, SINCE, SENTBEFORE and BEFORE are about the day in UTC.

    Office 365 searches so (moralmunky/Home-Assistant-Mail-And-Packages #315).
    """

    def found(talk: Conversation, command: str) -> bytes:
        uids = []
        for uid, when in dates.items():
            day = when.astimezone(UTC).date()
            limits = [
                (word, datetime.strptime(f"{text} +0000", "%d-%b-%Y %z").date())
                for word, text in re.findall(r"\bSENT(SINCE|BEFORE) (\S+)", command)
            ]
            if all(day >= limit if word == "SINCE" else day < limit for word, limit in limits):
                uids.append(str(uid))
        return f"* SEARCH {' '.join(uids)}\r\nTAG OK done\r\n".encode()

    def fetched(talk: Conversation, command: str) -> bytes:
        said = b""
        for number, (uid, when) in enumerate(dates.items(), 1):
            if str(uid) in command:
                raw = f"Subject: {uid}\r\nDate: {when:%a, %d %b %Y %H:%M:%S %z}\r\n\r\n".encode()
                said += (
                    b"* %d FETCH (UID %d FLAGS () RFC822.SIZE %d " % (number, uid, len(raw)) + literal(raw) + b")\r\n"
                )
        return said + b"TAG OK done\r\n"

    opened = (r'(SELECT|EXAMINE) "INBOX"', b"* %d EXISTS\r\nTAG OK done\r\n" % len(dates))
    return [offering(""), LOGIN, opened, ("UID SEARCH .*", found), ("UID FETCH .*", fetched)]


@pytest.mark.parametrize(
    ("asked", "uids"),
    [
        ({"since": date(2026, 11, 23)}, [3, 2]),
        ({"before": date(2026, 11, 23)}, [1]),
        ({"since": date(2026, 11, 22), "before": date(2026, 11, 23)}, [1]),
        ({"since": date(2026, 11, 23), "before": date(2026, 11, 24)}, [3, 2]),
        ({"since": datetime(2026, 11, 22, 23, 30, tzinfo=UTC)}, [3, 1]),
        ({"since": date.min}, [3, 2, 1]),
        ({"before": date.max}, [3, 2, 1]),
    ],
)
def test_the_day_of_a_message_is_the_one_that_is_written_there_whatever_the_server_counts_by(
    asked: dict[str, Any], uids: list[int]
) -> None:
    dates = {
        1: datetime.fromisoformat("2026-11-22T23:30:00-08:00"),  # the 23rd in UTC
        2: datetime.fromisoformat("2026-11-23T01:00:00+02:00"),  # the 22nd in UTC
        3: datetime.fromisoformat("2026-11-23T12:00:00+00:00"),
    }
    with server_of(*by_utc(dates)) as (connection, _):
        assert [int(message.uid) for message in messages(connection, **asked)] == uids


# Answers that imaplib does not know


def test_an_end_without_a_text_is_an_end() -> None:
    """RFC 9051, 9: resp-text holds one character at least; some servers leave it out, with the blank before it."""
    rules = [
        (CAPABILITY, b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\nTAG OK\r\n"),
        ("AUTHENTICATE PLAIN .*", b"TAG OK\r\n"),
    ]
    rules += [
        (OPEN[0], b"* 1 EXISTS\r\nTAG OK\r\n"),
        ("NOOP", b"TAG NO\r\n"),
        ("UID SEARCH .*", b"* SEARCH\r\nTAG OK\r\n"),
    ]
    with server_of(*rules) as (connection, _), connect(connection) as mailbox:
        assert mailbox.noop() == ("NO", [b""])
        assert list(messages(mailbox, unseen=True)) == []


def rev2(found: bytes) -> Rules:
    """A server of IMAP4rev2 alone, which answers each SEARCH by ESEARCH (RFC 9051, 7.3.4)."""

    def searched(talk: Conversation, command: str) -> bytes:
        return b'* ESEARCH (tag "TAG") ' + found + b"\r\nTAG OK done\r\n"

    def fetched(talk: Conversation, command: str) -> bytes:
        said = b""
        for number in re.findall(rb"[0-9]+", command.partition("(")[0].encode()):
            said += (
                b"* %s FETCH (UID %s FLAGS () RFC822.SIZE %d " % (number, number, len(RAW)) + literal(RAW) + b")\r\n"
            )
        return said + b"TAG OK done\r\n"

    capability = (CAPABILITY, b"* CAPABILITY IMAP4rev2 AUTH=PLAIN SASL-IR\r\nTAG OK done\r\n")
    return [capability, LOGIN, OPEN, ("(UID )?SEARCH .*", searched), ("UID FETCH .*", fetched)]


@pytest.mark.parametrize(
    ("found", "uids"),
    [
        (b"UID ALL 2,4:5", [5, 4, 2]),
        (b"UID ALL 7", [7]),
        (b"UID", []),
        (b"UID ALL 5:4", [5, 4]),
        (b"UID ALL 5 MODSEQ 917162500", [5]),
    ],
)
def test_a_server_of_imap4rev2_alone_opens_and_is_searched(found: bytes, uids: list[int]) -> None:
    with server_of(*rev2(found)) as (connection, _), connect(connection) as mailbox:
        assert "IMAP4REV2" in mailbox.opening.stages["greet"].facts["Capabilities"]
        assert [int(message.uid) for message in messages(mailbox, unseen=True, limit=9, body=False)] == uids
        assert mailbox.uids("UNSEEN") == [str(uid) for uid in sorted(uids)]


def test_an_answer_to_an_extended_search_stays_what_it_is_for_who_asked_for_one() -> None:
    with server_of(*rev2(b"UID COUNT 17")) as (connection, _), connect(connection) as mailbox:
        mailbox.client.uid("SEARCH", "RETURN", "(COUNT)", "ALL")
        (said,) = mailbox.client.untagged_responses["ESEARCH"]
        assert isinstance(said, bytes)
        assert said.endswith(b"UID COUNT 17")


@pytest.mark.parametrize(
    "found", [b"UID ALL 1:4294967295", b"UID ALL 1:99999999999999999999999", b"UID ALL " + b"1:1999999," * 50 + b"1"]
)
def test_a_search_that_finds_more_than_any_folder_holds_ends_the_session(found: bytes) -> None:
    with (
        server_of(*rev2(found), strict=False) as (connection, _),
        connect(connection) as mailbox,
        pytest.raises(LinkLost, match="2000000 messages"),
    ):
        list(messages(mailbox, unseen=True))


@pytest.mark.parametrize(
    "wire", [b'"\\\\" "Team\\\\Plans"', b'"\\\\" {10}\r\nTeam\\Plans'], ids=["quoted", "a literal"]
)
def test_a_folder_is_opened_by_the_name_that_it_is_listed_by(wire: bytes) -> None:
    """Domino parts the levels of a name by a backslash, which is doubled within quotes (RFC 9051, 4.3)."""
    plans = (r'(SELECT|EXAMINE) "Team\\\\Plans"', b"* 0 EXISTS\r\nTAG OK done\r\n")
    rules = [offering(""), LOGIN, OPEN, ("LIST .*", b"* LIST () " + wire + b"\r\nTAG OK done\r\n"), plans]
    with server_of(*rules) as (connection, _), connect(connection) as mailbox:
        (folder,) = mailbox.folder.list()
        assert (folder.name, folder.delim) == ("Team\\Plans", "\\")
        assert list(messages(mailbox, folder=folder.name)) == []
        mailbox.folder.set(folder.name)


def test_no_folder_is_the_inbox_and_what_is_no_name_is_refused() -> None:
    with server_of(offering(""), LOGIN, (OPEN[0], b"* 0 EXISTS\r\nTAG OK done\r\n")) as (connection, _):
        assert list(messages(connection, folder=None)) == []
    with pytest.raises(OptionError, match="folder must be the name"):
        messages(connection, folder=7)  # type: ignore[arg-type]  # what is tested


ITEMS = {
    "flags": b"FLAGS (\\Seen)",
    "size": b"RFC822.SIZE %d" % len(RAW),
    "arrived": b'INTERNALDATE "22-Nov-2026 09:00:00 +0000"',
    "raw": b"",
}


@given(
    order=strategies.permutations([(number, item) for number in (1, 2, 3) for item in ITEMS]),
    named=strategies.lists(strategies.booleans(), min_size=12, max_size=12),
)
def test_a_record_is_the_same_however_its_items_are_dealt(order: list[tuple[int, str]], named: list[bool]) -> None:
    """Each item in an answer of its own, of any message in any order, with the UID or by the number alone."""
    records = Records()
    records.asked.update((101, 102, 103))
    for (number, item), has_uid in zip(order, named, strict=True):
        uid = b"UID %d " % (100 + number) if has_uid else b""
        said = b"%d (%s" % (number, uid)
        if item == "raw":
            records.add([(said + b"BODY[] {%d}" % len(RAW), RAW), b")"])
        else:
            records.add([said + ITEMS[item] + b")"])
    for number in (1, 2, 3):
        records.add([b"%d (UID %d)" % (number, 100 + number)])
        arrived = "22-Nov-2026 09:00:00 +0000"
        assert records.by_uid[100 + number] == Fetched(100 + number, ("\\Seen",), len(RAW), arrived, RAW)
