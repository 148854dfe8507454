"""Servers that answer oddly, and links that end at the wrong moment: what is said of a message stays true."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.delivery import send as send_module
from mailconn_jupyter.delivery.report import DeliveryError
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp import session as smtp_module
from mailconn_jupyter.session.smtp.errors import (
    DataRefused,
    DeliveryUnknown,
    GreetingRefused,
    LinkLost,
    LoginRefused,
    ServerUnreachable,
)
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates
from tests.servers.script import Close, Expect, ExpectUntil, ScriptServer, Send, Silence
from tests.servers.steps import Step
from tests.support.isolation import give_password

pytestmark = pytest.mark.usefixtures("opened_once")

BOB, ALICE, CAROL = "bob@example.test", "alice@example.test", "carol@example.test"
GREETING = Send(b"220 mail.test\r\n")
HELLO: list[Step] = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 8BITMIME\r\n")]
MAIL: list[Step] = [Expect(rb"mail from:.*"), Send(b"250 ok\r\n")]
RCPT: list[Step] = [Expect(rb"rcpt to:.*"), Send(b"250 ok\r\n")]
DATA: list[Step] = [Expect(rb"DATA"), Send(b"354 go\r\n"), ExpectUntil()]
RSET: list[Step] = [Expect(rb"rset"), Send(b"250 ok\r\n")]
TAKEN = Send(b"250 2.0.0 taken\r\n")
TAKE: list[Step] = [*MAIL, *RCPT, *DATA, TAKEN]
BYE: list[Step] = [Expect(rb"quit"), Send(b"221 bye\r\n")]
LETTER = b"Subject: x\r\n\r\nThree things moved.\r\n"
TWO_CODES = [b"554-no\r\n250 ok\r\n", b"250-ok\r\n550 no\r\n"]


def to(port: int, **options: Any) -> MailConnection:
    plain = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    return MailConnection(**{"name": "ops", "server_host": "localhost", "server_port": port, **plain, **options})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try after a hundredth of the time."""
    monkeypatch.setattr(send_module, "_PAUSES", (0.01, 0.05))


def outcomes(target: MailConnection | SMTPSession | smtplib.SMTP, *to_addresses: str) -> dict[str, tuple[str, int]]:
    with pytest.raises(DeliveryError) as caught:
        mailconn.send(target, to_addresses or (ALICE,), "x", "y", sender=BOB)
    return {outcome.recipient: (outcome.outcome, outcome.code) for outcome in caught.value.report.outcomes}


# A reply whose lines have different codes is none


@pytest.mark.parametrize("reply", TWO_CODES)
def test_a_reply_of_two_codes_after_the_message_leaves_the_delivery_unknown(reply: bytes) -> None:
    script = [*HELLO, *MAIL, *RCPT, *DATA, Send(reply)]
    with ScriptServer(script) as server, connect(to(server.port)) as smtp:
        with pytest.raises(DeliveryUnknown) as caught:
            smtp.sendmail(BOB, [ALICE], LETTER)
        assert caught.value.recipients == (ALICE,)
    with ScriptServer(script) as server:
        assert outcomes(to(server.port)) == {ALICE: ("unknown", 0)}


@pytest.mark.parametrize("reply", [b"550 5.7.1 not you\r\n", b"450 4.7.1 later\r\n"])
def test_a_server_that_refuses_the_sender_and_takes_the_message_leaves_the_delivery_unknown(reply: bytes) -> None:
    offer: list[Step] = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n")]
    script = [
        *offer,
        *RSET,
        *MAIL[:1],
        Send(reply),
        *RCPT,
        Expect(rb"BDAT .*"),
        ExpectUntil(b"moved.\r\n"),
        TAKEN,
        *BYE,
    ]
    with ScriptServer(script) as server, connect(to(server.port)) as smtp:
        with pytest.raises(DeliveryUnknown, match="refused the sender, and then accepted the message") as caught:
            smtp.sendmail(BOB, [ALICE], LETTER)
        assert caught.value.recipients == (ALICE,)
    with ScriptServer([*script[:-4], ExpectUntil(b"\r\n\r\ny\r\n"), TAKEN, *BYE]) as server:
        # Nobody is sent it twice.
        assert outcomes(to(server.port)) == {ALICE: ("unknown", 0)}


@pytest.mark.parametrize("reply", TWO_CODES)
@pytest.mark.parametrize("before", [MAIL[:1], [*MAIL, *RCPT[:1]], [*MAIL, *RCPT, Expect(rb"DATA")]])
def test_a_reply_of_two_codes_before_the_message_leaves_it_not_sent(
    reply: bytes, before: Sequence[Step], impatient: None
) -> None:
    script = [*HELLO, *before, Send(reply)]
    # A message that has not begun at MAIL has a second link in each of its three tries.
    with ScriptServer(*[script] * (6 if len(before) == 1 else 3)) as server:
        assert outcomes(to(server.port)) == {ALICE: ("not sent", 0)}


# DATA that is answered as if the message were there


@pytest.mark.parametrize("reply", [b"250 2.0.0 ok\r\n", b"200 x\r\n"])
def test_data_that_is_answered_by_a_yes_leaves_the_message_not_sent(reply: bytes, impatient: None) -> None:
    one = [*MAIL, *RCPT, Expect(rb"DATA"), Send(reply), *RSET]
    with ScriptServer([*HELLO, *one, *TAKE, *BYE]) as server, connect(to(server.port)) as smtp:
        with pytest.raises(DataRefused):
            smtp.sendmail(BOB, [ALICE], LETTER)
        assert smtp.sendmail(BOB, [ALICE], LETTER) == {}
    with ScriptServer([*HELLO, *one * 3, *BYE]) as server:
        assert outcomes(to(server.port)) == {ALICE: ("not sent", int(reply[:3]))}


def test_data_that_is_answered_by_a_yes_leaves_it_not_sent_through_the_standard_library_too(impatient: None) -> None:
    one = [Expect(rb"(?i)mail from:.*"), Send(b"250 ok\r\n"), Expect(rb"(?i)rcpt to:.*"), Send(b"250 ok\r\n")]
    one += [Expect(rb"data"), Send(b"250 ok\r\n"), *RSET]
    bye = [Expect(rb"QUIT"), Send(b"221 bye\r\n")]
    with ScriptServer([*HELLO, *one * 3, *bye]) as server, smtplib.SMTP(server.host, server.port, timeout=5) as smtp:
        assert outcomes(smtp) == {ALICE: ("not sent", 250)}


@pytest.mark.parametrize("reply", [b"354 go on\r\n", b"150 wait\r\n", b"999 x\r\n"])
def test_a_reply_to_the_message_that_decides_nothing_leaves_it_unknown(reply: bytes) -> None:
    with (
        ScriptServer([*HELLO, *MAIL, *RCPT, *DATA, Send(reply), *BYE]) as server,
        pytest.raises(DeliveryError) as caught,
    ):
        mailconn.send(to(server.port), ALICE, "x", "y", sender=BOB)
    (outcome,) = caught.value.report.outcomes
    assert (outcome.outcome, outcome.words) == ("unknown", f"The server replied {reply.decode().strip()}.")


@pytest.mark.parametrize("code", [b"252", b"251", b"299"])
def test_a_reply_is_judged_by_its_first_digit(code: bytes) -> None:
    taken = [
        *MAIL,
        Expect(rb"rcpt to:.*"),
        Send(code + b" ok\r\n"),
        Expect(rb"DATA"),
        Send(b"350 go\r\n"),
        ExpectUntil(),
    ]
    with ScriptServer([*HELLO, *taken, Send(code + b" ok\r\n"), *BYE]) as server:
        assert mailconn.send(to(server.port), ALICE, "x", "y", sender=BOB).accepted == (ALICE,)


def test_a_421_at_one_recipient_keeps_what_was_said_of_another_and_refuses_nobody_else(impatient: None) -> None:
    gone, grey = "gone@example.test", "grey@example.test"
    no = [Expect(rb"rcpt to:<gone.*"), Send(b"550 5.1.1 nobody\r\n")]
    closing = [Expect(rb"rcpt to:<grey.*"), Send(b"421 4.3.2 closing\r\n"), Close()]
    first = [*HELLO, *MAIL, *RCPT, *no, *closing]
    second = [*HELLO, *MAIL, *RCPT, *closing]
    with ScriptServer(first, second, second) as server:
        found = outcomes(to(server.port), ALICE, gone, grey)
    assert found == {ALICE: ("not sent", 0), gone: ("refused", 550), grey: ("not sent", 0)}


# A server that does not know NOOP


@pytest.mark.parametrize("reply", [b"500 5.5.1 what?\r\n", b"502 5.5.1 not here\r\n", b"250 ok\r\n", b"450 busy\r\n"])
def test_any_whole_reply_to_noop_proves_that_the_server_is_there(reply: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "_IDLE", 0.0)
    noop = [Expect(rb"noop"), Send(reply)]
    with ScriptServer([*HELLO, *noop, *BYE], [*HELLO, *noop, *TAKE, *BYE]) as server:
        assert check(to(server.port)).ok
        with connect(to(server.port)) as smtp:
            assert smtp.sendmail(BOB, [ALICE], LETTER) == {}


def test_a_421_to_noop_is_the_end_of_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "_IDLE", 0.0)
    closing = [Expect(rb"noop"), Send(b"421 4.3.2 too busy\r\n")]
    with ScriptServer([*HELLO, *closing, Close()]) as server:
        failed = check(to(server.port)).failed
        assert failed is not None
        assert (failed.name, "421 4.3.2 too busy" in failed.message) == ("ready", True)
    with ScriptServer([*HELLO, *closing], [*HELLO, *TAKE, *BYE]) as server, connect(to(server.port)) as smtp:
        assert smtp.sendmail(BOB, [ALICE], LETTER) == {}


# A server that refuses to be greeted


@pytest.mark.parametrize(
    "reply",
    [
        b"421-4.7.0 Try again later\r\n421 4.7.0 mail.test\r\n",
        b"501 5.5.4 Invalid domain name\r\n",
        b"550 5.7.1 Access denied\r\n",
        b"450 4.7.1 greylisted\r\n",
    ],
)
@pytest.mark.parametrize("security", [False, True])
def test_a_refused_ehlo_is_told_in_the_servers_words_and_nothing_more_is_said(reply: bytes, security: bool) -> None:
    words = reply.decode().splitlines()[0][4:]
    refusal = [GREETING, Expect(rb"ehlo .*"), Send(reply)]
    with ScriptServer(refusal, refusal) as server:
        with pytest.raises(smtplib.SMTPConnectError, match=words) as caught:
            connect(to(server.port, use_secure_authentication=security))
        assert "STARTTLS" not in str(caught.value)
        assert caught.value.smtp_code == int(reply[:3])
        assert isinstance(caught.value, ServerUnreachable)
        assert caught.value.cause == "helo-refused"
        smtp = SMTPSession(server.host, server.port, timeout=5)
        with pytest.raises(smtplib.SMTPHeloError, match=words) as again:
            smtp.sendmail(BOB, [ALICE], LETTER)
        assert isinstance(again.value, GreetingRefused)
        smtp.close()


@pytest.mark.parametrize("code", [b"500", b"502", b"504"])
def test_helo_follows_where_ehlo_is_unknown(code: bytes) -> None:
    old = [GREETING, Expect(rb"ehlo .*"), Send(code + b" what?\r\n"), Expect(rb"helo \S+"), Send(b"250 mail.test\r\n")]
    with ScriptServer([*old, *TAKE, *BYE], [*old, *TAKE, *BYE], old) as server:
        with connect(to(server.port)) as smtp:
            assert smtp.sendmail(BOB, [ALICE], LETTER, ["NOTIFY=NEVER"]) == {}
        with SMTPSession(server.host, server.port, timeout=5) as smtp:
            assert smtp.sendmail(BOB, [ALICE], LETTER) == {}
        with pytest.raises(smtplib.SMTPNotSupportedError, match="STARTTLS"):
            connect(to(server.port, use_secure_authentication=True))
    assert b"mail from:<bob@example.test>" in server.lines


# A session that has ended, or ends meanwhile


def test_a_message_to_a_session_that_was_quit_is_not_sent_and_the_report_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What has ended for good is not tried again.
    monkeypatch.setattr(send_module, "_PAUSES", (pytest.fail,))
    with ScriptServer([*HELLO, *BYE]) as server:
        smtp = connect(to(server.port))
        smtp.quit()
        assert outcomes(smtp, ALICE, CAROL) == {ALICE: ("not sent", 0), CAROL: ("not sent", 0)}
        with pytest.raises(LinkLost, match="closed") as caught:
            smtp.sendmail(BOB, [ALICE], LETTER)
        assert caught.value.hint
    assert server.connections == 1


def closing_when(waiting: Callable[[], bool], smtp: SMTPSession) -> threading.Thread:
    def close() -> None:
        end = time.monotonic() + 5
        while not waiting() and time.monotonic() < end:
            time.sleep(0.001)
        # The reply is waited for a moment after the last byte has left.
        time.sleep(0.05)
        smtp.close()

    thread = threading.Thread(target=close)
    thread.start()
    return thread


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    ("before", "last", "kind"),
    [
        ([], rb"mail .*", LinkLost),
        (MAIL, rb"rcpt .*", LinkLost),
        ([*MAIL, *RCPT], rb"DATA", LinkLost),
        ([*MAIL, *RCPT, Expect(rb"DATA"), Send(b"354 go\r\n")], None, DeliveryUnknown),
    ],
)
def test_a_session_that_another_thread_closes_ends_what_waits_on_it(
    before: Sequence[Step], last: bytes | None, kind: type[LinkLost], secure: bool, certificates: Certificates
) -> None:
    options = {"ca_file": str(certificates.ca.pem), "timeout": 60, "deadline": 60}
    if secure:
        options |= {"use_secure_authentication": True, "secure_authentication_type": "SSL"}
    steps = [*HELLO, *before, ExpectUntil() if last is None else Expect(last), Silence()]
    tls = certificates.good.server_context() if secure else None
    with ScriptServer(steps, tls=tls, strict=False) as server:
        smtp = connect(to(server.port, **options))
        awaited = b"." if last is None else last[:4]
        thread = closing_when(lambda: any(line.startswith(awaited) for line in server.lines), smtp)
        started = time.monotonic()
        with pytest.raises(LinkLost) as caught:
            smtp.sendmail(BOB, [ALICE], LETTER)
        assert time.monotonic() - started < 30, "long before its timeout"
        thread.join()
        assert type(caught.value) is kind
        assert caught.value.cause in {"closed", "unknown"}
        assert outcomes(smtp) == {ALICE: ("not sent", 0)}


# A session that cannot open again


def test_when_the_reopening_fails_its_own_error_is_told(impatient: None) -> None:
    busy = [*HELLO, Expect(rb"mail .*"), Send(b"421 4.3.2 shutting down\r\n"), Close()]
    with ScriptServer(busy, *[[Close()]] * 3) as server:
        smtp = connect(to(server.port))
        with pytest.raises(DeliveryError) as caught:
            mailconn.send(smtp, ALICE, "x", "y", sender=BOB)
    (outcome,) = caught.value.report.outcomes
    assert (outcome.outcome, outcome.code) == ("not sent", 0)
    assert "greet failed" in outcome.words
    assert "Check the port" in outcome.words
    with pytest.raises(OpenError, match="connect failed"):
        smtp.sendmail(BOB, [ALICE], LETTER)


def test_a_login_that_is_refused_when_a_session_reopens_is_not_tried_again(impatient: None) -> None:
    give_password("ops", "c0rrect-horse")
    hello = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n"), Expect(rb"AUTH PLAIN .*")]
    first = [*hello, Send(b"235 2.7.0 ok\r\n"), Expect(rb"mail .*"), Send(b"421 4.3.2 bye\r\n"), Close()]
    with ScriptServer(first, [*hello, Send(b"535 5.7.8 no\r\n")]) as server:
        smtp = connect(to(server.port, use_authentication=True, username="ana"))
        with pytest.raises(DeliveryError, match="authenticate failed"):
            mailconn.send(smtp, ALICE, "x", "y", sender=BOB)
        with pytest.raises(LinkLost, match="closed"):
            smtp.sendmail(BOB, [ALICE], LETTER)
    assert server.connections == 2


def test_a_login_that_fails_for_the_moment_when_a_session_reopens_is_tried_again(impatient: None) -> None:
    give_password("ops", "c0rrect-horse")
    hello = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n"), Expect(rb"AUTH PLAIN .*")]
    ok = Send(b"235 2.7.0 ok\r\n")
    first = [*hello, ok, Expect(rb"mail .*"), Send(b"421 4.3.2 bye\r\n"), Close()]
    with ScriptServer(first, [*hello, Send(b"454 4.7.0 later\r\n")], [*hello, ok, *TAKE]) as server:
        smtp = connect(to(server.port, use_authentication=True, username="ana"))
        assert mailconn.send(smtp, ALICE, "x", "y", sender=BOB).accepted == (ALICE,)
        smtp.close()


def test_the_error_of_a_refused_login_is_told_when_the_session_is_opened() -> None:
    give_password("ops", "c0rrect-horse")
    hello = [GREETING, Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n"), Expect(rb"AUTH PLAIN .*")]
    with ScriptServer([*hello, Send(b"535 5.7.8 no\r\n")]) as server, pytest.raises(LoginRefused, match="535"):
        connect(to(server.port, use_authentication=True, username="ana"))
