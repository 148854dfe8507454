"""The fault catalogue (tests/contract), met by SMTP, and the faults that only SMTP has."""

from __future__ import annotations

import pytest

from tests.contract.faults import Contract
from tests.contract.kit import Do
from tests.contract.links import LinkFaults
from tests.contract.logins import LoginFaults
from tests.contract.smtp import SMTPKit
from tests.contract.tls import TLSFaults
from tests.servers.script import Expect, Send
from tests.servers.steps import Step

#: What a server says, what it means, and what a person is to do.
REFUSALS = [
    (b"535 5.7.8 Error: authentication failed", "wrong-password", "set the password again"),
    (
        b"535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. [AM0]",
        "wrong-password",
        "set the password again",
    ),
    (b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "basic-off", "use_xoauth2"),
    (b"550 5.7.30 Basic authentication is not supported for Client Submission.", "basic-off", "use_xoauth2"),
    (b"550 5.7.30", "basic-off", "administrator of the organisation"),
    (
        b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        "smtp-off-tenant",
        "Set-TransportConfig",
    ),
    (
        b"535-5.7.139 Authentication unsuccessful, SmtpClientAuthentication is\r\n535 disabled for the Mailbox.",
        "smtp-off-mailbox",
        "Set-CASMailbox ADDRESS -SmtpClientAuthenticationDisabled $false",
    ),
    (
        b"535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
        "login-policy",
        "administrator can allow it",
    ),
    (b"534-5.7.9 Application-specific password required.\r\n534 5.7.9 Learn more", "app-password", "app password"),
    (b"534 5.7.14 Please log in via your web browser and then try again.", "web-login", "web page"),
    (b"432 4.3.2 Concurrent connections limit exceeded", "too-many-connections", "sessions that hold a connection"),
    (b"454 4.7.0 Too many login attempts, please try again later.", "rate-limited", "Wait a few minutes"),
    (b"454 4.7.0 Temporary authentication failure", "login-temporary", "a few minutes"),
    (b"504 5.5.4 Unrecognized authentication type", "mechanism-refused", "sasl_mechanism"),
    (b"534 5.7.9", "app-password", "app password"),
    (b"503 5.5.1 Bad sequence of commands", "mechanism-refused", "sasl_mechanism"),
]


class TestSMTPLinkFaults(LinkFaults):
    kit = SMTPKit()


class TestSMTPFaultsAroundTLS(TLSFaults):
    kit = SMTPKit()


class TestSMTPLoginFaults(LoginFaults):
    kit = SMTPKit()


class TestFaultsOfSMTPAlone(Contract):
    kit = SMTPKit()

    def test_a_server_that_refuses_ehlo_and_helo_is_said_to_refuse(self) -> None:
        script = [
            Do(self.kit.greet),
            Do(self.kit.asked_for_capabilities),
            Send(b"502 5.5.1 what?\r\n"),
            Expect(rb"helo \S+"),
            Send(b"502 5.5.1 what?\r\n"),
        ]
        self.meet(script, stage="greet", cause="helo-refused")

    def test_a_challenge_that_is_not_base64_is_called_off(self) -> None:
        script = [
            *self.kit.offer("CRAM-MD5"),
            Expect(rb"AUTH CRAM-MD5"),
            Send(b"334 <not@base64>\r\n"),
            Expect(rb"\*"),
            Send(b"501 5.5.4 called off\r\n"),
        ]
        self.meet(script, stage="authenticate", cause="bad-challenge")

    def test_a_server_that_repeats_the_login_in_its_refusal_gives_nothing_away(self) -> None:
        # Sendmail does: 500 5.5.1 Command unrecognized: "AUTH PLAIN ..."
        def repeat(text: bytes) -> list[Step]:
            line: list[bytes] = []
            return [
                *self.kit.offer("PLAIN"),
                Do(lambda talk: line.append(talk.line())),
                Do(lambda talk: talk.send(b'500 5.5.1 Command unrecognized: "' + line.pop() + b'" ' + text + b"\r\n")),
            ]

        # meet() looks for the secret in the error, the report and the transcript.
        self.meet(repeat(b"c0rrect-horse"), stage="authenticate", cause="mechanism-refused")

    @pytest.mark.parametrize(("said", "cause", "hint"), REFUSALS)
    @pytest.mark.parametrize("token", [False, True], ids=["password", "token"])
    def test_the_servers_reason_for_refusing_a_login_is_understood(
        self, said: bytes, cause: str, hint: str, token: bool
    ) -> None:
        mechanism = "XOAUTH2" if token else "PLAIN"
        script = [*self.kit.offer(mechanism), Do(lambda talk: self.kit.login(talk, mechanism)), Send(said + b"\r\n")]
        told = "token-refused" if token and cause == "wrong-password" else cause
        met = self.meet(script, stage="authenticate", cause=told, use_xoauth2=token)
        assert hint in met.error.hint or told == "token-refused"
        assert ("%mailconn password" in met.error.hint) is (told == "wrong-password")

    @pytest.mark.parametrize("size", ["²", "9" * 5000, "-1", "0x10", "1e6", ""])
    def test_a_size_that_is_no_number_is_not_said(self, size: str) -> None:
        from mailconn_jupyter.session.connect import connect  # noqa: PLC0415
        from tests.servers.script import ScriptServer  # noqa: PLC0415

        script = [
            Do(self.kit.greet),
            Do(self.kit.asked_for_capabilities),
            Send(f"250-mail.test\r\n250 SIZE {size}\r\n".encode("latin-1")),
            Do(self.kit.farewell),
        ]
        with (
            ScriptServer(script) as server,
            connect(self.connection(server.port, use_authentication=False)) as smtp,
        ):
            assert smtp.size_limit == 0

    def test_what_a_server_says_cannot_steer_a_terminal(self) -> None:
        script = [
            *self.kit.offer("PLAIN"),
            Do(self.kit.asked_to_log_in),
            Send(b"535 5.7.8 \x1b[2J\x1b]0;owned\x07 \xc2\x9b31m no\x00\x08\r\n"),
        ]
        met = self.meet(script, stage="authenticate", cause="wrong-password")
        for text in (str(met.error), str(met.report), *met.report.transcript):
            assert not [sign for sign in text if not sign.isprintable() and sign != "\n"], text
