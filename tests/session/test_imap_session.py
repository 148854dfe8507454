from __future__ import annotations

import contextlib
import imaplib
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from imap_tools import AND, MailMessage
from imap_tools.errors import MailboxLoginError, MailboxTaggedResponseError

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, OpenError, OptionError
from mailconn_jupyter.extras import install
from mailconn_jupyter.session.check import check, check_all
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.imap import wire
from mailconn_jupyter.session.imap.errors import LinkLost, Refused, SessionBusy, UnsafeArgument
from mailconn_jupyter.session.imap.search import search
from mailconn_jupyter.session.imap.session import IMAPSession
from mailconn_jupyter.session.opening.over_network import Opening
from tests.contract.imap import IMAPKit
from tests.contract.kit import Babble, Do
from tests.servers import Certificates, Dovecot, Postfix, Proxy
from tests.servers.script import Close, Expect, ScriptServer, Send, Silence, StartTLS
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

HELLO = b"Subject: hello\r\n\r\nworld\r\n"


@pytest.fixture
def folder(dovecot: Dovecot, certificates: Certificates) -> Iterator[str]:
    """A new folder of Alice's with three messages; a folder of a test's own, for others read her INBOX."""
    name = f"test {uuid.uuid4().hex}"
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        mailbox.folder.create(name)
        for number in range(3):
            mailbox.append(b"Subject: number %d\r\n\r\nbody %d\r\n" % (number, number), name)
        yield name
        mailbox.folder.delete(name)


# Opening


@pytest.mark.parametrize("security", SECURITY)
def test_a_session_opens_over_each_kind_of_security(
    security: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates, security)) as mailbox:
        assert isinstance(mailbox, IMAPSession)
        assert mailbox.folder.get() == "INBOX"
        assert mailbox.opening is not None
        if security == "plain text":
            assert mailbox.opening.stages["secure"].outcome == "skipped"
        else:
            wanted = "TLSv1.2" if security == "TLS1.2" else "TLSv1.3"
            assert fact(mailbox, "secure", "TLS").startswith(wanted)


def test_a_password_does_not_travel_in_plain_text_beyond_this_machine(
    dovecot: Dovecot, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second machine cannot be had in a test: loopback is taken for one.
    monkeypatch.setattr("mailconn_jupyter.transport.channel.is_loopback", lambda _: False)
    connection = to_dovecot("IMAP", dovecot, certificates, "plain text")
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
    connection = to_dovecot("IMAP", dovecot, certificates, "plain text", use_authentication=False)
    with connect(connection) as mailbox:
        client = mailbox.client
        for login in (
            mailbox.login,
            mailbox.login_utf8,
            mailbox.xoauth2,
            client.login,
            client.login_cram_md5,
            lambda user, secret: client.authenticate("PLAIN", lambda _: f"\0{user}\0{secret}".encode()),
        ):
            with pytest.raises(OpenError, match="plain text"):
                login("alice", "s3cret")
        assert not [line for line in mailbox.transcript if "AUTHENTICATE" in line or "LOGIN" in line.split("[")[0]]


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
@pytest.mark.parametrize("user", ["alice", "zoe"])
def test_a_login_works_by_each_mechanism(
    mechanism: str, user: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, "SSL", username=user, sasl_mechanism=mechanism)
    with connect(connection) as mailbox:
        assert fact(mailbox, "authenticate", "Mechanism") == mechanism
        assert dovecot.users[user] not in "".join(mailbox.transcript)


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
def test_a_wrong_password_is_named_as_such_by_each_mechanism(
    mechanism: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, sasl_mechanism=mechanism)
    give_password("ops", "wr0ng-wr0ng")
    with pytest.raises(MailboxLoginError) as caught:
        connect(connection)
    assert isinstance(caught.value, OpenError)
    assert isinstance(caught.value, imaplib.IMAP4.error)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "wrong-password")
    assert caught.value.command_result[0] == "NO"
    assert "%mailconn password ops" in caught.value.hint


@pytest.mark.parametrize("mechanism", TOKENS)
def test_a_good_token_logs_in(mechanism: str, dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, use_xoauth2=True, sasl_mechanism=mechanism)
    give_password("ops", dovecot.token("alice"))
    with connect(connection) as mailbox:
        assert fact(mailbox, "authenticate", "Mechanism") == mechanism


@pytest.mark.parametrize("mechanism", TOKENS)
@pytest.mark.parametrize("fault", ["expired", "bad_signature", "wrong user"])
def test_a_bad_token_is_refused_with_what_to_do(
    mechanism: str, fault: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    user = "bob" if fault == "wrong user" else "alice"
    token = dovecot.token(user, expired=fault == "expired", bad_signature=fault == "bad_signature")
    connection = to_dovecot("IMAP", dovecot, certificates, use_xoauth2=True, sasl_mechanism=mechanism)
    give_password("ops", token)
    with pytest.raises(MailboxLoginError) as caught:
        connect(connection)
    assert isinstance(caught.value, OpenError)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "token-refused")
    assert "expired" in caught.value.hint
    assert token not in str(caught.value)


def test_a_master_user_reads_the_mailbox_that_the_authorization_identity_names(
    folder: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    user, secret = dovecot.master
    connection = to_dovecot("IMAP", dovecot, certificates, username=user, authorization_id="alice")
    give_password("ops", secret)
    with connect(connection) as mailbox:
        assert mailbox.folder.exists(folder)
        mailbox.folder.set(folder, readonly=True)
        assert len(list(mailbox.fetch(mark_seen=False))) == 3


def test_a_user_who_is_no_master_may_not_act_as_another(dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, username="bob", authorization_id="alice")
    with pytest.raises(MailboxLoginError):
        connect(connection)


@pytest.mark.parametrize("security", ["SSL", "TLS"])
@pytest.mark.parametrize("kind", ["SOCKS5", "HTTP"])
def test_a_session_goes_through_a_proxy(
    kind: str, security: str, dovecot: Dovecot, certificates: Certificates, request: pytest.FixtureRequest
) -> None:
    proxy: Proxy = request.getfixturevalue("microsocks" if kind == "SOCKS5" else "squid")
    connection = to_dovecot("IMAP", dovecot, certificates, security)
    given = through(proxy, kind, proxy.username)
    connection.update(**{name: value for name, value in given.as_dict().items() if "proxy" in name})
    give_password("ops", proxy.password or "", kind="proxy")
    with connect(connection) as mailbox:
        assert mailbox.folder.get() == "INBOX"
    proxy.wait_for_target(f"localhost:{connection.port}")


def test_an_unknown_authority_comes_with_the_pin_that_then_works(dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, ca_file="")
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


def test_a_certificate_of_another_name_is_accepted_where_the_identity_is_not_checked(
    certificates: Certificates,
) -> None:
    kit = IMAPKit()
    context = certificates.other_name.server_context()
    with ScriptServer([*kit.offer(), Do(kit.farewell)], tls=context) as server:
        connection = to_script(
            "IMAP",
            server.port,
            use_secure_authentication=True,
            secure_authentication_type="SSL",
            ca_file=str(certificates.ca.pem),
            check_server_identity=False,
        )
        with connect(connection) as mailbox:
            assert fact(mailbox, "secure", "Certificate").endswith("(known authority, name not compared)")


def test_variables_are_taken_from_the_environment_when_the_session_opens(
    dovecot: Dovecot, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = to_dovecot(
        "IMAP", dovecot, certificates, server_host="${MAIL_HOST}", server_port="${MAIL_PORT}", username="${MAIL_USER}"
    )
    monkeypatch.setenv("MAIL_HOST", "localhost")
    monkeypatch.setenv("MAIL_PORT", str(dovecot.imap))
    monkeypatch.setenv("MAIL_USER", "alice")
    give_password("ops", "s3cret")
    with connect(connection):
        pass


def test_another_protocols_connection_is_refused(dovecot: Dovecot) -> None:
    with pytest.raises(OptionError, match="not IMAP"):
        IMAPSession(connection=MailConnection(name="ops", server_host="localhost"))


# Logging in where the server has no SASL, or the connection no login


def test_a_session_without_a_login_is_logged_in_by_hand(
    folder: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates, use_authentication=False)) as mailbox:
        with pytest.raises(MailboxLoginError, match="refused the login"):
            mailbox.login("alice", "wr0ng-wr0ng")
        assert mailbox.login("alice", "s3cret", initial_folder=folder) is mailbox
        assert len(list(mailbox.fetch())) == 3
    with connect(to_dovecot("IMAP", dovecot, certificates, use_authentication=False)) as mailbox:
        mailbox.xoauth2("alice", dovecot.token("alice"))
        assert mailbox.folder.get() == "INBOX"


NO_SASL = [Send(b"* OK [CAPABILITY IMAP4rev1] hi\r\n")]


class AnswerLine(Step):
    """Read a line that is as expected, and answer with its tag."""

    def __init__(self, pattern: bytes, text: bytes) -> None:
        self.pattern, self.text = pattern, text

    def play(self, talk: Any) -> bool:
        line = talk.line()
        tag, _, rest = line.partition(b" ")
        assert rest == self.pattern, line
        talk.send(self.text.replace(b"TAG", tag))
        return True


@pytest.mark.parametrize(
    ("secret", "steps"),
    [
        (r'a "quoted\" pass', [AnswerLine(rb'LOGIN "alice" "a \"quoted\\\" pass"', b"TAG OK in\r\n")]),
        (
            "pässwörd",
            [AnswerLine(b'LOGIN "alice" {10}', b"+ go on\r\n"), Expect("pässwörd".encode()), Send(b"* BYE enough\r\n")],
        ),
    ],
    ids=["quoted", "as a literal"],
)
def test_the_command_login_is_used_where_nothing_else_takes_a_password(secret: str, steps: list[Step]) -> None:
    give_password("ops", secret)
    # The script ends with the login: what follows fails, and does not matter.
    with ScriptServer([*NO_SASL, *steps, Silence()], strict=False, seconds=1) as server:
        report = check(to_script("IMAP", server.port, username="alice", timeout=0.3))
    assert not server.unexpected
    assert secret not in "".join(report.transcript)
    assert "LOGIN ********" in "".join(report.transcript)


REFUSALS = [
    ("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "wrong-password"),
    ("NO LOGIN failed.", "wrong-password"),
    ("NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled", "wrong-password"),
    ("NO [ALERT] Your account is not enabled for IMAP use. Please visit your settings", "not-enabled"),
    ("NO IMAP access is disabled for your mailbox", "not-enabled"),
    ("NO User is authenticated but not connected.", "not-enabled"),
    ("NO [ALERT] Too many simultaneous connections. (Failure)", "too-many-connections"),
    ("NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded", "too-many-connections"),
    ("NO [LIMIT] LOGIN Rate limit hit", "rate-limited"),
    ("NO [LIMIT] not now", "rate-limited"),
    ("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", "rate-limited"),
    ("NO [AUTHENTICATIONFAILED] Too many login failures, try again later", "rate-limited"),
    ("NO [UNAVAILABLE] the directory is down", "login-temporary"),
    ("NO [ALERT] Application-specific password required", "app-password"),
    ("NO [ALERT] Please log in via your web browser: https://mail.test/ (Failure)", "web-login"),
    ("NO [BasicAuthBlocked] LOGIN failed.", "basic-off"),
    ("BAD Command received in an invalid state", "mechanism-refused"),
    ("BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", "rate-limited"),
]


@pytest.mark.usefixtures("opened_once")
@pytest.mark.parametrize(("said", "cause"), REFUSALS)
@pytest.mark.parametrize("token", [False, True], ids=["password", "token"])
def test_the_servers_reason_for_refusing_a_login_is_understood(said: str, cause: str, token: bool) -> None:
    kit, mechanism = IMAPKit(), "XOAUTH2" if token else "PLAIN"
    refuse = Do(lambda talk: kit._end(talk, said.encode()))
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer(mechanism), Do(lambda talk: kit.login(talk, mechanism)), refuse]
    with ScriptServer(script) as server, pytest.raises(OpenError) as caught:
        connect(to_script("IMAP", server.port, username="alice", use_xoauth2=token))
    assert caught.value.stage == "authenticate"
    assert caught.value.cause == ("token-refused" if token and cause == "wrong-password" else cause)
    assert said.partition("] ")[2] or said in caught.value.message
    assert isinstance(caught.value, MailboxLoginError)
    assert ("%mailconn password" in caught.value.hint) is (caught.value.cause == "wrong-password")


@pytest.mark.usefixtures("opened_once")
@pytest.mark.parametrize("within_login", [False, True], ids=["in the greeting", "in the login"])
def test_a_server_that_has_too_many_connections_says_so_whenever_it_hangs_up(within_login: bool) -> None:
    kit = IMAPKit()
    bye = Send(b"* BYE Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)\r\n")
    give_password("ops", "s3cret-s3cret")
    before = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN"))] if within_login else []
    with ScriptServer([*before, bye, Close()]) as server, pytest.raises(OpenError) as caught:
        connect(to_script("IMAP", server.port, username="alice"))
    assert caught.value.cause == "too-many-connections"
    assert "mail_max_userip_connections=10" in caught.value.message


def test_capabilities_end_where_their_bracket_does() -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] mail.test [192.0.2.7] ready [really]\r\n"
    with ScriptServer([Send(greeting), Silence()], strict=False) as server:
        report = check(to_script("IMAP", server.port, timeout=0.2))
    assert report.stages[3].facts["Mechanisms"] == "PLAIN"


def test_where_login_is_disabled_and_nothing_else_offered_nothing_is_sent() -> None:
    with ScriptServer([Send(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n")]) as server:
        connection = to_script("IMAP", server.port, username="alice")
        give_password("ops", "s3cret")
        with pytest.raises(OpenError) as caught:
            connect(connection)
    assert caught.value.cause == "no-login"
    assert not server.lines


# What a server says before it may


@pytest.mark.parametrize(
    "options",
    [
        {"use_secure_authentication": True, "secure_authentication_type": "TLS"},
        {"use_secure_authentication": True, "secure_authentication_type": "TLS1.2"},
        {"username": "alice"},
    ],
    ids=["STARTTLS", "exactly TLS 1.2", "login"],
)
def test_preauth_is_refused_where_tls_or_a_login_was_asked_for(options: dict[str, Any]) -> None:
    with ScriptServer([Send(b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] welcome, whoever\r\n")]) as server:
        give_password("ops", "s3cret")
        with pytest.raises(OpenError) as caught:
            connect(to_script("IMAP", server.port, **options))
    assert caught.value.cause == "preauth"
    assert caught.value.stage == ("greet" if "username" in options else "secure")
    assert not server.lines


def test_preauth_is_accepted_where_neither_was_asked_for() -> None:
    kit = IMAPKit()
    script = [
        Send(b"* PREAUTH welcome\r\n"),
        Do(kit.asked_for_capabilities),
        Do(lambda talk: kit.tell_capabilities(talk, starttls=False, mechanisms=[])),
        Do(kit.asked_whether_ready),
        Do(kit.ready),
        Do(kit.farewell),
    ]
    with ScriptServer(script) as server, connect(to_script("IMAP", server.port)) as mailbox:
        assert mailbox.opening.stages["ready"].facts["INBOX"] == "3 messages"


def test_what_the_server_said_before_the_handshake_is_forgotten(certificates: Certificates) -> None:
    kit = IMAPKit()
    script = [
        Send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"),
        Do(kit.asked_for_tls),
        Send(b"* 99 EXISTS\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN X-EVIL\r\n* OK [ALERT] send your money\r\n"),
        Do(kit.go_ahead),
        StartTLS(certificates.good.server_context()),
        Do(kit.asked_for_capabilities),
        Do(lambda talk: kit.tell_capabilities(talk, starttls=False, mechanisms=[])),
        Do(kit.farewell),
    ]
    with ScriptServer(script) as server:
        session = IMAPSession()
        connection = to_script("IMAP", server.port, use_secure_authentication=True, ca_file=str(certificates.ca.pem))
        opening = Opening(connection)
        opening.run(session.adapter)
        session.quit()
    assert "X-EVIL" not in opening.stages["greet"].facts["Capabilities"]
    assert "Server says" not in opening.stages["greet"].facts
    assert "EXISTS" not in session.client.untagged_responses
    assert "ALERT" not in session.client.untagged_responses


# Reading and writing, as imap_tools documents it


def test_a_mail_sent_by_our_smtp_session_is_read_back_byte_for_byte(
    postfix: Postfix, dovecot: Dovecot, certificates: Certificates
) -> None:
    token, raw = sent(postfix, "alice")
    postfix.wait_for("alice", token)
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        (uid,) = mailbox.uids(AND(subject=token))
        first: Any = next(mailbox.stream(uid, "(BODY.PEEK[])"))[0]
        assert added(first[1], raw) == DELIVERY
        (message,) = mailbox.fetch(AND(subject=token), mark_seen=False)
        assert message.subject == f"Größe {token}"
        assert message.attachments[0].payload == bytes(range(256)) * 8


def test_fetch_folders_flags_copies_and_moves_work(folder: str, dovecot: Dovecot, certificates: Certificates) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        mailbox.folder.set(folder)
        assert [message.subject for message in mailbox.fetch(reverse=True, limit=2, mark_seen=False)] == [
            "number 2",
            "number 1",
        ]
        assert [message.text for message in mailbox.fetch(AND(subject="number 1"), bulk=True)] == ["body 1\r\n"]
        assert mailbox.folder.status(folder)["UNSEEN"] == 2
        first, *_ = mailbox.uids()
        mailbox.flag(first, ["\\Flagged"], True)
        assert [message.uid for message in mailbox.fetch(AND(flagged=True))] == [first]
        elsewhere = f"{folder} Entwürfe & mehr"
        mailbox.folder.create(elsewhere)
        mailbox.copy(first, elsewhere)
        mailbox.move(first, elsewhere)
        assert mailbox.folder.status(elsewhere)["MESSAGES"] == 2
        assert len(mailbox.uids()) == 2
        mailbox.delete(mailbox.uids())
        assert mailbox.uids() == []
        mailbox.folder.delete(elsewhere)


def test_nothing_is_marked_as_read_by_a_session_that_only_reads(
    folder: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates)
    with connect(connection, readonly=True) as mailbox:
        assert mailbox.client.is_readonly
        mailbox.folder.set(folder, readonly=True)
        assert len(list(mailbox.fetch(mark_seen=True))) == 3
        assert mailbox.folder.status(folder)["UNSEEN"] == 3


def test_messages_arrive_one_by_one_and_no_other_command_comes_between(
    folder: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        mailbox.folder.set(folder)
        stream = mailbox.stream("1:*")
        assert MailMessage(next(stream)).subject == "number 0"
        with pytest.raises(SessionBusy):
            mailbox.uids()
        stream.close()
        assert [MailMessage(parts).subject for parts in mailbox.stream("1:*")] == ["number 0", "number 1", "number 2"]
        assert list(mailbox.stream([])) == []
        with pytest.raises(Refused, match="BAD"):
            list(mailbox.stream("1:*", "(NONSENSE)"))
        assert len(mailbox.uids()) == 3


def test_several_commands_cost_one_round_trip(folder: str, dovecot: Dovecot, certificates: Certificates) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        before = len(mailbox.transcript)
        results = mailbox.client.pipeline(("STATUS", f'"{folder}"', "(MESSAGES)"), ("GETQUOTAROOT", "INBOX"), ("NOOP",))
        assert [status for status, _ in results] == ["OK", "BAD", "OK"]
        said = [line[:1] for line in mailbox.transcript[before:]]
        assert said[:3] == ["C", "C", "C"]
        assert b"MESSAGES 3" in mailbox.client.untagged_responses["STATUS"][0]


def test_idle_hears_of_a_mail_as_it_arrives_and_of_one_that_is_there_already(
    dovecot: Dovecot, certificates: Certificates
) -> None:
    name = f"idle {uuid.uuid4().hex}"
    connection = to_dovecot("IMAP", dovecot, certificates)
    with connect(connection) as mailbox, connect(connection) as other:
        mailbox.folder.create(name)
        mailbox.folder.set(name)
        assert mailbox.idle.wait(timeout=0.1) == []
        timer = threading.Timer(0.2, lambda: other.append(HELLO, name))
        timer.start()
        assert b"* 1 EXISTS" in mailbox.idle.wait(timeout=10)
        timer.join()
        with mailbox.idle as idle:
            other.append(HELLO, name)
            # The lines of one segment are all there at once: what was not asked for yet must not be lost.
            heard = idle.poll(timeout=10)
            assert b"* 2 EXISTS" in heard
        assert len(mailbox.uids()) == 2
        mailbox.folder.delete(name)


def test_a_server_that_hangs_up_within_idle_is_said_to_have() -> None:
    kit = IMAPKit()
    ready = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    ready += [Do(kit.asked_whether_ready), Do(kit.ready)]
    with ScriptServer([*ready, Expect(rb"\S+ IDLE"), Send(b"+ idling\r\n")], strict=False, seconds=0.3) as server:
        give_password("ops", "s3cret")
        mailbox = connect(to_script("IMAP", server.port, username="alice"))
        mailbox.idle.start()
        with pytest.raises(LinkLost, match="closed the link"):
            mailbox.idle.poll(timeout=5)


def test_news_that_come_before_the_server_idles_are_told_by_the_first_poll() -> None:
    give_password("ops", "s3cret-s3cret")
    script = opened(
        IMAPKit(),
        AnswerLine(b"IDLE", b"* 4 EXISTS\r\n+ idling\r\n"),
        Expect(rb"DONE"),
        Send(b"* BYE enough\r\n"),
        Close(),
    )
    with ScriptServer(script) as server:
        mailbox = connect(to_script("IMAP", server.port, username="alice"))
        mailbox.idle.start()
        assert mailbox.idle.poll(timeout=5) == [b"* 4 EXISTS"]
        with pytest.raises(LinkLost, match="enough"):
            mailbox.idle.stop()


def test_a_server_that_does_not_idle_is_an_error_of_imap_tools() -> None:
    give_password("ops", "s3cret-s3cret")
    script = opened(IMAPKit(), AnswerLine(b"IDLE", b"TAG BAD what?\r\n"), AnswerLine(b"NOOP", b"TAG OK\x20\r\n"))
    with ScriptServer(script, strict=False) as server:
        mailbox = connect(to_script("IMAP", server.port, username="alice"))
        with pytest.raises(MailboxTaggedResponseError):
            mailbox.idle.start()
        assert mailbox.client.noop()[0] == "OK"
        mailbox.close()


# Arguments that would be another command

BREAKS = ["INBOX\r\nA1 DELETE INBOX", "INBOX\nx", "INBOX\rx", "INBOX\x00x"]
UNSAFE: dict[str, Callable[[IMAPSession, str], Any]] = {
    "select": lambda mailbox, text: mailbox.client.select(text),
    "folder.set": lambda mailbox, text: mailbox.folder.set(text),
    "folder.set bytes": lambda mailbox, text: mailbox.folder.set(text.encode()),
    "folder.create": lambda mailbox, text: mailbox.folder.create(text),
    "folder.rename": lambda mailbox, text: mailbox.folder.rename("INBOX", text),
    "folder.delete": lambda mailbox, text: mailbox.folder.delete(text),
    "folder.status": lambda mailbox, text: mailbox.folder.status(text),
    "folder.list": lambda mailbox, text: mailbox.folder.list(text),
    "folder.list search": lambda mailbox, text: mailbox.folder.list("", text),
    "folder.subscribe": lambda mailbox, text: mailbox.folder.subscribe(text, True),
    "copy": lambda mailbox, text: mailbox.copy("1", text),
    "move": lambda mailbox, text: mailbox.move("1", text),
    "append": lambda mailbox, text: mailbox.append(HELLO, text),
    "append flags": lambda mailbox, text: mailbox.append(HELLO, "INBOX", flag_set=[text]),
    "flag": lambda mailbox, text: mailbox.flag("1", [text], True),
    "fetch": lambda mailbox, text: list(mailbox.fetch(text)),
    "fetch criteria": lambda mailbox, text: list(mailbox.fetch(AND(subject=text))),
    "fetch charset": lambda mailbox, text: list(mailbox.fetch("ALL", charset=None, sort=text)),
    "uids": lambda mailbox, text: mailbox.uids(text),
    "numbers": lambda mailbox, text: mailbox.numbers(text),
    "stream": lambda mailbox, text: list(mailbox.stream(text)),
    "stream parts": lambda mailbox, text: list(mailbox.stream("1", text)),
    "uid": lambda mailbox, text: mailbox.client.uid("SEARCH", text),
    "xatom": lambda mailbox, text: mailbox.client.xatom("XNOOP", text),
    "xatom name": lambda mailbox, text: mailbox.client.xatom(text),
    "login": lambda mailbox, text: mailbox.client._simple_command("NOOP", text),
}


def test_cr_lf_and_nul_are_refused_in_every_argument_and_nothing_is_sent(
    dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        before = mailbox.transcript
        for name, call in UNSAFE.items():
            for text in BREAKS:
                with pytest.raises(UnsafeArgument):
                    call(mailbox, text)
                assert mailbox.transcript == before, (name, text)
        assert mailbox.client.noop()[0] == "OK"


@pytest.mark.parametrize("end", ["{5}", "{5+}", "{5-}", "~{5}"])
def test_an_argument_that_would_make_the_next_command_its_literal_is_refused(
    end: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        before = mailbox.transcript
        with pytest.raises(UnsafeArgument, match="literal"):
            mailbox.uids(f"SUBJECT {end}")
        assert mailbox.transcript == before
        assert mailbox.client.noop()[0] == "OK"


def test_a_command_that_could_not_be_sent_leaves_no_literal_for_the_next_one(
    dovecot: Dovecot, certificates: Certificates
) -> None:
    with connect(to_dovecot("IMAP", dovecot, certificates)) as mailbox:
        with pytest.raises(UnicodeEncodeError):
            mailbox.client.append("Entwürfe", None, None, HELLO)
        assert mailbox.client.noop()[0] == "OK"


# What comes in is bounded


def opened(kit: IMAPKit, *steps: Any) -> list[Any]:
    return [
        *kit.offer("PLAIN"),
        Do(lambda talk: kit.login(talk, "PLAIN")),
        Do(kit.accept),
        Do(kit.asked_whether_ready),
        Do(kit.ready),
        *steps,
    ]


def fetching(*steps: Any, **options: Any) -> Any:
    """The result of a FETCH whose answer the steps are."""
    give_password("ops", "s3cret-s3cret")
    script = opened(IMAPKit(), Expect(rb"\S+ FETCH 1 \(RFC822\)"), *steps)
    with ScriptServer(script, strict=False, seconds=2) as server:
        mailbox = connect(to_script("IMAP", server.port, username="alice", **options))
        try:
            return mailbox.client.fetch("1", "(RFC822)")
        finally:
            mailbox.close()


def test_a_literal_that_is_too_large_is_not_read() -> None:
    with pytest.raises(LinkLost, match=r"literal of 1000\.0 GB") as caught:
        fetching(Send(b"* 1 FETCH (RFC822 {1000000000000}\r\nx"), Silence())
    assert caught.value.cause == "too-long"


def test_an_answer_and_a_line_that_do_not_end_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_ANSWER", 10_000)
    monkeypatch.setattr(wire, "LONGEST_LINE", 5_000)
    for flood in (b"* 1 FETCH (FLAGS ())\r\n" * 1000, b"* 1 FETCH " + b"x" * 6_000, b"* X {9000}\r\n" + b"x" * 9000):
        with pytest.raises(LinkLost) as caught:
            fetching(Send(flood * 2), Silence())
        assert caught.value.cause == "too-long"


def test_a_message_may_take_longer_than_the_timeout_as_long_as_it_keeps_coming() -> None:
    pieces = [step for _ in range(6) for step in (Send(b"x" * 20_000), Pause(0.2))]
    begin = Send(b"* 1 FETCH (RFC822 {120000}\r\n")
    with pytest.raises(LinkLost) as caught:
        fetching(begin, *pieces, Silence(), timeout=0.5, deadline=0.5)
    # All of it came in 1.2 s; then the script falls silent, and that is told after half a second.
    assert caught.value.cause == "no-answer"
    assert "0.5 seconds" in caught.value.message


def test_a_server_that_closes_within_a_message_is_said_to_have() -> None:
    with pytest.raises(imaplib.IMAP4.abort, match="in the middle of a message"):
        fetching(Send(b"* 1 FETCH (RFC822 {100}\r\nabc"), Close())


# What the server says while it should answer, as fast as it can: the clock is looked at although nobody waits.
BABBLE = {
    "lines": b"* OK still here\r\n" * 200,
    "news": b"* 3 EXISTS\r\n" * 200,
    "messages": b"* 1 FETCH (FLAGS () UID 1)\r\n" * 200,
    "empty messages": b"* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n" * 200,
}


@pytest.mark.parametrize("babble", BABBLE.values(), ids=BABBLE)
def test_a_server_that_never_stops_talking_after_the_login_is_left_at_the_deadline(babble: bytes) -> None:
    kit = IMAPKit()
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    script += [Do(kit.asked_whether_ready), Babble(babble)]
    for test in (False, True):
        with ScriptServer(script, strict=False) as server:
            connection = to_script("IMAP", server.port, username="alice", timeout=30, deadline=0.5)
            if test:
                failed = check(connection).failed
                assert failed is not None
                assert (failed.name, failed.cause) == ("ready", "no-answer")
                continue
            with pytest.raises(OpenError, match=r"within 0\.5 seconds") as caught:
                connect(connection)
            assert (caught.value.stage, caught.value.cause) == ("ready", "no-answer")


def given_up(mailbox: IMAPSession) -> None:
    with contextlib.closing(mailbox.stream("1", "(UID BODY[])")) as stream:
        next(stream)


ASKING: dict[str, Callable[[Any], object]] = {
    "noop": lambda mailbox: mailbox.noop(),
    "search": lambda mailbox: search(mailbox.client, ["ALL"]),
    "their search": lambda mailbox: mailbox.uids("ALL"),
    "list": lambda mailbox: mailbox.folder.list(),
    "fetch": lambda mailbox: mailbox.client.uid("FETCH", "1", "(UID BODY[])"),
    "stream": lambda mailbox: list(mailbox.stream("1", "(UID BODY[])")),
    "a stream that is given up": given_up,
    "several": lambda mailbox: mailbox.client.pipeline(("NOOP",), ("NOOP",)),
    "idle": lambda mailbox: mailbox.idle.start(),
    "logout": lambda mailbox: mailbox.logout(),
}


@pytest.mark.parametrize("babble", BABBLE.values(), ids=BABBLE)
@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_server_that_never_stops_talking_is_left_at_the_timeout(ask: Callable[[Any], object], babble: bytes) -> None:
    give_password("ops", "s3cret-s3cret")
    script = opened(IMAPKit(), Do(lambda talk: talk.line()), Babble(babble))
    with ScriptServer(script, strict=False) as server:
        mailbox = connect(to_script("IMAP", server.port, username="alice", timeout=0.5, deadline=0.5))
        with pytest.raises(LinkLost) as caught:
            ask(mailbox)
        # Of a farewell no more is read than of a greeting; a slow machine does not get so far in half a second.
        assert caught.value.cause in ({"too-long", "no-answer"} if ask is ASKING["logout"] else {"no-answer"})
        assert mailbox.client.sock is None


@pytest.mark.parametrize("babble", [*BABBLE.values(), b""], ids=[*BABBLE, "silence"])
def test_a_cancel_ends_an_answer_after_the_opening_too(babble: bytes) -> None:
    cancel = threading.Event()
    give_password("ops", "s3cret-s3cret")
    script = opened(IMAPKit(), Do(lambda talk: talk.line()), Do(lambda _: cancel.set()), Babble(babble))
    with ScriptServer(script, strict=False) as server:
        mailbox = IMAPSession(connection=to_script("IMAP", server.port, username="alice", timeout=30), cancel=cancel)
        with pytest.raises(LinkLost) as caught:
            mailbox.noop()
    assert caught.value.cause == "cancelled"


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarm here")
def test_an_interrupt_within_an_answer_closes_the_session() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    give_password("ops", "s3cret-s3cret")
    script = opened(IMAPKit(), Expect(rb"\S+ NOOP"), Silence())
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with ScriptServer(script, strict=False) as server:
            mailbox = connect(to_script("IMAP", server.port, username="alice"))
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                mailbox.client.noop()
            with pytest.raises(LinkLost, match="The session is closed"):
                mailbox.client.noop()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_session_whose_server_has_hung_up_ends_without_an_error() -> None:
    give_password("ops", "s3cret-s3cret")
    script = opened(IMAPKit(), Send(b"* BYE idle for too long\r\n"))
    with (
        ScriptServer(script, strict=False) as server,
        connect(to_script("IMAP", server.port, username="alice")) as mailbox,
        pytest.raises(LinkLost, match="idle for too long"),
    ):
        mailbox.client.noop()


# The test


def test_a_test_says_what_is_worth_knowing_and_changes_nothing(
    folder: str, dovecot: Dovecot, certificates: Certificates
) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates, username="zoe")
    with connect(connection) as mailbox:
        mailbox.append(HELLO)
        mailbox.append(HELLO, flag_set=["\\Seen"])
        count = mailbox.folder.status("INBOX")["MESSAGES"]
        unseen = mailbox.folder.status("INBOX")["UNSEEN"]
    report = check(connection)
    assert report.ok
    learnt = {label: text for stage in report.stages for label, text in stage.facts.items()}
    assert int(learnt["Folders"]) >= 1
    assert learnt["INBOX"] == f"{count} messages, {unseen} unseen"
    assert "IMAP4REV1" in learnt["Capabilities"]
    assert "SCRAM-SHA-256" in learnt["Mechanisms"]
    assert not [line for line in report.transcript if " SELECT " in line]
    assert check(connection).stages[-1].facts == report.stages[-1].facts


def test_a_test_tells_the_quota_where_the_server_has_one() -> None:
    kit = IMAPKit()

    def survey(talk: Any) -> None:
        kit.asked_whether_ready(talk)
        quota_tag = talk.line().partition(b" ")[0]
        talk.send(b'* LIST () "/" INBOX\r\n* LIST (\\Noselect) "/" Public\r\n* LIST () "/" {5}\r\na "b"\r\n')
        talk.send(
            kit._tags.pop(0)
            + b" OK done\r\n* STATUS INBOX (MESSAGES 7 UNSEEN 2)\r\n"
            + kit._tags.pop(0)
            + b" OK done\r\n"
        )
        talk.send(
            b'* QUOTAROOT INBOX "" x\r\n* QUOTA "" (STORAGE 2500 100000 MESSAGE 7 1000)\r\n'
            + quota_tag
            + b" OK done\r\n"
        )
        kit._expect(talk, rb'EXAMINE "INBOX"')
        kit.ready(talk)

    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN"))]
    script += [Do(lambda talk: kit._end(talk, b"OK [CAPABILITY IMAP4rev1 QUOTA] in")), Do(survey), Do(kit.farewell)]
    with ScriptServer(script) as server:
        report = check(to_script("IMAP", server.port, username="alice"))
    assert report.stages[-1].facts == {
        "Folders": "2",
        "INBOX": "7 messages, 2 unseen",
        "Quota": "2.6 MB of 102.4 MB used",
    }


def test_without_imap_tools_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mailconn_jupyter.session.imap.session")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "imap_tools", None)
    connection = to_script("IMAP", 1)
    with pytest.raises(MailConnError) as caught:
        connect(connection)
    assert f"%{install('imap')}" in caught.value.hint
    other = MailConnection(name="other", server_host="localhost", server_port=1)
    reports = check_all([connection, other])
    assert [report.ok for report in reports] == [False, False]
    assert reports[0].failed is not None
    assert (reports[0].failed.cause, reports[0].failed.hint) == ("not-installed", caught.value.hint)


def test_no_traceback_shows_the_password(dovecot: Dovecot, certificates: Certificates) -> None:
    connection = to_dovecot("IMAP", dovecot, certificates)
    give_password("ops", password())
    with pytest.raises(OpenError) as caught:
        connect(connection)
    shows_no_password(caught.value, room="session")
    with connect(to_dovecot("IMAP", dovecot, certificates, use_authentication=False)) as mailbox:
        for login in (mailbox.login, mailbox.client.login, mailbox.client.login_cram_md5, mailbox.xoauth2):
            with pytest.raises(MailboxLoginError) as by_hand:
                login("alice", password())
            shows_no_password(by_hand.value, room="session")
