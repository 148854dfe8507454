"""What becomes of a message, and what is said of it."""

from __future__ import annotations

import signal
import smtplib
import socket
import threading
import time
import uuid
from email.message import EmailMessage
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnError, MailConnWarning, OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp import session as smtp_module
from mailconn_jupyter.session.smtp.errors import (
    DataRefused,
    DeliveryUnknown,
    LinkLost,
    MessageTooLarge,
    RecipientsRefused,
    SenderRefused,
    ServerClosing,
)
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.counting import CountingServer
from tests.servers.postfix import Postfix
from tests.servers.script import Close, Expect, ExpectUntil, Pause, ScriptServer, Send, Silence
from tests.servers.steps import Step
from tests.support.isolation import give_password

SENDER, ALICE, CAROL = "bob@example.test", "alice@example.test", "carol@example.test"
HELLO: list[Step] = [
    Send(b"220 mail.test\r\n"),
    Expect(rb"ehlo .*"),
    Send(b"250-mail.test\r\n250 8BITMIME\r\n"),
]
MAIL: list[Step] = [Expect(rb"mail from:.*"), Send(b"250 ok\r\n")]
ENVELOPE: list[Step] = [*MAIL, Expect(rb"rcpt to:.*"), Send(b"250 ok\r\n")]
CONTENT: list[Step] = [*ENVELOPE, Expect(rb"DATA"), Send(b"354 go\r\n"), ExpectUntil()]
TAKE: list[Step] = [*CONTENT, Send(b"250 2.0.0 taken\r\n")]
BYE: list[Step] = [Expect(rb"quit"), Send(b"221 bye\r\n")]


def to(port: int, **options: Any) -> MailConnection:
    plain = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    return MailConnection(**{"name": "ops", "server_host": "localhost", "server_port": port, **plain, **options})


def letter(token: str = "", body: str = "Three things moved.") -> bytes:
    return f"From: {SENDER}\r\nSubject: {token}\r\n\r\n{body}\r\n".encode()


def there(postfix: Postfix, user: str, token: str) -> int:
    return sum(token.encode() in message for message in postfix.mailbox(user))


def arrived(postfix: Postfix, token: str, *users: str) -> None:
    """Each has the message once, and nobody else of the three has it."""
    for user in users:
        postfix.wait_for(user, token)
    time.sleep(0.05)
    assert {user: there(postfix, user, token) for user in ("alice", "carol", "dave")} == {
        user: int(user in users) for user in ("alice", "carol", "dave")
    }


# One recipient of three


@pytest.mark.parametrize(
    ("address", "code", "temporary", "words"),
    [("grey@example.test", 450, True, b"greylisted"), ("gone@example.test", 550, False, b"no such user")],
)
def test_one_refused_recipient_of_three_is_told_and_the_others_have_the_mail(
    address: str, code: int, temporary: bool, words: bytes, postfix: Postfix
) -> None:
    token = uuid.uuid4().hex
    with connect(to(postfix.relay)) as smtp:
        with pytest.warns(MailConnWarning, match=rf"Refused: {address}: {code} \d\.\d\.\d"):
            refused = smtp.sendmail(SENDER, [ALICE, address, CAROL], letter(token))
        assert list(refused) == [address]
        assert refused[address][0] == code
        assert words in refused[address][1]
        assert (400 <= code < 500) is temporary
        # And the session goes on.
        again = uuid.uuid4().hex
        assert smtp.sendmail(SENDER, ["dave@example.test"], letter(again)) == {}
    arrived(postfix, token, "alice", "carol")
    arrived(postfix, again, "dave")


def test_a_recipient_at_whom_the_server_hangs_up_ends_the_message_and_nobody_has_it(postfix: Postfix) -> None:
    token, again = uuid.uuid4().hex, uuid.uuid4().hex
    with connect(to(postfix.relay)) as smtp:
        with pytest.raises(ServerClosing, match=r"421 4\.3\.2") as caught:
            smtp.sendmail(SENDER, [ALICE, "close@example.test", CAROL], letter(token))
        error = caught.value
        assert isinstance(error, smtplib.SMTPServerDisconnected)
        assert (error.smtp_code, error.enhanced_code, error.temporary) == (421, "4.3.2", True)
        assert "bye" in error.words
        # The session opens again for the next message.
        assert smtp.sendmail(SENDER, [CAROL], letter(again)) == {}
    arrived(postfix, again, "carol")
    assert not there(postfix, "alice", token)


def test_when_all_recipients_are_refused_the_error_has_each_answer(postfix: Postfix) -> None:
    with connect(to(postfix.relay)) as smtp:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            smtp.sendmail(SENDER, ["grey@example.test", "gone@example.test"], letter())
        error = caught.value
        assert isinstance(error, RecipientsRefused)
        assert {address: code for address, (code, _) in error.recipients.items()} == {
            "grey@example.test": 450,
            "gone@example.test": 550,
        }
        assert not error.temporary
        assert "450 4.2.0" in str(error)
        assert "550 5.1.1" in str(error)
        with pytest.raises(RecipientsRefused) as caught:
            smtp.sendmail(SENDER, ["grey@example.test"], letter())
        assert caught.value.temporary


def test_a_refused_sender_is_told_with_the_servers_words(postfix: Postfix) -> None:
    connection = to(postfix.submission, use_secure_authentication=True, trusted_hosts="localhost")
    with connect(connection) as smtp, pytest.raises(smtplib.SMTPSenderRefused) as caught:
        smtp.sendmail(SENDER, [ALICE], letter())
    error = caught.value
    assert isinstance(error, SenderRefused)
    assert (error.smtp_code, error.enhanced_code, error.sender, error.temporary) == (554, "5.7.1", SENDER, False)
    assert "Access denied" in error.words


@pytest.mark.parametrize("reply", [b"451 4.3.0 try later\r\n", b"554-5.6.0 spam\r\n554 5.6.0 go away\r\n"])
@pytest.mark.parametrize("when", ["at DATA", "after the message"])
def test_refused_content_is_an_error_that_says_whether_to_try_again(reply: bytes, when: str) -> None:
    refusal = [*CONTENT, Send(reply)]
    if when == "at DATA":
        refusal = [*ENVELOPE, Expect(rb"DATA"), Send(reply), Expect(rb"rset"), Send(b"250 ok\r\n")]
    with ScriptServer([*HELLO, *refusal, *TAKE, *BYE]) as server, connect(to(server.port)) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            smtp.sendmail(SENDER, [ALICE], letter())
        error = caught.value
        assert isinstance(error, DataRefused)
        assert (error.smtp_code, error.enhanced_code) == (int(reply[:3]), reply[4:9].decode())
        assert error.temporary is reply.startswith(b"4")
        assert smtp.sendmail(SENDER, [ALICE], letter()) == {}


@pytest.mark.parametrize("how", ["sendmail", "send_message"])
def test_a_message_over_the_servers_size_is_refused_before_mail(how: str, postfix: Postfix) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, ALICE, "large"
    message.set_content("x" * 70 + "\n" * 2)
    message.add_attachment(b"x" * 800_000, maintype="application", subtype="octet-stream", filename="x.bin")
    with connect(to(postfix.relay)) as smtp:
        before = list(smtp.transcript)
        large = letter(body="x" * 70 + "\r\n" * 500_000)
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            smtp.sendmail(SENDER, [ALICE], large) if how == "sendmail" else smtp.send_message(message)
        assert list(smtp.transcript) == before, "nothing was sent"
    error = caught.value
    assert isinstance(error, MessageTooLarge)
    assert error.limit == 1_000_000 < error.size
    assert (error.smtp_code, error.enhanced_code, error.temporary) == (552, "5.3.4", False)


# The link breaks


FINAL = b"250-2.0.0 taken\r\n250 2.0.0 as 4711\r\n"


@pytest.mark.parametrize("count", range(len(FINAL)))
def test_a_close_after_each_byte_of_the_final_reply_leaves_the_delivery_unknown(count: int) -> None:
    sent: list[Step] = [Send(FINAL[:count])] if count else []
    with ScriptServer([*HELLO, *CONTENT, *sent, Close()]) as server, connect(to(server.port)) as smtp:
        with pytest.raises(DeliveryUnknown) as caught:
            smtp.sendmail(SENDER, [ALICE], letter())
        assert caught.value.recipients == (ALICE,)
        assert isinstance(caught.value, smtplib.SMTPServerDisconnected)
        assert "twice" in caught.value.hint
    assert server.connections == 1, "it is not sent again"


def test_the_whole_final_reply_is_enough() -> None:
    with ScriptServer([*HELLO, *CONTENT, Send(FINAL), Close()]) as server, connect(to(server.port)) as smtp:
        assert smtp.sendmail(SENDER, [ALICE], letter()) == {}


@pytest.mark.parametrize("last", [Silence(), Send(b"garbage\r\n"), Send(b"x" * 20_000)])
def test_a_final_reply_that_is_none_leaves_the_delivery_unknown(last: Step) -> None:
    connection_options = {"timeout": 0.3, "deadline": 0.3}
    with (
        ScriptServer([*HELLO, *CONTENT, last]) as server,
        connect(to(server.port, **connection_options)) as smtp,
        pytest.raises(DeliveryUnknown),
    ):
        smtp.sendmail(SENDER, [ALICE], letter())


@pytest.mark.parametrize(
    "start",
    [
        [*MAIL, Expect(rb"rcpt to:.*")],
        [*ENVELOPE, Expect(rb"DATA")],
        [*ENVELOPE, Expect(rb"DATA"), Send(b"354 go\r\n"), Expect(rb"From: .*")],
    ],
)
def test_a_link_that_breaks_within_a_message_is_not_opened_again_for_it(start: list[Step]) -> None:
    with ScriptServer([*HELLO, *start, Close(reset=True)]) as server, connect(to(server.port)) as smtp:
        with pytest.raises(LinkLost) as caught:
            smtp.sendmail(SENDER, [ALICE], letter(body="x" * 70 + "\r\n" * 4_000_000))
        # The dot is behind eight megabytes, which no kernel takes from a server that does not read.
        assert not isinstance(caught.value, DeliveryUnknown)
    assert server.connections == 1


@pytest.mark.parametrize("early", [b"250 2.0.0 taken\r\n", b"250 ok\r\n550 no\r\n"])
def test_an_answer_before_the_message_is_not_taken_for_the_answer_to_it(early: bytes) -> None:
    script = [*HELLO, *ENVELOPE, Expect(rb"DATA"), Send(b"354 go\r\n" + early)]
    with ScriptServer(script) as server, connect(to(server.port)) as smtp:
        with pytest.raises(LinkLost, match="before it had the message") as caught:
            smtp.sendmail(SENDER, [ALICE], letter())
        assert not isinstance(caught.value, DeliveryUnknown)


def test_a_reply_too_many_ends_the_session_before_it_is_taken_for_another() -> None:
    script = [*HELLO, *MAIL[:1], Send(b"250 ok\r\n250 ok\r\n")]
    with (
        ScriptServer(script) as server,
        connect(to(server.port)) as smtp,
        pytest.raises(LinkLost, match="out of turn"),
    ):
        smtp.sendmail(SENDER, [ALICE], letter())


def test_a_reader_of_a_few_bytes_at_a_time_does_not_stretch_the_timeout() -> None:
    def slowly(talk: Any) -> None:
        end = time.monotonic() + 1.2
        try:
            while time.monotonic() < end and talk._sock.recv(1024):
                time.sleep(0.02)
        except OSError:
            pass

    from tests.contract.kit import Do  # noqa: PLC0415

    script = [*HELLO, *ENVELOPE, Expect(rb"DATA"), Send(b"354 go\r\n"), Do(slowly)]
    with ScriptServer(script, strict=False) as server:
        # Small buffers: what leaves is what is read.
        server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        smtp = connect(to(server.port, timeout=0.4))
        assert smtp.sock is not None
        smtp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        started = time.monotonic()
        with pytest.raises(LinkLost) as caught:
            smtp.sendmail(SENDER, [ALICE], letter(body="x" * 70 + "\r\n" * 300_000))
        assert time.monotonic() - started < 10
    assert caught.value.cause == "no-answer"


# A session that stays usable


def test_421_in_answer_to_mail_opens_the_session_again_and_the_message_is_sent_once() -> None:
    busy = [*HELLO, Expect(rb"mail .*"), Send(b"421 4.3.2 shutting down\r\n"), Close()]
    with ScriptServer(busy, [*HELLO, *TAKE, *BYE]) as server, connect(to(server.port)) as smtp:
        assert smtp.sendmail(SENDER, [ALICE], letter()) == {}
    assert server.connections == 2


def test_a_server_that_stays_busy_is_not_asked_for_ever() -> None:
    busy = [*HELLO, Expect(rb"mail .*"), Send(b"421 4.3.2 shutting down\r\n")]
    with (
        ScriptServer(busy, busy) as server,
        connect(to(server.port)) as smtp,
        pytest.raises(ServerClosing, match="421"),
    ):
        smtp.sendmail(SENDER, [ALICE], letter())


@pytest.mark.parametrize("farewell", [[], [Send(b"421 4.4.2 idle for too long\r\n")]])
@pytest.mark.parametrize("how", ["sendmail", "send_message"])
def test_a_server_that_hung_up_while_idle_is_opened_again(farewell: list[Step], how: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = SENDER, ALICE
    message.set_content("Three things moved.")
    with (
        ScriptServer([*HELLO, *TAKE, *farewell, Close()], [*HELLO, *TAKE, *BYE]) as server,
        connect(to(server.port)) as smtp,
    ):
        smtp.sendmail(SENDER, [ALICE], letter())
        time.sleep(0.05)
        assert (smtp.sendmail(SENDER, [ALICE], letter()) if how == "sendmail" else smtp.send_message(message)) == {}
    assert server.connections == 2


def test_421_at_data_and_after_the_message_is_the_servers_farewell() -> None:
    at_data = [*HELLO, *ENVELOPE, Expect(rb"DATA"), Send(b"421 4.3.2 bye\r\n")]
    after = [*HELLO, *CONTENT, Send(b"421 4.3.2 bye\r\n")]
    with ScriptServer(at_data, after, [*HELLO, *TAKE, *BYE]) as server, connect(to(server.port)) as smtp:
        for _ in range(2):
            with pytest.raises(ServerClosing, match="421"):
                smtp.sendmail(SENDER, [ALICE], letter())
        assert smtp.sendmail(SENDER, [ALICE], letter()) == {}


def test_seven_sends_to_a_server_that_hangs_up_after_every_three_arrive_once_each() -> None:
    three, one = [*HELLO, *TAKE * 3, Close()], [*HELLO, *TAKE, *BYE]
    with ScriptServer(three, three, one) as server, connect(to(server.port)) as smtp:
        for number in range(7):
            assert smtp.sendmail(SENDER, [ALICE], letter(f"number {number}")) == {}
    subjects = [line for line in server.lines if line.startswith(b"Subject: ")]
    assert subjects == [f"Subject: number {number}".encode() for number in range(7)]


def test_after_a_while_a_noop_makes_sure_that_the_server_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "_IDLE", 0.1)
    noop: list[Step] = [Expect(rb"noop"), Send(b"250 ok\r\n")]
    gone: list[Step] = [Expect(rb"noop"), Close()]
    scripts = [*HELLO, *noop, *TAKE, *TAKE, *gone], [*HELLO, *TAKE, *BYE]
    with ScriptServer(*scripts) as server, connect(to(server.port)) as smtp:
        time.sleep(0.15)
        smtp.sendmail(SENDER, [ALICE], letter())
        smtp.sendmail(SENDER, [ALICE], letter())
        time.sleep(0.15)
        smtp.sendmail(SENDER, [ALICE], letter())


def interrupt_soon() -> None:
    if not hasattr(signal, "pthread_kill"):
        pytest.skip("no signals to a thread there")
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.15, signal.pthread_kill, (main, signal.SIGINT)).start()


@pytest.mark.parametrize("start", [[Expect(rb"mail .*")], [*ENVELOPE, Expect(rb"DATA")], CONTENT])
def test_an_interrupt_within_a_message_closes_the_session(start: list[Step]) -> None:
    with ScriptServer([*HELLO, *start, Pause(0.4)], [*HELLO, *TAKE, *BYE]) as server, connect(to(server.port)) as smtp:
        interrupt_soon()
        with pytest.raises(KeyboardInterrupt):
            smtp.sendmail(SENDER, [ALICE], letter())
        assert smtp.sock is None
        assert smtp.sendmail(SENDER, [ALICE], letter()) == {}


def test_an_interrupt_while_waiting_for_any_reply_closes_the_session() -> None:
    with ScriptServer([*HELLO, Expect(rb"noop"), Pause(0.4)], strict=False) as server:
        smtp = connect(to(server.port))
        interrupt_soon()
        with pytest.raises(KeyboardInterrupt):
            smtp.noop()
        assert smtp.sock is None


def test_after_quit_a_session_is_not_opened_again() -> None:
    with ScriptServer([*HELLO, *BYE]) as server:
        smtp = connect(to(server.port))
        smtp.quit()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail(SENDER, [ALICE], letter())


@pytest.mark.parametrize(
    ("said", "tries"),
    [(b"454 4.7.0 Too many login attempts", 1), (b"535 5.7.8 no", 1), (b"454 4.7.0 Temporary failure", 2)],
)
@pytest.mark.usefixtures("opened_once")
def test_a_login_is_tried_again_only_where_that_may_help(said: bytes, tries: int) -> None:
    login: list[Step] = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n"),
        Expect(rb"AUTH PLAIN .*"),
    ]
    give_password("ops", "s3cret-s3cret")
    opened: list[Step] = [*login, Send(b"235 in\r\n"), Close()]
    refused: list[Step] = [*login, Send(said + b"\r\n")]
    # One try more would be one too many for the script.
    with ScriptServer(opened, *[refused] * tries) as server:
        smtp = connect(to(server.port, use_authentication=True, username="alice"))
        while not smtp.sock.at_end:
            smtp.sock.buffered()
        for _ in range(2):
            with pytest.raises((OpenError, smtplib.SMTPServerDisconnected)):
                smtp.sendmail(SENDER, [ALICE], letter())


def test_threads_that_share_a_session_take_turns() -> None:
    with CountingServer() as server:
        errors: list[BaseException] = []
        with connect(to(server.port)) as smtp:

            def send(number: int) -> None:
                try:
                    for each in range(5):
                        smtp.sendmail(SENDER, [f"r{number}.{each}@example.test"], letter(f"{number}.{each}."))
                        smtp.noop()
                except (MailConnError, smtplib.SMTPException) as error:
                    errors.append(error)

            threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert not errors
    wanted = {f"{number}.{each}" for number in range(20) for each in range(5)}
    assert len(server.taken) == 100
    for message in server.taken:
        name = message.recipients[0].removeprefix("r").removesuffix("@example.test")
        assert f"Subject: {name}.\r\n".encode() in message.content
        wanted.discard(name)
    assert not wanted


# Without a connection, as a caller of smtplib uses it


def test_a_wrong_password_is_the_error_that_smtplib_raises(postfix: Postfix) -> None:
    with SMTPSession("localhost", postfix.plain_auth, timeout=5) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            smtp.login("alice", "wr0ng")
        assert caught.value.smtp_code == 535
        assert isinstance(caught.value, MailConnError)
        with pytest.raises(MailConnError, match="line break"):
            smtp.login("alice", "s3cret\r\nQUIT")


def test_a_login_that_is_not_offered_is_the_error_that_smtplib_raises(postfix: Postfix) -> None:
    with SMTPSession("localhost", postfix.relay, timeout=5) as smtp, pytest.raises(smtplib.SMTPNotSupportedError):
        smtp.login("alice", "s3cret")


def test_a_text_that_is_not_ascii_is_refused_before_anything_is_sent(postfix: Postfix) -> None:
    with connect(to(postfix.relay)) as smtp:
        before = list(smtp.transcript)
        with pytest.raises(ValueError, match="must be ASCII"):
            smtp.sendmail(SENDER, [ALICE], "Subject: grüße\r\n\r\n")
        assert list(smtp.transcript) == before
