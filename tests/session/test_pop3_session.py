from __future__ import annotations

import hashlib
import poplib
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError, OptionError
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.pop3 import wire
from mailconn_jupyter.session.pop3.errors import LinkLost, LoginRefused, Refused, SessionBusy, UnsafeArgument
from mailconn_jupyter.session.pop3.session import POP3Session
from tests.contract.kit import Babble, Do
from tests.contract.pop3 import POP3Kit
from tests.servers import Certificates, Dovecot, Postfix, Proxy
from tests.servers.script import Expect, ScriptServer, Send, Silence
from tests.servers.steps import Pause, Step
from tests.support.isolation import give_password
from tests.support.leaks import password, shows_no_password
from tests.support.proxied import through
from tests.support.reading import (
    DELIVERY,
    PASSWORD_MECHANISMS,
    SECURITY,
    TOKENS,
    added,
    fact,
    sent,
    to_dovecot,
    to_script,
)


@pytest.fixture
def three(dovecot: Dovecot, certificates: Certificates) -> Iterator[MailConnection]:
    """Ünïcode's mailbox, with three messages in it and nothing else."""
    connection = to_dovecot("POP3", dovecot, certificates, username="ünïcode")
    with connect(to_dovecot("IMAP", dovecot, certificates, username="ünïcode")) as mailbox:
        mailbox.delete(mailbox.uids())
        for number in range(3):
            mailbox.append(b"Subject: number %d\r\n\r\nbody %d\r\n..dots\r\n.\r\n" % (number, number))
        yield connection
        mailbox.folder.set("INBOX")
        mailbox.delete(mailbox.uids())


# Opening


@pytest.mark.parametrize("security", SECURITY)
def test_a_session_opens_over_each_kind_of_security(
    security: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("POP3", dovecot, certificates, security)) as pop:
        assert isinstance(pop, POP3Session)
        assert isinstance(pop, poplib.POP3)
        assert pop.opening is not None
        if security == "plain text":
            assert pop.opening.stages["secure"].outcome == "skipped"
        else:
            wanted = "TLSv1.2" if security == "TLS1.2" else "TLSv1.3"
            assert fact(pop, "secure", "TLS").startswith(wanted)


def test_a_password_does_not_travel_in_plain_text_beyond_this_machine(
    dovecot: Dovecot, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second machine cannot be had in a test: loopback is taken for one.
    monkeypatch.setattr("mailconn_jupyter.transport.channel.is_loopback", lambda _: False)
    connection = to_dovecot("POP3", dovecot, certificates, "plain text")
    with pytest.raises(OpenError) as caught:
        connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "plain-text-refused")
    connection.allow_plaintext_password = True
    with connect(connection):
        pass


def test_a_login_by_hand_is_refused_over_plain_text_too(
    dovecot: Dovecot, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailconn_jupyter.transport.channel.is_loopback", lambda _: False)
    with POP3Session("localhost", dovecot.pop3) as pop:
        pop.user("alice")
        with pytest.raises(OpenError, match="plain text"):
            pop.pass_("s3cret")
        assert "PASS" not in "".join(pop.transcript)
    with ScriptServer([Send(b"+OK <1.1@mail.test>\r\n")]) as server, POP3Session("localhost", server.port) as pop:
        with pytest.raises(OpenError, match="plain text"):
            pop.apop("alice", "s3cret")
        pop.close()


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
@pytest.mark.parametrize("user", ["alice", "zoe"])
def test_a_login_works_by_each_mechanism(
    mechanism: str, user: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("POP3", dovecot, certificates, "SSL", username=user, sasl_mechanism=mechanism)
    with connect(connection) as pop:
        assert fact(pop, "authenticate", "Mechanism") == mechanism
        assert dovecot.users[user] not in "".join(pop.transcript)


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
def test_a_wrong_password_is_named_as_such_by_each_mechanism(
    mechanism: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("POP3", dovecot, certificates, sasl_mechanism=mechanism)
    give_password("ops", "wr0ng-wr0ng")
    with pytest.raises(poplib.error_proto) as caught:
        connect(connection)
    assert isinstance(caught.value, LoginRefused)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "wrong-password")
    assert caught.value.code == "AUTH"
    assert "%mailconn password ops" in caught.value.hint


@pytest.mark.parametrize("mechanism", TOKENS)
def test_a_good_token_logs_in(mechanism: str, dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("POP3", dovecot, certificates, use_xoauth2=True, sasl_mechanism=mechanism)
    give_password("ops", dovecot.token("alice"))
    with connect(connection) as pop:
        assert fact(pop, "authenticate", "Mechanism") == mechanism


@pytest.mark.parametrize("mechanism", TOKENS)
@pytest.mark.parametrize("fault", ["expired", "bad_signature", "wrong user"])
def test_a_bad_token_is_refused_with_what_to_do(
    mechanism: str, fault: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    user = "bob" if fault == "wrong user" else "alice"
    token = dovecot.token(user, expired=fault == "expired", bad_signature=fault == "bad_signature")
    connection = to_dovecot("POP3", dovecot, certificates, use_xoauth2=True, sasl_mechanism=mechanism)
    give_password("ops", token)
    with pytest.raises(LoginRefused) as caught:
        connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "token-refused")
    assert token not in str(caught.value)


def test_a_master_user_reads_the_mailbox_that_the_authorization_identity_names(
    three: MailConnection, dovecot: Dovecot
) -> None:
    user, secret = dovecot.master
    connection = three.copy(username=user, authorization_id="ünïcode")
    give_password("ops", secret)
    with connect(connection) as pop:
        assert pop.stat()[0] == 3


@pytest.mark.parametrize("security", ["SSL", "TLS"])
@pytest.mark.parametrize("kind", ["SOCKS5", "HTTP"])
def test_a_session_goes_through_a_proxy(
    kind: str, security: str, dovecot: Dovecot, certificates: Certificates, request: pytest.FixtureRequest
) -> None:
    proxy: Proxy = request.getfixturevalue("microsocks" if kind == "SOCKS5" else "squid")
    connection = to_dovecot("POP3", dovecot, certificates, security)
    given = through(proxy, kind, proxy.username)
    connection.update(**{name: value for name, value in given.as_dict().items() if "proxy" in name})
    give_password("ops", proxy.password or "", kind="proxy")
    with connect(connection) as pop:
        pop.noop()
    proxy.wait_for_target(f"localhost:{connection.port}")


def test_an_unknown_authority_comes_with_the_pin_that_then_works(dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("POP3", dovecot, certificates, ca_file="")
    report = check(connection)
    assert report.failed is not None
    assert (report.failed.name, report.failed.cause) == ("secure", "unknown-authority")
    for trusted in (report.pin, "localhost"):
        connection.trusted_hosts = trusted
        with connect(connection):
            pass
    connection.trusted_hosts = "localhost=sha256:" + "0" * 64
    with pytest.raises(OpenError, match="not the pinned one"):
        connect(connection)


def test_another_protocols_connection_is_refused() -> None:
    with pytest.raises(OptionError, match="not POP3"):
        POP3Session(connection=MailConnection(name="ops", server_host="localhost"))


# Servers with less, or older


def test_a_server_without_sasl_gets_user_and_password() -> None:
    script = [
        Send(b"+OK hi <1.1@mail.test>\r\n"),
        Expect(rb"CAPA"),
        Send(b"+OK\r\nUSER\r\n.\r\n"),
        Expect(rb"USER alice"),
        Send(b"+OK\r\n"),
        Expect(rb"PASS s3cret s3cret"),
        Send(b"+OK\r\n"),
        Expect(rb"STAT"),
        Send(b"+OK 0 0\r\n"),
        Expect(rb"QUIT"),
        Send(b"+OK\r\n"),
    ]
    give_password("ops", "s3cret s3cret")
    with ScriptServer(script) as server, connect(to_script("POP3", server.port, username="alice")) as pop:
        assert fact(pop, "authenticate", "Mechanism") == "USER"
        assert "s3cret" not in "".join(pop.transcript)


def apop() -> list[Any]:
    digest = hashlib.md5(b"<1896.697170952@dbc.mtview.ca.us>tanstaaf").hexdigest()
    assert digest == "c4c9334bac560ecc979e58001b3e22fb"  # RFC 1939, 7
    return [
        Expect(b"APOP mrose " + digest.encode()),
        Send(b"+OK\r\n"),
        Expect(rb"STAT"),
        Send(b"+OK 0 0\r\n"),
        Expect(rb"QUIT"),
        Send(b"+OK\r\n"),
    ]


@pytest.mark.parametrize(
    "before",
    [
        [Send(b"+OK\r\nUIDL\r\n.\r\n")],
        [Send(b"-ERR what?\r\n"), Expect(rb"USER mrose"), Send(b"-ERR not here\r\n")],
    ],
    ids=["says so", "says nothing and refuses USER"],
)
def test_apop_is_used_where_it_is_all_there_is(before: list[Any]) -> None:
    script = [Send(b"+OK POP3 ready <1896.697170952@dbc.mtview.ca.us>\r\n"), Expect(rb"CAPA"), *before, *apop()]
    give_password("ops", "tanstaaf")
    with ScriptServer(script) as server, connect(to_script("POP3", server.port, username="mrose")) as pop:
        assert fact(pop, "authenticate", "Mechanism") == "APOP"


def test_a_password_with_a_line_break_is_not_sent_by_a_command() -> None:
    script = [Send(b"+OK hi\r\n"), Expect(rb"CAPA"), Send(b"-ERR\r\n"), Expect(rb"USER alice"), Send(b"+OK\r\n")]
    give_password("ops", "s3cret\r\nDELE 1")
    with ScriptServer(script) as server, pytest.raises(OpenError) as caught:
        connect(to_script("POP3", server.port, username="alice"))
    assert "s3cret" not in str(caught.value)
    assert caught.value.cause == "no-secret"
    assert "another password" in caught.value.hint


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"-ERR [IN-USE] mailbox is locked", "in-use"),
        (b"-ERR [LOGIN-DELAY] wait", "rate-limited"),
        (b"-ERR [LOGIN-DELAY] minimum time between mail checks violation", "rate-limited"),
        (b"-ERR Too many login attempts, try again later", "rate-limited"),
        (b"-ERR [IN-USE] Too many simultaneous connections", "too-many-connections"),
        (b"-ERR [SYS/PERM] Your account is not enabled for POP access.", "not-enabled"),
        (b"-ERR [AUTH] POP3 access is disabled", "not-enabled"),
        (b"-ERR [AUTH] Web login required: https://mail.test/", "web-login"),
        (b"-ERR [SYS/TEMP] later", "login-temporary"),
        (b"-ERR [SYS/PERM] never", "refused-by-server"),
        (b"-ERR [AUTH] no", "wrong-password"),
        (b"-ERR no", "wrong-password"),
        (b"-ERR Application-specific password required", "app-password"),
    ],
)
@pytest.mark.usefixtures("opened_once")
def test_the_servers_reason_for_refusing_a_login_is_understood(said: bytes, cause: str) -> None:
    kit = POP3Kit()
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Send(said + b"\r\n")]
    give_password("ops", "s3cret-s3cret")
    with ScriptServer(script) as server, pytest.raises(OpenError) as caught:
        connect(to_script("POP3", server.port, username="alice"))
    assert caught.value.cause == cause
    assert said.rpartition(b"]")[2].strip(b"-ER ").decode() in caught.value.message
    assert ("%mailconn password" in caught.value.hint) is (cause == "wrong-password")


def test_starttls_is_tried_where_a_server_does_not_say_what_it_offers_and_required_all_the_same() -> None:
    script = [Send(b"+OK hi\r\n"), Expect(rb"CAPA"), Send(b"-ERR\r\n"), Expect(rb"STLS"), Send(b"-ERR\r\n")]
    with ScriptServer(script) as server, pytest.raises(OpenError) as caught:
        connect(to_script("POP3", server.port, use_secure_authentication=True))
    assert (caught.value.stage, caught.value.cause) == ("secure", "no-starttls")


# Reading, as poplib documents it


def test_a_mail_sent_by_our_smtp_session_is_read_back_byte_for_byte(
    postfix: Postfix, dovecot: Dovecot, certificates: Certificates
) -> None:
    token, raw = sent(postfix, "dave")
    postfix.wait_for("dave", token)
    user, secret = dovecot.master
    connection = to_dovecot("POP3", dovecot, certificates, username=user, authorization_id="dave")
    give_password("ops", secret)
    with connect(connection) as pop:
        number, _ = pop.stat()
        _, lines, octets = pop.retr(number)
        read = b"".join(line + b"\r\n" for line in lines)
        assert added(read, raw) == DELIVERY
        assert octets == len(read)
        assert list(pop.retrieve([number])) == [(number, lines)]


def test_the_commands_of_poplib_work(three: MailConnection) -> None:
    with connect(three) as pop:
        count, size = pop.stat()
        assert count == 3
        assert sum(int(line.split()[1]) for line in pop.list()[1]) == size
        one: Any = pop.list(1)
        assert one.startswith(b"+OK 1 ")
        assert len(pop.uidl()[1]) == 3
        assert pop.uidl(2).startswith(b"+OK 2 ")
        assert pop.top(2, 0)[1][0] == b"Subject: number 1"
        assert pop.retr(1)[1] == [b"Subject: number 0", b"", b"body 0", b"..dots", b"."]
        assert "UIDL" in pop.capa()
        with pytest.raises(poplib.error_proto, match="no message 99"):
            pop.retr(99)
        assert pop.noop().startswith(b"+OK")


def test_messages_arrive_one_by_one_and_no_other_command_comes_between(three: MailConnection) -> None:
    with connect(three) as pop:
        stream = pop.retrieve([1, 2, 3], lines=0)
        assert next(stream) == (1, [b"Subject: number 0", b""])
        with pytest.raises(SessionBusy):
            pop.noop()
        stream.close()
        assert [number for number, _ in pop.retrieve(range(1, 4))] == [1, 2, 3]
        # All were asked for before the first answer was read.
        asked = [line for line in pop.transcript if line.startswith(("C: RETR", "S: (5"))]
        assert asked[:3] == ["C: RETR 1", "C: RETR 2", "C: RETR 3"]
        with pytest.raises(Refused):
            list(pop.retrieve([1, 99, 2]))
        assert pop.stat()[0] == 3


def test_marked_messages_are_deleted_when_the_block_ends_and_kept_when_it_raises(three: MailConnection) -> None:
    with pytest.raises(Refused), connect(three) as pop:
        assert all(pop.dele(number) for number in (1, 99))
    with connect(three) as pop:
        assert pop.stat()[0] == 3
        pop.dele(1)
        pop.rset()
        pop.dele(2)
    with connect(three) as pop:
        assert [line for _, (line, *_) in pop.retrieve([1, 2])] == [b"Subject: number 0", b"Subject: number 2"]


def test_a_session_has_poplibs_constructor_and_verifies_certificates_where_poplib_does_not(
    dovecot: Dovecot, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with POP3Session("localhost", dovecot.pop3, timeout=10) as pop, pytest.raises(LinkLost, match="unknown authority"):
        pop.stls()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca.pem))
    with POP3Session("localhost", dovecot.pop3, timeout=10) as pop:
        assert pop.getwelcome().startswith(b"+OK")
        pop.stls()
        pop.user("alice")
        pop.pass_("s3cret")
        pop.stat()


# Arguments that would be another command

UNSAFE: dict[str, Callable[[POP3Session, str], Any]] = {
    "user": lambda pop, text: pop.user(text),
    "pass_": lambda pop, text: pop.pass_(text),
    "retr": lambda pop, text: pop.retr(text),
    "dele": lambda pop, text: pop.dele(text),
    "list": lambda pop, text: pop.list(text),
    "uidl": lambda pop, text: pop.uidl(text),
    "top": lambda pop, text: pop.top(text, 0),
    "top lines": lambda pop, text: pop.top(1, text),  # type: ignore[arg-type]  # what poplib does not check
    "rpop": lambda pop, text: pop.rpop(text),
    "retrieve": lambda pop, text: list(pop.retrieve([text])),  # type: ignore[list-item]  # as above
    "any": lambda pop, text: pop._shortcmd(f"NOOP {text}"),  # type: ignore[attr-defined]  # poplib's own
}


def test_cr_lf_and_nul_are_refused_in_every_argument_and_nothing_is_sent(
    dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("POP3", dovecot, certificates)) as pop:
        before = list(pop.transcript)
        for name, call in UNSAFE.items():
            for text in ("1\r\nDELE 1", "1\nDELE 1", "1\rDELE 1", "1\x00"):
                with pytest.raises(UnsafeArgument):
                    call(pop, text)
                assert list(pop.transcript) == before, (name, text)
        assert pop.noop().startswith(b"+OK")


# What comes in is bounded


def retrieving(*steps: Any, **options: Any) -> Any:
    """The result of a RETR whose answer the steps are."""
    kit = POP3Kit()
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    script += [Do(kit.asked_whether_ready), Do(kit.ready), Expect(rb"RETR 1"), *steps]
    with ScriptServer(script, strict=False, seconds=1) as server:
        pop = connect(to_script("POP3", server.port, username="alice", **options))
        try:
            return pop.retr(1)
        finally:
            pop.close()


def test_a_line_and_an_answer_that_do_not_end_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_LINE", 5_000)
    monkeypatch.setattr(wire, "MOST_BYTES", 20_000)
    monkeypatch.setattr(wire, "MOST_LINES", 3_000)
    for flood in (b"x" * 6_000 + b"\r\n", (b"x" * 4_000 + b"\r\n") * 6, b"\r\n" * 3_002):
        with pytest.raises(LinkLost) as caught:
            retrieving(Send(b"+OK\r\n" + flood), Silence())
        assert caught.value.cause == "too-long"


ASKING: dict[str, Callable[[Any], object]] = {
    "list": lambda pop: pop.list(),
    "uidl": lambda pop: pop.uidl(),
    "capa": lambda pop: pop.capa(),
    "retr": lambda pop: pop.retr(1),
    "top": lambda pop: pop.top(1, 0),
    "several": lambda pop: list(pop.retrieve([1, 2])),
}


def asked(
    ask: Callable[[Any], object], *steps: Step, cancel: threading.Event | None = None, **options: Any
) -> POP3Session:
    """The session after a question that the steps answer."""
    kit = POP3Kit()
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    script += [Do(kit.asked_whether_ready), Do(kit.ready), Do(lambda talk: talk.line()), *steps]
    with ScriptServer(script, strict=False) as server:
        pop = POP3Session(connection=to_script("POP3", server.port, username="alice", **options), cancel=cancel)
        ask(pop)
    return pop


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_server_that_never_stops_talking_is_left_at_the_timeout(ask: Callable[[Any], object]) -> None:
    # A kilobyte a second is no message, however small the pieces are that it comes in.
    with pytest.raises(LinkLost) as caught:
        asked(ask, Send(b"+OK\r\n"), Babble(b"1 2 3 4\r\n", pause=0.01), timeout=0.5, deadline=0.5)
    assert caught.value.cause == "no-answer"


@pytest.mark.parametrize("ask", [ASKING["list"], ASKING["uidl"], ASKING["capa"]], ids=["list", "uidl", "capa"])
def test_a_server_that_never_stops_talking_leaves_no_time_however_fast_it_is(ask: Callable[[Any], object]) -> None:
    with pytest.raises(LinkLost) as caught:
        asked(ask, Send(b"+OK\r\n"), Babble(b"1 2 3 4\r\n" * 200), timeout=0.5, deadline=0.5)
    assert caught.value.cause == "no-answer"


@pytest.mark.parametrize("babble", [b"1 2 3 4\r\n" * 200, b""], ids=["lines", "silence"])
@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_cancel_ends_an_answer_after_the_opening_too(ask: Callable[[Any], object], babble: bytes) -> None:
    cancel = threading.Event()
    with pytest.raises(LinkLost) as caught:
        asked(ask, Send(b"+OK\r\n"), Do(lambda _: cancel.set()), Babble(babble), cancel=cancel, timeout=30)
    assert caught.value.cause == "cancelled"


def test_a_message_may_take_longer_than_the_timeout_as_long_as_it_keeps_coming() -> None:
    pieces = [step for _ in range(6) for step in (Send(b"x" * 78 + b"\r\n" + b"y" * 19_998 + b"\r\n"), Pause(0.2))]
    answer = retrieving(Send(b"+OK\r\n"), *pieces, Send(b".\r\n"), timeout=0.5, deadline=0.5)
    assert len(answer[1]) == 12


def test_a_line_of_a_broken_mail_may_be_longer_than_poplib_takes() -> None:
    assert retrieving(Send(b"+OK\r\n" + b"x" * 100_000 + b"\r\n.\r\n"))[1] == [b"x" * 100_000]


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    with pytest.raises(LinkLost, match="out of turn"):
        unasked(b"+OK 1 messages\r\n")
    with pytest.raises(LinkLost, match="idle for too long"):
        unasked(b"-ERR [SYS/TEMP] idle for too long\r\n")


def unasked(said: bytes) -> None:
    kit = POP3Kit()
    script = [*kit.offer(), Send(said), Silence()]
    with ScriptServer(script, strict=False) as server:
        pop = connect(to_script("POP3", server.port))
        while not pop.channel.buffered():
            pass
        pop.noop()


def test_a_session_whose_server_has_hung_up_ends_without_an_error_unless_something_was_marked() -> None:
    kit = POP3Kit()
    with ScriptServer([*kit.offer()], strict=False) as server, connect(to_script("POP3", server.port)) as pop:
        pass
    assert pop.sock is None
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    script += [Do(kit.asked_whether_ready), Do(kit.ready), Expect(rb"DELE 1"), Send(b"+OK\r\n"), Expect(rb"QUIT")]
    with (
        ScriptServer(script, seconds=0.5) as server,
        pytest.raises(LinkLost),
        connect(to_script("POP3", server.port, username="alice", timeout=0.3, deadline=0.5)) as pop,
    ):
        pop.dele(1)


# The test


def test_a_test_says_what_is_worth_knowing(three: MailConnection) -> None:
    report = check(three)
    assert report.ok
    learnt = {label: text for stage in report.stages for label, text in stage.facts.items()}
    assert learnt["Messages"] == "3"
    assert learnt["Size"].endswith(" bytes")
    assert "PIPELINING" in learnt["Capabilities"]
    assert "SCRAM-SHA-256" in learnt["Mechanisms"]
    with connect(three) as pop:
        assert pop.stat()[0] == 3


def test_no_traceback_shows_the_password(dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("POP3", dovecot, certificates)
    give_password("ops", password())
    with pytest.raises(OpenError) as caught:
        connect(connection)
    shows_no_password(caught.value, room="session")
    with POP3Session("localhost", dovecot.pop3) as pop:
        pop.user(uuid.uuid4().hex)
        with pytest.raises(poplib.error_proto) as by_hand:
            pop.pass_(password())
        shows_no_password(by_hand.value, room="session")
