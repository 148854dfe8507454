"""Opening is tried again where the server was busy, and nowhere else: not after a wrong password, not on a rate limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.opening import run_stages
from mailconn_jupyter.session.opening.stages import StageResult
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do, ProtocolKit
from tests.contract.pop3 import POP3Kit
from tests.contract.smtp import SMTPKit
from tests.servers.certificates import Certificates
from tests.servers.script import Close, ScriptServer, Send, StartTLS
from tests.servers.steps import Step
from tests.support.isolation import give_password
from tests.support.reading import to_script

KITS: dict[str, Callable[[], ProtocolKit]] = {"SMTP": SMTPKit, "IMAP": IMAPKit, "POP3": POP3Kit}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses, a thousandth as long."""
    monkeypatch.setattr(run_stages, "PAUSES", tuple(pause / 1000 for pause in run_stages.PAUSES))


def login_of(kit: ProtocolKit) -> list[Step]:
    return [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN"))]


def healthy(kit: ProtocolKit) -> list[Step]:
    asked = [Do(kit.asked_whether_ready), Do(kit.ready)] if kit.connect_asks_last else []
    return [*login_of(kit), Do(kit.accept), *asked, Do(kit.farewell)]


def answered(kit: ProtocolKit, text: bytes) -> Step:
    """An answer to the last command in the server's own words; of IMAP with its tag."""
    return Do(lambda talk: kit._end(talk, text)) if isinstance(kit, IMAPKit) else Send(text + b"\r\n")


def opened(protocol: str, *scripts: Sequence[Step], **options: Any) -> tuple[MailConnection, ScriptServer]:
    """Open a session with a server that plays these scripts, and end it."""
    give_password("ops", "s3cret-s3cret")
    with ScriptServer(*scripts) as server:
        connection = to_script(protocol, server.port, username="alice", **options)
        connect(connection).quit()
    return connection, server


BUSY_GREETINGS = [
    ("SMTP", b"421 4.3.2 mail.test too many connections\r\n"),
    ("SMTP", b"450 4.7.0 later\r\n"),
    ("IMAP", b"* BYE Too many connections from your IP\r\n"),
    ("IMAP", b"* BYE [UNAVAILABLE] maintenance\r\n"),
    ("IMAP", b"* BYE Server shutting down.\r\n"),
    ("POP3", b"-ERR [SYS/TEMP] not now\r\n"),
    ("POP3", b"-ERR Server too busy\r\n"),
]


@pytest.mark.parametrize(("protocol", "greeting"), BUSY_GREETINGS)
@pytest.mark.usefixtures("waited")
def test_a_server_that_is_busy_when_it_is_called_is_called_again(protocol: str, greeting: bytes) -> None:
    busy = [Send(greeting), Close()]
    _, server = opened(protocol, busy, busy, healthy(KITS[protocol]()))
    assert server.connections == 3


BUSY_LOGINS = [
    ("SMTP", b"454 4.7.0 Temporary authentication failure"),
    ("SMTP", b"432 4.3.2 Concurrent connections limit exceeded"),
    ("SMTP", b"421 4.3.2 shutting down"),
    ("IMAP", b"NO [UNAVAILABLE] the directory is down"),
    ("IMAP", b"NO [ALERT] Too many simultaneous connections. (Failure)"),
    ("POP3", b"-ERR [SYS/TEMP] later"),
    ("POP3", b"-ERR [IN-USE] somebody has it open"),
]


@pytest.mark.parametrize(("protocol", "answer"), BUSY_LOGINS)
@pytest.mark.usefixtures("waited")
def test_a_login_that_cannot_be_checked_for_the_moment_is_tried_again(protocol: str, answer: bytes) -> None:
    kit = KITS[protocol]()
    _, server = opened(protocol, [*login_of(kit), answered(kit, answer)], healthy(KITS[protocol]()))
    assert server.connections == 2


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
@pytest.mark.usefixtures("waited")
def test_a_mailbox_that_is_away_for_the_moment_is_asked_for_again(protocol: str) -> None:
    kit = KITS[protocol]()
    if isinstance(kit, IMAPKit):
        answers = [answered(kit, b"NO [UNAVAILABLE] later"), Do(lambda talk: kit._expect(talk, rb'LIST "" INBOX'))]
        answers += [Do(lambda talk: kit._end(talk, b"OK done", before=b'* LIST () "/" INBOX\r\n'))]
    else:
        answers = [Send(b"-ERR [SYS/TEMP] later\r\n")]
    first = [*login_of(kit), Do(kit.accept), Do(kit.asked_whether_ready), *answers]
    _, server = opened(protocol, first, healthy(KITS[protocol]()))
    assert server.connections == 2


@pytest.mark.usefixtures("waited")
def test_a_starttls_that_fails_for_the_moment_is_asked_for_again_and_nothing_goes_in_plain_text(
    certificates: Certificates,
) -> None:
    kit = SMTPKit()
    first = [
        *kit.offer(starttls=True),
        Do(kit.asked_for_tls),
        Send(b"454 4.7.0 TLS not available due to temporary reason\r\n"),
    ]
    second = [
        *kit.offer(starttls=True),
        Do(kit.asked_for_tls),
        Do(kit.go_ahead),
        StartTLS(certificates.good.server_context()),
    ]
    secured = [*kit.tell("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept), Do(kit.farewell)]
    _, server = opened(
        "SMTP", first, [*second, *secured], use_secure_authentication=True, ca_file=str(certificates.ca.pem)
    )
    before_tls = server.lines[: server.lines.index(b"STARTTLS") + 1]
    assert [line.split()[0] for line in before_tls] == [b"ehlo", b"STARTTLS"]


def failure(protocol: str, *scripts: Sequence[Step], **options: Any) -> OpenError:
    give_password("ops", "s3cret-s3cret")
    with ScriptServer(*scripts) as server, pytest.raises(OpenError) as caught:
        connect(to_script(protocol, server.port, username="alice", **options))
    return caught.value


FINAL_LOGINS = [
    ("SMTP", b"535 5.7.8 no", "wrong-password"),
    ("SMTP", b"535 5.7.0 too many connections", "too-many-connections"),
    ("SMTP", b"454 4.7.0 Too many login attempts, please try again later.", "rate-limited"),
    ("SMTP", b"535 4.7.0 temporary failure, try again later", "wrong-password"),
    ("SMTP", b"504 5.5.4 Unrecognized authentication type", "mechanism-refused"),
    ("IMAP", b"NO [AUTHENTICATIONFAILED] no", "wrong-password"),
    ("IMAP", b"NO [LIMIT] LOGIN Rate limit hit", "rate-limited"),
    ("POP3", b"-ERR [AUTH] no", "wrong-password"),
    ("POP3", b"-ERR [LOGIN-DELAY] wait", "rate-limited"),
]


@pytest.mark.parametrize(("protocol", "answer", "cause"), FINAL_LOGINS)
@pytest.mark.usefixtures("waited")
def test_a_refused_password_and_a_rate_limit_are_never_answered_by_another_login(
    protocol: str, answer: bytes, cause: str
) -> None:
    kit = KITS[protocol]()
    # Another link would be one too many for the script.
    assert failure(protocol, [*login_of(kit), answered(kit, answer)]).cause == cause


FINAL_GREETINGS = [
    ("SMTP", b"554 5.7.1 not you\r\n"),
    ("SMTP", b"421 4.7.0 too many requests from you\r\n"),
    ("IMAP", b"* BYE not you\r\n"),
    ("POP3", b"-ERR not you\r\n"),
]


@pytest.mark.parametrize(("protocol", "greeting"), FINAL_GREETINGS)
@pytest.mark.usefixtures("waited")
def test_a_server_that_says_no_for_good_is_called_once(protocol: str, greeting: bytes) -> None:
    error = failure(protocol, [Send(greeting), Close()])
    assert error.cause in {"refused-by-server", "rate-limited"}


@pytest.mark.parametrize(("protocol", "greeting"), BUSY_GREETINGS)
@pytest.mark.usefixtures("waited")
def test_a_server_that_stays_busy_is_called_three_times_and_its_words_are_told(protocol: str, greeting: bytes) -> None:
    error = failure(protocol, *[[Send(greeting), Close()]] * 3)
    assert error.temporary
    assert error.stage == "greet"
    assert error.cause in {"server-busy", "too-many-connections"}
    words = greeting.decode().partition("] ")[2] or greeting.decode().partition(" ")[2]
    assert words.strip().removeprefix("BYE ") in error.message


@pytest.mark.usefixtures("waited")
def test_starttls_that_stays_refused_is_not_taken_for_a_server_that_never_had_it() -> None:
    kit = SMTPKit()
    refused = [*kit.offer(starttls=True), Do(kit.asked_for_tls), Do(kit.refuse_tls)]
    error = failure("SMTP", *[refused] * 3, use_secure_authentication=True)
    assert error.cause == "starttls-refused"
    assert "454 4.7.0" in error.message
    assert "never had TLS" not in error.hint
    assert "again" in error.hint


def test_there_is_no_try_for_which_there_is_no_time() -> None:
    """The first pause is longer than what is left of the deadline."""
    error = failure("SMTP", [Send(b"421 4.3.2 later\r\n"), Close()], deadline=0.9)
    assert "421 4.3.2 later" in error.message


def test_a_pause_ends_when_the_test_is_called_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_stages, "PAUSES", (50.0,))
    cancel = threading.Event()

    def called_off_in_the_pause(result: StageResult) -> None:
        if result.name == "connect" and result.outcome == "running" and cancelled_after:
            cancel.set()
        if result.outcome == "failed":
            cancelled_after.append(result.name)

    cancelled_after: list[str] = []
    with ScriptServer([Send(b"421 4.3.2 later\r\n"), Close()]) as server:
        report = check(to_script("SMTP", server.port), listener=called_off_in_the_pause, cancel=cancel)
    assert cancelled_after == ["greet", "connect"]
    assert isinstance(report.error, OpenError)
    assert report.error.cause == "cancelled"


@pytest.mark.usefixtures("waited")
def test_a_test_says_what_was_tried_again() -> None:
    kit, heard = SMTPKit(), []
    good = [*login_of(kit), Do(kit.accept), Do(kit.asked_whether_ready), Do(kit.ready), Do(kit.farewell)]
    give_password("ops", "s3cret-s3cret")
    with ScriptServer([Send(b"421 4.3.2 later\r\n"), Close()], good) as server:
        report = check(
            to_script("SMTP", server.port, username="alice"), listener=lambda one: heard.append((one.name, one.outcome))
        )
    assert report.ok
    assert "421 4.3.2 later" in report.stages[1].facts["Tried again"]
    assert heard.index(("greet", "failed")) < heard.index(("greet", "not reached")) < heard.index(("greet", "ok"))
    assert [stage.name for stage in report.stages] == list(dict(heard))


@pytest.mark.usefixtures("waited")
def test_a_password_that_was_typed_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def prompt(*args: Any, **options: Any) -> str:
        asked.append(args)
        return "typed-typed"

    monkeypatch.setattr("getpass.getpass", prompt)
    kit = SMTPKit()
    later = [*login_of(kit), Send(b"454 4.7.0 later\r\n")]
    with ScriptServer(later, healthy(kit)) as server:
        connect(to_script("SMTP", server.port, username="alice")).quit()
    assert len(asked) == 1


@pytest.mark.usefixtures("waited")
def test_a_session_that_opens_itself_again_is_as_patient() -> None:
    kit = SMTPKit()
    first = [*login_of(kit), Do(kit.accept), Close()]
    give_password("ops", "s3cret-s3cret")
    busy = [Send(b"421 4.3.2 later\r\n"), Close()]
    with ScriptServer(first, busy, busy, healthy(kit)) as server:
        smtp: Any = connect(to_script("SMTP", server.port, username="alice"))
        while not smtp.sock.at_end:
            smtp.sock.buffered()
        with smtp.turn():
            pass
        smtp.quit()
