"""Logins as servers of the field do them, not as they should: they succeed, and nothing more is said than they ask for."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.connect import connect
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do, ProtocolKit
from tests.contract.pop3 import POP3Kit
from tests.contract.smtp import SMTPKit
from tests.servers.conversation import Conversation
from tests.servers.script import ScriptServer
from tests.support.isolation import give_password
from tests.support.reading import to_script

PASSWORD = "c0rrect-horse"
PLAIN = f"\0alice\0{PASSWORD}".encode()
KITS: list[Callable[[], ProtocolKit]] = [SMTPKit, IMAPKit, POP3Kit, lambda: IMAPKit(initial_responses=False)]
each_kit = pytest.mark.parametrize("make", KITS, ids=["SMTP", "IMAP", "POP3", "IMAP without initial responses"])


def logged_in(kit: ProtocolKit, mechanism: str, talk_through: Callable[[Conversation], object]) -> ScriptServer:
    """Open a session with a server that offers one mechanism, and end it."""
    give_password("ops", PASSWORD)
    asked = [Do(kit.asked_whether_ready), Do(kit.ready)] if kit.connect_asks_last else []
    script = [*kit.offer(mechanism), Do(talk_through), Do(kit.accept), *asked, Do(kit.farewell)]
    with ScriptServer(script) as server:
        connect(to_script(kit.protocol, server.port, username="alice", sasl_mechanism=mechanism)).quit()
    return server


def asked_plainly(kit: ProtocolKit, talk: Conversation, prompt: bytes) -> bytes:
    """Ask in any words, and return the answer."""
    talk.send(kit.challenge_start + prompt + b"\r\n")
    return base64.b64decode(talk.line(), validate=True)


@each_kit
@pytest.mark.parametrize(
    "prompts", [(b"Username:", b"Password:"), (b"", b""), (b"go on", b"=!"), (b"VXNlcg=", b"\xff\xfe")]
)
def test_the_prompts_of_login_may_be_any_text(make: Callable[[], ProtocolKit], prompts: tuple[bytes, bytes]) -> None:
    """They are for people, and some servers forget to encode them (smtplib, too, never looks at them)."""
    kit = make()
    answers: list[bytes] = []

    def talk_through(talk: Conversation) -> None:
        kit.asked_to_log_in(talk)
        answers.extend(asked_plainly(kit, talk, prompt) for prompt in prompts)

    logged_in(kit, "LOGIN", talk_through)
    assert answers == [b"alice", PASSWORD.encode()]


@each_kit
def test_a_server_that_asks_for_plain_again_has_it_once_more(make: Callable[[], ProtocolKit]) -> None:
    """RFC 4954, 4, has the initial response with the command; some servers do not read it there, and ask."""
    kit = make()
    answers: list[bytes] = []

    def talk_through(talk: Conversation) -> None:
        answers.extend([kit.login(talk, "PLAIN"), asked_plainly(kit, talk, b"")])

    logged_in(kit, "PLAIN", talk_through)
    assert answers == [PLAIN, PLAIN]


@each_kit
def test_a_server_that_never_has_enough_of_plain_gets_it_no_third_time(make: Callable[[], ProtocolKit]) -> None:
    kit = make()

    def talk_through(talk: Conversation) -> None:
        kit.login(talk, "PLAIN")
        asked_plainly(kit, talk, b"")
        assert kit.challenge(talk, b"") is None
        kit.refuse(talk)

    give_password("ops", PASSWORD)
    with ScriptServer([*kit.offer("PLAIN"), Do(talk_through)]) as server, pytest.raises(OpenError) as caught:
        connect(to_script(kit.protocol, server.port, username="alice"))
    assert caught.value.cause == "bad-challenge"


def test_what_a_server_says_when_it_asks_for_the_first_response_does_not_matter() -> None:
    kit = IMAPKit(initial_responses=False)
    answers: list[bytes] = []

    def talk_through(talk: Conversation) -> None:
        kit._expect(talk, rb"AUTHENTICATE PLAIN")
        answers.append(asked_plainly(kit, talk, b"Go ahead, please"))

    logged_in(kit, "PLAIN", talk_through)
    assert answers == [PLAIN]


@each_kit
def test_a_password_that_a_digest_is_refused_for_may_be_right_and_another_way_is_named(
    make: Callable[[], ProtocolKit],
) -> None:
    """A server that keeps hashes of passwords cannot check CRAM-MD5, and some offer it all the same."""
    kit = make()
    script = [Do(lambda talk: kit.login(talk, "CRAM-MD5")), Do(kit.refuse)]
    give_password("ops", PASSWORD)
    with ScriptServer([*kit.offer("CRAM-MD5", "PLAIN"), *script]) as server, pytest.raises(OpenError) as caught:
        connect(to_script(kit.protocol, server.port, username="alice"))
    assert caught.value.hint.startswith("Check the username, and set the password again: %mailconn password ops")
    assert caught.value.hint.endswith("CRAM-MD5 may not work there: choose sasl_mechanism PLAIN.")
    with ScriptServer([*kit.offer("CRAM-MD5"), *script]) as server, pytest.raises(OpenError) as alone:
        connect(to_script(kit.protocol, server.port, username="alice"))
    assert "sasl_mechanism" not in alone.value.hint
