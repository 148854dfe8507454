"""``SMTPSession`` where an ``smtplib.SMTP`` goes: what callers of that one ask of it."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, MailConnWarning, MessageError, OptionError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import Wire
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp import session as smtp_module
from mailconn_jupyter.session.smtp.errors import ServerClosing
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.servers.script import Close, Expect, ExpectUntil, ScriptServer, Send
from tests.servers.steps import Step

BOB, ALICE, CAROL = "bob@example.test", "alice@example.test", "carol@example.test"
GREETING = Send(b"220 mail.test\r\n")
OFFERS = b"250-mail.test\r\n250-DSN\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"
HELLO: list[Step] = [GREETING, Expect(rb"ehlo .*"), Send(OFFERS)]
MAIL: list[Step] = [Expect(rb"mail from:.*"), Send(b"250 ok\r\n")]
RCPT: list[Step] = [Expect(rb"rcpt to:.*"), Send(b"250 ok\r\n")]
DATA: list[Step] = [Expect(rb"DATA"), Send(b"354 go\r\n"), ExpectUntil(), Send(b"250 taken\r\n")]
BYE: list[Step] = [Expect(rb"quit"), Send(b"221 bye\r\n")]
LETTER = b"Subject: x\r\n\r\nThree things moved.\r\n"


def to(port: int, **options: Any) -> MailConnection:
    plain = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    return MailConnection(**{"name": "ops", "server_host": "localhost", "server_port": port, **plain, **options})


def letter(to_header: str = ALICE) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = BOB, to_header, "x"
    message.set_content("Three things moved.")
    return message


# What CPython's tests ask of a mock in place of the socket module, asked of real sockets


def test_the_constructor_connects_as_that_of_smtplib_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        source = free.getsockname()
    with ScriptServer(*[[GREETING]] * 8) as server:

        def opened(*place: Any, **options: Any) -> tuple[float | None, str, Any]:
            smtp = SMTPSession(*(place or (server.host, server.port)), **options)
            found = smtp.sock.gettimeout(), smtp.local_hostname, smtp.sock.getsockname()
            smtp.close()
            return found

        assert opened()[:2] == (20, "[127.0.0.1]")
        assert opened(f"{server.host}:{server.port}")[0] == 20
        assert opened(local_hostname="testhost")[1] == "testhost"
        assert opened(source_address=source)[2] == source
        assert [opened(timeout=timeout)[0] for timeout in (30, None)] == [30, None]
        monkeypatch.setattr(socket, "getdefaulttimeout", lambda: 7.0)
        assert opened()[0] == 7
        assert opened(timeout=None)[0] is None


def test_a_timeout_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout of 0"):
        SMTPSession("127.0.0.1", 1, timeout=0)


def test_a_greeting_that_says_no_is_the_error_of_smtplib() -> None:
    with ScriptServer([Send(b"199 no hello for you!\r\n")]) as server:
        with pytest.raises(smtplib.SMTPConnectError, match="no hello for you") as caught:
            SMTPSession(server.host, server.port, timeout=3)
        assert caught.value.args == (caught.value.smtp_code, caught.value.smtp_error) == (199, b"no hello for you!")


@pytest.mark.parametrize(("level", "begins"), [(1, "connect:"), (2, r"\d{2}:\d{2}:\d{2}\.\d{6} connect: ")])
def test_a_debug_level_prints_what_it_connects_to(level: int, begins: str, capfd: pytest.CaptureFixture[str]) -> None:
    with ScriptServer([GREETING]) as server:
        smtp = SMTPSession()
        smtp.set_debuglevel(level)
        smtp.connect(server.host, server.port)
        smtp.close()
    printed = capfd.readouterr().err
    assert re.search(f"^{begins}", printed, re.MULTILINE)
    assert "S: 220 mail.test" in printed


# Names without a domain


def test_a_name_without_a_domain_is_an_address_that_a_local_relay_completes() -> None:
    taking = [
        Expect(rb"mail from:<root> size=\d+"),
        Send(b"250 ok\r\n"),
        Expect(rb"rcpt to:<John>"),
        Send(b"250 ok\r\n"),
    ]
    taking += [Expect(rb"rcpt to:<alice@example\.test>"), Send(b"250 ok\r\n"), *DATA]
    with ScriptServer([*HELLO, *taking * 3, *BYE]) as server, connect(to(server.port)) as smtp:
        assert smtp.sendmail("root", ["John", ALICE], LETTER) == {}
        assert smtp.send_message(letter(), "root", ["John", f"Alice <{ALICE}>"]) == {}
        message = letter(f"John, {ALICE}")
        message.replace_header("From", "root")
        assert smtp.send_message(message) == {}


@pytest.mark.parametrize(
    "name", ["John Root", '"John Root"', '"john"', "a..b", ".a", "a.", "al,ice", "a\uff20example.test", "a" * 65, "a:b"]
)
def test_what_is_no_name_of_one_mailbox_is_none_without_a_domain_either(name: str) -> None:
    with ScriptServer(HELLO) as server:
        smtp = connect(to(server.port))
        for sender, recipients in ((BOB, [ALICE, name]), (name, [ALICE])):
            with pytest.raises(MessageError):
                smtp.sendmail(sender, recipients, LETTER)
        smtp.close()


def test_the_name_of_a_mailbox_beyond_ascii_needs_smtputf8_as_in_smtplib() -> None:
    with ScriptServer(HELLO) as server:
        smtp = connect(to(server.port))
        for recipient in ("Böb", "böb@example.test"):
            with pytest.raises(UnicodeEncodeError) as caught:
                smtp.sendmail(BOB, [recipient], LETTER)
            assert isinstance(caught.value, MessageError)
            assert caught.value.object == recipient
            assert "SMTPUTF8" in str(caught.value)
            with pytest.raises(smtplib.SMTPNotSupportedError, match="SMTPUTF8"):
                smtp.sendmail(BOB, [recipient], LETTER, ["SMTPUTF8"])
            with pytest.raises(smtplib.SMTPNotSupportedError, match="SMTPUTF8"):
                smtp.send_message(letter(), BOB, [recipient])
        smtp.close()


# Nobody


@pytest.mark.parametrize("nobody", [[], ()])
def test_a_message_to_nobody_is_the_error_of_smtplib_and_nothing_is_sent(nobody: list[str]) -> None:
    with ScriptServer(HELLO) as server:
        smtp = connect(to(server.port))
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="no recipient") as caught:
            smtp.sendmail(BOB, nobody, LETTER)
        assert caught.value.recipients == {} == caught.value.args[0]
        assert isinstance(caught.value, MessageError)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.send_message(letter(""))
        smtp.close()


# A server that closes


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ([*MAIL[:1]], smtplib.SMTPSenderRefused),
        ([*MAIL, *RCPT[:1]], smtplib.SMTPRecipientsRefused),
        ([*MAIL, *RCPT, Expect(rb"DATA")], smtplib.SMTPDataError),
        ([*MAIL, *RCPT, *DATA[:-1]], smtplib.SMTPDataError),
    ],
)
def test_a_421_is_the_class_that_smtplib_raises_for_the_command_and_the_session_is_closed(
    before: list[Step], kind: type[smtplib.SMTPException]
) -> None:
    with ScriptServer([*HELLO, *before, Send(b"421 4.3.2 closing\r\n"), Close()]) as server:
        smtp = SMTPSession(server.host, server.port, timeout=5)
        with pytest.raises(kind) as caught:
            smtp.sendmail(BOB, [ALICE], LETTER)
        error = caught.value
        assert isinstance(error, ServerClosing)
        assert isinstance(error, smtplib.SMTPServerDisconnected)
        assert (error.smtp_code, error.smtp_error, error.enhanced_code) == (421, b"4.3.2 closing", "4.3.2")
        assert (error.temporary, "later" in error.hint) == (True, True)
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            assert error.args == ({ALICE: (421, b"4.3.2 closing")},)
        assert smtp.sock is None


def test_the_arguments_of_an_error_are_those_of_smtplib() -> None:
    no, reset = Send(b"550 5.7.1 no\r\n"), [Expect(rb"rset"), Send(b"250 ok\r\n")]
    script = [*MAIL[:1], no, *reset, *MAIL, *RCPT[:1], no, *reset, *MAIL, *RCPT, Expect(rb"DATA"), no, *reset]
    with ScriptServer([*HELLO, *script, *BYE]) as server, SMTPSession(server.host, server.port, timeout=5) as smtp:
        errors: list[smtplib.SMTPException] = []
        for _ in range(3):
            with pytest.raises(smtplib.SMTPException) as caught:
                smtp.sendmail(BOB, [ALICE], LETTER)
            errors.append(caught.value)
        pair = (550, b"5.7.1 no")
        assert [error.args for error in errors] == [(*pair, BOB), ({ALICE: pair},), pair]


def test_a_farewell_that_goes_wrong_is_an_error_only_where_smtplib_alone_would_know() -> None:
    odd = [Expect(rb"quit"), Send(b"451 4.0.0 not now\r\n")]
    with ScriptServer([GREETING, *odd], [GREETING, *odd], [*HELLO, *odd]) as server:
        with pytest.raises(smtplib.SMTPResponseException, match="451"), SMTPSession(server.host, server.port):
            pass
        with pytest.raises(KeyError), SMTPSession(server.host, server.port):
            raise KeyError
        # What was sent over a connection is the server's: an error here would have it sent again.
        with connect(to(server.port)):
            pass


# The socket


def test_the_socket_answers_what_is_asked_of_one_with_tls(postfix: Postfix, certificates: Certificates) -> None:
    connection = to(
        postfix.smtps,
        use_secure_authentication=True,
        secure_authentication_type="SSL",
        ca_file=str(certificates.ca.pem),
    )
    with connect(connection) as smtp:
        sock = smtp.sock
        assert sock.version() in {"TLSv1.2", "TLSv1.3"}
        name, version, bits = sock.cipher()
        assert (bool(name), version[:4], bits >= 128) == (True, "TLSv", True)
        assert ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True)).startswith("-----BEGIN")
        assert ("DNS", "localhost") in sock.getpeercert()["subjectAltName"]
        assert sock.selected_alpn_protocol() is None
        sock.settimeout(3)
        assert sock.gettimeout() == 3
        assert smtp.noop()[0] == 250
        sock.settimeout(None)
        assert sock.gettimeout() is None
        assert smtp.noop()[0] == 250


def test_the_socket_of_a_plain_link_has_nothing_to_tell_of_tls(postfix: Postfix) -> None:
    with connect(to(postfix.relay)) as smtp:
        sock = smtp.sock
        assert (sock.version(), sock.cipher(), sock.getpeercert(), sock.selected_alpn_protocol()) == (None,) * 4


def test_a_subclass_may_bring_its_own_socket() -> None:
    class Own(SMTPSession):
        def _get_socket(self, host: str, port: int, timeout: Any) -> Any:
            return socket.create_connection((host, port), timeout)

    with ScriptServer([*HELLO, *MAIL, *RCPT, *DATA, *BYE]) as server, Own(server.host, server.port, timeout=5) as smtp:
        assert smtp.sendmail(BOB, [ALICE], LETTER) == {}
        assert smtp.local_hostname == "[127.0.0.1]"


# Logging in


def test_a_login_returns_the_servers_own_reply() -> None:
    hello = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n")]
    login = [Expect(rb"AUTH PLAIN \S+"), Send(b"235-2.7.0 hello\r\n235 2.7.0 ana\r\n")]
    again = [Expect(rb"AUTH PLAIN \S+"), Send(b"503 5.5.1 already\r\n")]
    with ScriptServer([*hello, *login, *again, *BYE]) as server, SMTPSession(server.host, server.port) as smtp:
        assert smtp.login("ana", "c0rrect-horse") == (235, b"2.7.0 hello\n2.7.0 ana")
        assert smtp.login("ana", "c0rrect-horse") == (503, b"5.5.1 already")


def test_a_503_to_somebody_who_is_not_logged_in_is_a_refusal() -> None:
    hello = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n")]
    login = [Expect(rb"AUTH PLAIN \S+"), Send(b"503 5.5.1 not now\r\n")]
    with (
        ScriptServer([*hello, *login, *BYE]) as server,
        SMTPSession(server.host, server.port) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError, match="503"),
    ):
        smtp.login("ana", "c0rrect-horse")


# What is passed on


def test_send_message_goes_through_sendmail_as_that_of_smtplib_does() -> None:
    seen: list[tuple[Any, ...]] = []

    class Looking(SMTPSession):
        def sendmail(self, *args: Any) -> Any:
            seen.append(args)
            return super().sendmail(*args)

    with ScriptServer([*HELLO, *MAIL, *RCPT, *DATA, *BYE]) as server, Looking(server.host, server.port) as smtp:
        smtp.send_message(letter(), mail_options=["BODY=8BITMIME"])
    ((sender, recipients, content, mail_options, rcpt_options),) = seen
    assert (sender, recipients, mail_options, rcpt_options) == (BOB, [ALICE], ("BODY=8BITMIME",), ())
    assert isinstance(content, bytes)
    assert content.endswith(b"\r\n\r\nThree things moved.\r\n")


def test_a_large_attachment_is_not_copied_on_its_way_to_sendmail(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(SMTPSession, "sendmail", lambda _, *args: seen.append(args[2]))
    with ScriptServer(HELLO) as server:
        smtp = connect(to(server.port))
        smtp.send_message(compose(ALICE, "x", "y", sender=BOB, attachments={"x.bin": bytes(2**20)}))
        smtp.close()
    assert isinstance(seen[0], Wire)


def test_a_size_is_that_of_the_message_as_it_was_given_and_its_last_line_is_ended() -> None:
    def taking(size: int) -> list[Step]:
        return [Expect(b"mail from:<bob@example\\.test> size=%d" % size), Send(b"250 ok\r\n"), *RCPT, *DATA]

    sizes: list[bytes | str] = [b"A test message", b"A test message\r\n", b"A test message\n", "two\nlines"]
    script = [step for size in (14, 16, 16, 10) for step in taking(size)]
    with ScriptServer([*HELLO, *script, *BYE]) as server, connect(to(server.port)) as smtp:
        for content in sizes:
            assert smtp.sendmail(BOB, [ALICE], content) == {}
    assert "C: (the message, 19 bytes)" in smtp.transcript


def test_each_recipient_may_have_parameters_of_its_own() -> None:
    taking = [*MAIL, Expect(rb"rcpt to:<alice@example\.test> ORCPT=rfc822;a@b"), Send(b"250 ok\r\n")]
    taking += [Expect(rb"rcpt to:<carol@example\.test>"), Send(b"250 ok\r\n"), *DATA]
    both = [*MAIL, *[Expect(rb"rcpt to:<\w+@example\.test> NOTIFY=NEVER"), Send(b"250 ok\r\n")] * 2, *DATA]
    own = {ALICE: ["ORCPT=rfc822;a@b"]}
    with ScriptServer([*HELLO, *taking * 2, *both, *BYE]) as server, connect(to(server.port)) as smtp:
        assert smtp.sendmail(BOB, [ALICE, CAROL], LETTER, rcpt_options=own) == {}
        assert smtp.send_message(letter(f"{ALICE}, {CAROL}"), rcpt_options=own) == {}
        assert smtp.sendmail(BOB, [ALICE, CAROL], LETTER, rcpt_options=["NOTIFY=NEVER"]) == {}
        with pytest.raises(MessageError, match="a single parameter"):
            smtp.sendmail(BOB, [ALICE], LETTER, rcpt_options={ALICE: ["x y"]})
        with pytest.raises(MessageError, match=CAROL):
            smtp.sendmail(BOB, [ALICE], LETTER, rcpt_options={CAROL: ["NOTIFY=NEVER"]})


def test_a_link_is_looked_at_once_for_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "_IDLE", 0.0)
    noop = [Expect(rb"noop"), Send(b"250 ok\r\n")]
    with ScriptServer([*HELLO, *[*noop, *MAIL, *RCPT, *DATA] * 2, *BYE]) as server, connect(to(server.port)) as smtp:
        smtp.sendmail(BOB, [ALICE], LETTER)
        smtp.send_message(letter())


def test_a_connection_of_another_protocol_is_refused() -> None:
    connection = MailConnection(name="box", protocol="IMAP", server_host="localhost")
    with pytest.raises(OptionError, match="box: the protocol is IMAP, not SMTP"):
        SMTPSession(connection=connection)


def test_a_recipient_that_was_refused_is_told_once() -> None:
    taking = [*MAIL, *RCPT, Expect(rb"rcpt to:.*"), Send(b"550 5.1.1 nobody\r\n"), *DATA]
    with ScriptServer([*HELLO, *taking * 2, *BYE]) as server, connect(to(server.port)) as smtp:
        ways: list[Callable[[], object]] = [
            lambda: smtp.sendmail(BOB, [ALICE, CAROL], LETTER),
            lambda: smtp.send_message(letter(f"{ALICE}, {CAROL}")),
        ]
        for sending in ways:
            with pytest.warns(MailConnWarning) as told:
                assert sending() == {CAROL: (550, b"5.1.1 nobody")}
            assert len(told) == 1


def test_a_command_with_a_line_break_is_refused_by_each_way_to_send_one() -> None:
    with ScriptServer(HELLO) as server:
        smtp = connect(to(server.port))
        ways: list[Callable[[], object]] = [
            lambda: smtp.docmd("noop\r\nquit"),
            lambda: smtp.putcmd("noop", "x\ny"),
            lambda: smtp.helo("x\r\nquit"),
            lambda: smtp.ehlo("x\nquit"),
        ]
        for action in ways:
            with pytest.raises(ValueError, match="prohibited newline characters") as caught:
                action()
            assert isinstance(caught.value, MailConnError)
        smtp.close()
