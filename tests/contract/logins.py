"""What a hostile server does in a login: weaker mechanisms, false proofs, more questions than there are answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from mailconn_jupyter.secret import STARS
from tests.contract.faults import SECRET, USER, Contract, no_credential_in
from tests.contract.kit import Do, ProtocolKit
from tests.contract.scram import ScramServer
from tests.servers.conversation import Conversation, UnexpectedError

Cheat = Callable[[ProtocolKit, Conversation, ScramServer, bytes], None]


def called_off(kit: ProtocolKit, talk: Conversation, challenge: bytes) -> None:
    """Send a challenge that the client must not answer."""
    answer = kit.challenge(talk, challenge)
    if answer is not None:
        raise UnexpectedError(f"the client answered {challenge!r} with {answer!r}")
    kit.refuse(talk)


def _final(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> bytes:
    answer = kit.challenge(talk, server.first(first))
    assert answer is not None
    proof = server.final(answer)
    assert proof is not None
    return proof


def wrong_signature(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    _final(kit, talk, server, first)
    called_off(kit, talk, b"v=" + base64.b64encode(b"x" * 32))


def no_signature(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    _final(kit, talk, server, first)
    called_off(kit, talk, b"")


def success_without_signature(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    _final(kit, talk, server, first)
    kit.accept(talk)


def success_at_once(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    kit.accept(talk)


def signature_at_once(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    called_off(kit, talk, b"v=" + base64.b64encode(b"x" * 32))


def too_many_iterations(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    called_off(kit, talk, server.first(first).rpartition(b",i=")[0] + b",i=999999999")


def no_iterations(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    called_off(kit, talk, server.first(first).rpartition(b",i=")[0] + b",i=0")


def another_nonce(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    called_off(kit, talk, b"r=attacker" + server.first(first)[2:])


def the_clients_nonce_alone(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    server.first(first)
    called_off(kit, talk, first.rpartition(b",")[2] + b",s=c2FsdA==,i=4096")


def no_salt(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    called_off(kit, talk, server.first(first).partition(b",s=")[0] + b",s=,i=4096")


def an_extension(kit: ProtocolKit, talk: Conversation, server: ScramServer, first: bytes) -> None:
    called_off(kit, talk, b"m=you-must-know," + server.first(first))


UNPROVED = (wrong_signature, no_signature, success_without_signature, success_at_once)
INVALID = (
    signature_at_once,
    too_many_iterations,
    no_iterations,
    another_nonce,
    the_clients_nonce_alone,
    no_salt,
    an_extension,
)


class LoginFaults(Contract):
    """Faults of the SASL exchange. The links are plain: what counts is what the client puts on them."""

    def test_a_server_without_the_pinned_mechanism_gets_no_other(self) -> None:
        script = self.kit.offer("PLAIN", "LOGIN", "CRAM-MD5")
        met = self.meet(script, stage="authenticate", cause="no-mechanism", sasl_mechanism="SCRAM-SHA-256")
        no_credential_in(met.lines)
        assert "SCRAM-SHA-256" in met.error.message

    @pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "CRAM-MD5", "LOGIN", "PLAIN"])
    def test_a_login_that_is_refused_is_not_tried_again(self, mechanism: str) -> None:
        weaker = ("SCRAM-SHA-512", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN")
        offered = weaker[weaker.index(mechanism) :]
        script = [
            *self.kit.offer(*offered),
            Do(lambda talk: self.kit.login(talk, mechanism)),
            Do(self.kit.refuse),
        ]
        met = self.meet(script, stage="authenticate", cause="wrong-password")
        if mechanism.startswith(("SCRAM-", "CRAM-")):
            no_credential_in(met.lines)

    @pytest.mark.parametrize(
        ("cheat", "cause"),
        [*((cheat, "server-unproved") for cheat in UNPROVED), *((cheat, "bad-challenge") for cheat in INVALID)],
        ids=lambda value: value if isinstance(value, str) else value.__name__,
    )
    @pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    def test_a_scram_server_that_cannot_prove_itself_gets_no_session(
        self, mechanism: str, cheat: Cheat, cause: str
    ) -> None:
        digest = mechanism.removeprefix("SCRAM-").replace("-", "").lower()

        def talk_through(talk: Conversation) -> None:
            cheat(self.kit, talk, ScramServer(digest, SECRET), self.kit.login(talk, mechanism))

        script = [*self.kit.offer(mechanism, "PLAIN"), Do(talk_through)]
        met = self.meet(script, stage="authenticate", cause=cause)
        no_credential_in(met.lines)

    def test_the_error_of_a_scram_server_is_a_refused_login(self) -> None:
        def talk_through(talk: Conversation) -> None:
            server = ScramServer("sha256", SECRET)
            self.kit.challenge(talk, server.first(self.kit.login(talk, "SCRAM-SHA-256")))
            called_off(self.kit, talk, b"e=invalid-proof")

        script = [*self.kit.offer("SCRAM-SHA-256"), Do(talk_through)]
        met = self.meet(script, stage="authenticate", cause="wrong-password")
        assert "invalid-proof" in met.error.message

    @pytest.mark.parametrize("mechanism", ["PLAIN", "CRAM-MD5", "LOGIN"])
    def test_a_server_that_asks_for_more_than_a_mechanism_has_gets_nothing_more(self, mechanism: str) -> None:
        def talk_through(talk: Conversation) -> None:
            kit = self.kit
            kit.login(talk, mechanism)
            answers = {"PLAIN": 0, "CRAM-MD5": 0, "LOGIN": 1}[mechanism]
            for _ in range(answers):
                kit.challenge(talk, b"<1.2@mail.test>")
            called_off(kit, talk, b"and more?")

        self.meet([*self.kit.offer(mechanism), Do(talk_through)], stage="authenticate", cause="bad-challenge")

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    @pytest.mark.parametrize("length", [20, 2000])
    def test_a_refused_token_is_sent_once_and_the_servers_reason_is_told(self, mechanism: str, length: int) -> None:
        token = "ya29." + "t0ken" * (length // 5)
        said = {"status": "400", "schemes": "Bearer", "scope": "https://mail.test/"}
        answers: list[bytes | None] = []

        def talk_through(talk: Conversation) -> None:
            assert token.encode() in self.kit.login(talk, mechanism)
            answers.append(self.kit.challenge(talk, json.dumps(said).encode()))
            self.kit.refuse(talk)

        script = [*self.kit.offer(mechanism, "PLAIN"), Do(talk_through)]
        met = self.meet(script, stage="authenticate", cause="token-refused", secret=token, use_xoauth2=True)
        # OAUTHBEARER's empty answer is one byte (RFC 7628, 3.2.3).
        assert answers == [b"" if mechanism == "XOAUTH2" else b"\x01"] * 2
        assert all(word in met.error.message for word in ("status 400", "https://mail.test/"))
        sent = [line for line in met.lines if base64.b64encode(token.encode())[4:-4] in line or len(line) > 60]
        assert len(sent) == 2, "once by connect() and once by check()"
        assert f"\0{USER}" not in str(met.error)

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    def test_a_server_that_repeats_the_token_in_its_error_has_it_shown_to_nobody(self, mechanism: str) -> None:
        token = "ya29.t0kent0kent0ken"

        def talk_through(talk: Conversation) -> None:
            self.kit.login(talk, mechanism)
            self.kit.challenge(talk, json.dumps({"status": "400", "token": token}).encode())
            self.kit.refuse(talk)

        script = [*self.kit.offer(mechanism), Do(talk_through)]
        met = self.meet(script, stage="authenticate", cause="token-refused", secret=token, use_xoauth2=True)
        assert f"token {STARS}" in met.error.message

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    def test_a_token_that_is_asked_for_again_and_again_is_not_given(self, mechanism: str) -> None:
        def talk_through(talk: Conversation) -> None:
            self.kit.login(talk, mechanism)
            self.kit.challenge(talk, b"{}")
            called_off(self.kit, talk, b"{}")

        script = [*self.kit.offer(mechanism), Do(talk_through)]
        self.meet(script, stage="authenticate", cause="bad-challenge", use_xoauth2=True)

    @pytest.mark.parametrize("json_text", [b"[" * 5000, b"1" * 5000, b"\xff\xfe{", b'"' + b"x" * 4000 + b'"'])
    def test_a_token_error_that_is_no_proper_json_is_still_a_refusal(self, json_text: bytes) -> None:
        def talk_through(talk: Conversation) -> None:
            self.kit.login(talk, "XOAUTH2")
            self.kit.challenge(talk, json_text)
            self.kit.refuse(talk)

        script = [*self.kit.offer("XOAUTH2"), Do(talk_through)]
        met = self.meet(script, stage="authenticate", cause="token-refused", use_xoauth2=True)
        assert len(met.error.message) < 600
