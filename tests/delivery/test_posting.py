"""Many messages on their way at once: what is said of each is what became of it, whatever the server says in the midst."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import uuid
from collections.abc import Iterator

import pytest

from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.errors import LinkLost, ServerClosing
from mailconn_jupyter.session.smtp.pipeline import Fate, Posted, Posting, post
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates
from tests.servers.counting import CountingServer
from tests.servers.dovecot import Dovecot
from tests.servers.pipelining import BOTH, GROUPED, PipeliningServer
from tests.servers.postfix import Postfix
from tests.servers.relay import Relay
from tests.servers.script import Expect, ExpectBytes, Pause, ScriptServer, Send
from tests.servers.steps import Step
from tests.support.isolation import give_password
from tests.support.posting import MODES, WINDOW, connection_to, cut_often, posted

CUTS = int(os.environ.get("MAILCONN_CUTS", "20"))
ANA, GONE, GREY = "ana@example.test", "gone@example.test", "grey@example.test"


def outcomes(told: dict[str, Fate]) -> list[str]:
    return [fate.outcome for fate in told.values()]


def sent(session: SMTPSession, *messages: Posted | None, window: int = 1) -> dict[object, list[str]]:
    return {message.key: outcomes(told) for message, told in post(session, messages, window=window)}


def subjects(server: PipeliningServer | CountingServer) -> list[str]:
    return [each.content.partition(b"\r\n")[0].decode().removeprefix("Subject: ") for each in server.taken]


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> tuple[tuple[str, ...], int]:
    return MODES[request.param]


# A link that is cut


@pytest.mark.parametrize("mode", MODES)
def test_what_is_said_of_each_message_is_true_wherever_the_link_is_cut(mode: str, certificates: Certificates) -> None:
    found = cut_often(mode, CUTS, certificates, seed=CUTS)
    assert found.wrong == []
    assert found.broken > CUTS // 2
    assert 0 < found.most_unknown <= (WINDOW if mode == "BDAT" else 1)
    assert all(found.outcomes[outcome] for outcome in ("accepted", "refused", "unknown", "not sent"))


# Refused amid the others


def test_each_message_has_its_own_fate_amid_the_others(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode
    messages = [
        posted("first"),
        posted("nobody", GONE, GREY),
        posted("some", ANA, GONE, "eva@example.test"),
        posted("huge", size=1_100_000),
        posted("greylisted", GREY),
        posted("large", size=400_000),
        posted("large to nobody", GONE, size=400_000),
        posted("last"),
    ]
    with PipeliningServer(offers) as server, connect(connection_to(server.port)) as session:
        told = {message.key: fates for message, fates in post(session, messages, window=window)}
        # The session goes on as ever.
        assert session.sendmail("bob@example.test", [ANA], b"Subject: after\r\n\r\n") == {}
    assert list(told) == [message.key for message in messages]
    assert {key: outcomes(fates) for key, fates in told.items()} == {
        "first": ["accepted"],
        "nobody": ["refused"] * 2,
        "some": ["accepted", "refused", "accepted"],
        "huge": ["refused" if offers else "accepted"],
        "greylisted": ["refused"],
        "large": ["accepted"],
        "large to nobody": ["refused"],
        "last": ["accepted"],
    }
    assert str(told["some"][GONE].reply) == "550 5.1.1 no such user"
    assert str(told["greylisted"][GREY].reply) == "450 4.2.0 greylisted"
    assert str(told["first"][ANA].reply) == "250 2.0.0 taken"
    if offers:
        huge = told["huge"][ANA]
        assert (huge.reply and huge.reply.code, "1.0 MB" in huge.words) == (552, True), huge
    taken = ["first", "some", *([] if offers else ["huge"]), "large", "last", "after"]
    assert subjects(server) == taken
    assert server.taken[1].recipients == (ANA, "eva@example.test")
    for each in server.taken[:-1]:
        # The leading dot is one, however it travelled.
        assert each.content.split(b"\r\n")[2] == b"."


def test_a_server_that_says_go_on_for_nobody_gets_a_dot_and_takes_no_empty_message() -> None:
    with PipeliningServer(GROUPED, go_on=True) as server, connect(connection_to(server.port)) as session:
        told = sent(session, posted("nobody", GONE), posted("second"), posted("again", GREY))
        assert told == {"nobody": ["refused"], "second": ["accepted"], "again": ["refused"]}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            session.sendmail("bob@example.test", [GONE], b"Subject: alone\r\n\r\n")
    assert subjects(server) == ["second"]
    assert server.lines.count("(0 bytes)") == 3


def test_a_go_on_after_a_refused_sender_that_took_somebody_ends_the_link() -> None:
    def answer(line: str) -> str | None:
        return "550 5.7.1 not you" if line.startswith("mail") else "250 ok" if line.startswith("rcpt") else None

    with PipeliningServer(GROUPED, answer=answer, go_on=True) as server, connect(connection_to(server.port)) as session:
        told = until_lost(post(session, [posted("first"), posted("second")]))
        assert told == {"first": ["refused"]}
        with pytest.raises(smtplib.SMTPSenderRefused):
            session.sendmail("bob@example.test", [ANA], b"Subject: alone\r\n\r\n")
    assert server.taken == []
    assert "(0 bytes)" not in server.lines


def until_lost(posting: Posting, kind: type[LinkLost] = LinkLost) -> dict[object, list[str]]:
    """What is told before the loss is raised."""
    told: list[tuple[Posted, dict[str, Fate]]] = []
    with pytest.raises(kind):
        told.extend(posting)
    assert next(posting, None) is None
    return {message.key: outcomes(fates) for message, fates in told}


# The server ends it, or is out of step


def test_a_421_amid_ends_it_after_what_was_taken_has_been_told(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode
    messages = [posted(number, "close@example.test" if number == 4 else ANA) for number in range(30)]
    with PipeliningServer(offers) as server:
        session = connect(connection_to(server.port))
        told = until_lost(post(session, messages, window=window), ServerClosing)
        server.wait()
        assert subjects(server) == ["0", "1", "2", "3"]
        assert [told[number] for number in range(5)] == [["accepted"]] * 4 + [["not sent"]]
        # Of those behind it some had left, whole, and nothing was said of them.
        behind = [said for key, said in told.items() if key not in range(5)]
        assert all(said in (["unknown"], ["not sent"]) for said in behind)
        assert len(behind) <= window - (window > 1)
        # It opens again for the rest.
        assert sent(session, posted("after"), window=window) == {"after": ["accepted"]}
        session.quit()


def test_too_many_errors_end_it_and_whoever_was_refused_is_refused(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode
    messages = [posted(number, GONE if number % 2 else ANA) for number in range(20)]
    with PipeliningServer(offers, most_errors=4) as server, connect(connection_to(server.port)) as session:
        told = until_lost(post(session, messages, window=window), ServerClosing)
        server.wait()
        there = {int(subject) for subject in subjects(server)}
    assert there
    for key, (outcome,) in told.items():
        assert isinstance(key, int)
        assert outcome in ({"accepted"} if key in there else {"refused", "not sent", "unknown"}), (key, outcome)
        if outcome == "refused":
            assert key % 2
    assert "refused" in {outcome for (outcome,) in told.values()}


@pytest.mark.parametrize("chunking", [False, True])
@pytest.mark.parametrize("surplus", [b"250 ok\r\n", b"250-ok\r\n250 ok\r\n", b"354 go\r\n", b"nonsense\r\n"])
@pytest.mark.parametrize("place", range(4))
def test_a_server_that_says_more_than_it_was_asked_is_left_and_nothing_of_it_is_believed(
    chunking: bool, surplus: bytes, place: int
) -> None:
    message = posted("first")
    hello: list[Step] = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250-mail.test\r\n250-SIZE\r\n250-PIPELINING\r\n"),
    ]
    hello.append(Send(b"250 CHUNKING\r\n" if chunking else b"250 DSN\r\n"))
    group: list[Step] = [
        Expect(rb"rset"),
        Expect(rb"mail .*"),
        Expect(rb"rcpt .*"),
        Expect(rb"BDAT .*" if chunking else rb"DATA"),
    ]
    replies = [b"250 ok\r\n"] * 3 + [b"554 5.6.0 no\r\n" if chunking else b"354 go\r\n"]
    replies.insert(place, surplus)
    if chunking:
        group.append(ExpectBytes(len(message.data)))
    with (
        ScriptServer([*hello, *group, Send(b"".join(replies))]) as server,
        connect(connection_to(server.port)) as session,
    ):
        told = until_lost(post(session, [message], window=1 + chunking))
    assert told == {"first": ["unknown" if chunking else "not sent"]}


def test_a_server_that_offers_less_within_tls_than_before_gets_no_more_than_that(certificates: Certificates) -> None:
    options = {"secure_authentication_type": "TLS"}
    tls = certificates.good.server_context()
    with (
        PipeliningServer((*BOTH, "STARTTLS"), tls=tls, offers_in_tls=()) as server,
        connect(connection_to(server.port, certificates, **options)) as session,
    ):
        told = sent(session, posted("first"), posted("second"), window=5)
        assert told == {"first": ["accepted"], "second": ["accepted"]}
        assert session.sendmail("bob@example.test", [ANA], b"Subject: third\r\n\r\n") == {}
    assert subjects(server) == ["first", "second", "third"]
    assert not [line for line in server.lines if line.startswith(("BDAT", "rset"))]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_server_that_reads_no_more_before_its_replies_are_read_is_no_deadlock(
    secure: bool, certificates: Certificates
) -> None:
    # More than the system keeps on both sides, and more than is read before each message.
    def answer(line: str) -> str | None:
        return "\r\n".join(["250-" + "x" * 800] * 900 + ["250 ok"]) if line == "rset" else None

    tls = certificates.good.server_context() if secure else None
    given = certificates if secure else None
    with (
        PipeliningServer(BOTH, answer=answer, tls=tls, buffers=16384) as server,
        connect(connection_to(server.port, given)) as session,
    ):
        for option in socket.SO_SNDBUF, socket.SO_RCVBUF:
            session.sock.setsockopt(socket.SOL_SOCKET, option, 65536)
        messages = [posted(number, size=200_000) for number in range(10)]
        assert sent(session, *messages, window=10) == {number: ["accepted"] for number in range(10)}


@pytest.mark.parametrize("chunking", [False, True])
def test_a_message_whose_last_byte_never_left_is_not_sent(chunking: bool) -> None:
    hello: list[Step] = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250-PIPELINING\r\n")]
    hello.append(Send(b"250 CHUNKING\r\n" if chunking else b"250 DSN\r\n"))
    group: list[Step] = [Expect(rb"rset"), Expect(rb"mail .*"), Expect(rb"rcpt .*")]
    replies = b"250 ok\r\n" * 3 + (b"" if chunking else b"354 go\r\n")
    # It reads no more, and the system keeps what it can.
    steps = [*hello, *group, *([] if chunking else [Expect(rb"DATA")]), Send(replies), Pause(30)]
    with ScriptServer(steps, strict=False) as server:
        session = connect(connection_to(server.port, timeout=0.5))
        told = until_lost(post(session, [posted("huge", size=30_000_000)], window=1 + chunking))
    assert told == {"huge": ["not sent"]}


# The caller


def test_a_message_is_taken_only_when_it_is_about_to_be_written(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode
    taken: list[int] = []

    def messages() -> Iterator[Posted]:
        for number in range(20):
            taken.append(number)
            yield posted(number)

    ahead = {(): 1, GROUPED: 2, BOTH: window}[offers]
    with PipeliningServer(offers) as server, connect(connection_to(server.port)) as session:
        for told, _ in post(session, messages(), window=window):
            assert isinstance(told.key, int)
            assert told.key < len(taken) <= told.key + ahead
        assert taken == list(range(20))


def test_what_is_on_its_way_is_settled_when_the_next_message_is_not_there_yet(
    mode: tuple[tuple[str, ...], int],
) -> None:
    offers, window = mode
    told: list[object] = []

    def messages() -> Iterator[Posted | None]:
        for number in range(6):
            yield posted(number)
            while number not in told:
                yield None

    with PipeliningServer(offers) as server, connect(connection_to(server.port)) as session:
        for message, _ in post(session, messages(), window=window):
            told.append(message.key)
    assert told == list(range(6))


def test_an_error_of_the_messages_comes_after_what_is_on_its_way(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode
    told: list[object] = []

    def messages() -> Iterator[Posted]:
        yield posted("first")
        yield posted("second")
        raise LookupError("no more")

    with PipeliningServer(offers) as server, connect(connection_to(server.port)) as session:
        posting = post(session, messages(), window=window)
        with pytest.raises(LookupError):
            told.extend(message.key for message, _ in posting)
        assert session.link.sock is not None
    assert told == ["first", "second"] == subjects(server)


def test_an_interrupt_closes_the_link_and_leaves_true_fates(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode

    def messages() -> Iterator[Posted]:
        for number in range(30):
            if number == 12:
                raise KeyboardInterrupt
            yield posted(number)

    told: dict[object, list[str]] = {}
    with PipeliningServer(offers) as server:
        session = connect(connection_to(server.port))
        posting = post(session, messages(), window=window)
        with pytest.raises(KeyboardInterrupt):
            told.update((message.key, outcomes(fates)) for message, fates in posting)
        assert session.link.sock is None or not posting.untold()
        told |= {message.key: outcomes(fates) for message, fates in posting.untold()}
        session.close()
        server.wait()
    check_against(server, told, window)


def check_against(server: PipeliningServer, told: dict[object, list[str]], window: int) -> None:
    there = subjects(server)
    assert len(there) == len(set(there))
    for key, (outcome,) in told.items():
        assert outcome == "unknown" or (outcome == "accepted") == (str(key) in there), (key, outcome)
    assert set(there) <= {str(key) for key in told}
    assert sum(outcome == "unknown" for (outcome,) in told.values()) <= window


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to one's own process there")
def test_a_signal_while_a_reply_is_awaited_leaves_true_fates(mode: tuple[tuple[str, ...], int]) -> None:
    offers, window = mode
    contents = iter(range(30))

    def answer(line: str) -> str | None:
        if line in {".", "BDAT"} and next(contents) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return None

    told: dict[object, list[str]] = {}
    with PipeliningServer(offers, answer=answer) as server:
        session = connect(connection_to(server.port))
        posting = post(session, [posted(number) for number in range(30)], window=window)
        with pytest.raises(KeyboardInterrupt):
            told.update((message.key, outcomes(fates)) for message, fates in posting)
        told |= {message.key: outcomes(fates) for message, fates in posting.untold()}
        posting.close()
        session.close()
        server.wait()
    check_against(server, told, window)


def test_a_caller_that_stops_in_the_midst_leaves_a_session_that_can_be_used(
    mode: tuple[tuple[str, ...], int],
) -> None:
    offers, window = mode
    with PipeliningServer(offers) as server, connect(connection_to(server.port)) as session:
        posting = post(session, (posted(number) for number in range(30)), window=window)
        assert next(posting)[0].key == 0
        with pytest.raises(MailConnError, match="on its way"):
            session.sendmail("bob@example.test", [ANA], b"Subject: meanwhile\r\n\r\n")
        posting.close()
        told = {message.key: outcomes(fates) for message, fates in posting.untold()}
        assert told.pop(0) == ["accepted"]
        assert len(told) <= window
        assert session.sendmail("bob@example.test", [ANA], b"Subject: after\r\n\r\n") == {}
    assert "after" in subjects(server)
    assert "meanwhile" not in subjects(server)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_that_is_forked_amid_sends_nothing_of_it_and_calls_it_unknown(
    mode: tuple[tuple[str, ...], int],
) -> None:
    offers, window = mode
    with PipeliningServer(offers) as server, connect(connection_to(server.port)) as session:
        posting = post(session, [posted(number) for number in range(20)], window=window)
        told = {next(posting)[0].key for _ in range(3)}
        process = os.fork()
        if not process:
            code = 1
            try:
                rest: list[tuple[Posted, dict[str, Fate]]] = []
                try:
                    rest.extend(posting)
                except LinkLost as error:
                    unknown = all(outcomes(fates) == ["unknown"] for _, fates in rest)
                    code = 0 if unknown and error.cause == "forked" else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        told |= {message.key for message, fates in posting if outcomes(fates) == ["accepted"]}
    assert told == set(range(20))
    assert sorted(subjects(server), key=int) == [str(number) for number in range(20)]


# In as few round trips as it can be


@pytest.mark.parametrize(
    ("offers", "size", "turns"), [(GROUPED, 200, 2), (GROUPED, 400_000, 2), (BOTH, 200, 1), (BOTH, 400_000, 2)]
)
@pytest.mark.parametrize("recipients", [1, 50])
def test_a_message_takes_as_few_round_trips_as_the_server_allows(
    offers: tuple[str, ...], size: int, turns: int, recipients: int
) -> None:
    to = [f"ana{number}@example.test" for number in range(recipients)]
    letter = bytes(posted("first", size=size).data)
    with (
        PipeliningServer(offers) as server,
        Relay(server.port, round_trip=0.05) as link,
        connect(connection_to(link.port)) as session,
    ):
        before = link.turns
        assert session.sendmail("bob@example.test", to, letter) == {}
        assert link.turns - before == turns
    assert server.taken[0].recipients == tuple(to)
    assert server.taken[0].content == letter


@pytest.mark.parametrize(("offers", "window", "most"), [(GROUPED, 1, 22), (BOTH, 20, 8)])
def test_many_messages_take_a_round_trip_each_or_fewer(offers: tuple[str, ...], window: int, most: int) -> None:
    with (
        PipeliningServer(offers) as server,
        Relay(server.port, round_trip=0.05) as link,
        connect(connection_to(link.port)) as session,
    ):
        before = link.turns
        told = sent(session, *[posted(number) for number in range(20)], window=window)
        assert link.turns - before <= most
    assert set(map(tuple, told.values())) == {("accepted",)}


# Real servers


@pytest.mark.parametrize("window", [1, 5])
def test_postfix_delivers_each_message_whole_and_none_that_is_empty(window: int, postfix: Postfix) -> None:
    token = uuid.uuid4().hex
    messages = [
        posted(f"{token} 0", "gone@example.test"),
        posted(f"{token} 1", "alice@example.test"),
        posted(f"{token} 2", "grey@example.test", "gone@example.test"),
        posted(f"{token} 3", "alice@example.test", "gone@example.test", size=300_000),
        posted(f"{token} 4", "gone@example.test", size=300_000),
        posted(f"{token} 5", "alice@example.test"),
    ]
    before = len(postfix.mailbox("alice"))
    with connect(connection_to(postfix.relay)) as session:
        told = [outcomes(fates) for _, fates in post(session, messages, window=window)]
        assert (
            session.sendmail("bob@example.test", ["alice@example.test"], f"Subject: {token} 6\r\n\r\n".encode()) == {}
        )
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            session.sendmail("bob@example.test", ["gone@example.test"], b"Subject: x\r\n\r\n")
    assert told == [["refused"], ["accepted"], ["refused"] * 2, ["accepted", "refused"], ["refused"], ["accepted"]]
    for number in (1, 3, 5, 6):
        postfix.wait_for("alice", f"{token} {number}")
    arrived = postfix.mailbox("alice")[before:]
    assert len(arrived) == 4
    assert all(token.encode() in each for each in arrived), "none is empty"
    large = next(each for each in arrived if f"{token} 3".encode() in each)
    assert large.count(b"Three things moved.") == 300_000 // 21


@pytest.mark.parametrize("window", [1, 5])
def test_dovecots_submission_takes_them_too(
    window: int, postfix: Postfix, dovecot: Dovecot, certificates: Certificates
) -> None:
    token = uuid.uuid4().hex
    give_password("ops", dovecot.users["alice"])
    connection = connection_to(
        dovecot.submission,
        certificates,
        secure_authentication_type="TLS",
        use_authentication=True,
        username="alice",
    )
    messages = [posted(f"{token} {number}", "carol@example.test") for number in range(6)]
    with connect(connection) as session:
        assert {*map(tuple, sent(session, *messages, window=window).values())} == {("accepted",)}
    for number in range(6):
        postfix.wait_for("carol", f"{token} {number}")


@pytest.mark.parametrize("window", [1, 5])
def test_aiosmtpd_which_offers_neither_takes_them_one_at_a_time(window: int) -> None:
    with CountingServer() as server, connect(connection_to(server.port)) as session:
        messages = [posted(number) for number in range(5)]
        assert sent(session, *messages, window=window) == {number: ["accepted"] for number in range(5)}
        assert not {"pipelining", "chunking"} & set(session.esmtp_features)
    assert subjects(server) == [str(number) for number in range(5)]
