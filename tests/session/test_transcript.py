"""The conversation as ``%mailconn test --verbose`` shows it: all of it, with stars for every secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.check import CheckReport, check
from mailconn_jupyter.session.smtp.connection import Command, SMTPConnection
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import MECHANISMS, Postfix
from tests.servers.script import Expect, ScriptServer, Send, Silence
from tests.support.isolation import give_password

PASSWORDS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")


def holds_no_secret(report: CheckReport, sent: list[str], secret: str) -> None:
    """Neither the secret in any form, nor anything that the client sent within the login."""
    text = "\n".join(report.transcript)
    forms = [secret, *sent, *(base64.b64encode(f"{lead}{secret}".encode()).decode() for lead in ("", "\0alice\0"))]
    for form in forms:
        assert form not in text
        # What is in the middle of a longer text looks otherwise in Base64.
    for shift in range(3):
        inner = base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4]
        assert not inner or inner not in text
    assert "p=" not in text
    # No challenge either: with it a password could be guessed at leisure.
    assert not [line for line in report.transcript if line.startswith("S: 334") and line != "S: 334 ********"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_no_secret_of_any_mechanism_is_in_the_transcript(
    mechanism: str,
    good: bool,
    postfix: Postfix,
    dovecot: Dovecot,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    real = SMTPConnection.write

    def listen(self: SMTPConnection, *commands: Command) -> None:
        # What is shown with stars must not be shown otherwise elsewhere.
        words = [word for command in commands if "*" in command.shown for word in command.line.decode().split()]
        sent.extend(word for word in words if word not in {"AUTH", mechanism, "*"})
        real(self, *commands)

    monkeypatch.setattr(SMTPConnection, "write", listen)
    if mechanism in PASSWORDS:
        secret = "s3cret" if good else "wr0ng-horse"
    else:
        secret = dovecot.token("alice", expired=not good)
    give_password("ops", secret)
    report = check(
        MailConnection(
            name="ops",
            server_host="localhost",
            server_port=postfix.only[mechanism],
            secure_authentication_type="SSL",
            username="alice",
            use_xoauth2=mechanism not in PASSWORDS,
            ca_file=str(certificates.ca.pem),
        )
    )
    assert report.ok is good
    assert sent
    holds_no_secret(report, sent, secret)
    assert report.transcript[0].startswith("S: 220 mail.test")
    assert f"C: AUTH {mechanism} ********" in report.transcript
    assert [line for line in report.transcript if line.startswith("S: 235" if good else "S: 535")]
    assert {line[:3] for line in report.transcript} == {"S: ", "C: "}


def test_the_transcript_of_a_failed_test_ends_where_it_failed() -> None:
    with ScriptServer([Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Silence()]) as server:
        options: dict[str, Any] = {"use_secure_authentication": False, "timeout": 0.2, "use_authentication": False}
        report = check(MailConnection(name="ops", server_host="localhost", server_port=server.port, **options))
    assert report.transcript == ["S: 220 mail.test", "C: ehlo [127.0.0.1]"]


def test_smtplibs_own_way_to_log_in_shows_no_secret_either(postfix: Postfix, capfd: pytest.CaptureFixture[str]) -> None:
    with SMTPSession("localhost", postfix.plain_auth, timeout=5) as smtp:
        smtp.set_debuglevel(1)
        smtp.ehlo()
        smtp.user, smtp.password = "alice", "s3cret"
        smtp.auth("LOGIN", smtp.auth_login)
    text = "\n".join(smtp.transcript) + capfd.readouterr().err
    assert "AUTH LOGIN ********" in text
    for form in ("s3cret", base64.b64encode(b"s3cret").decode()):
        assert form not in text


def test_a_message_is_a_count_of_bytes_in_the_transcript(postfix: Postfix) -> None:
    with SMTPSession("localhost", postfix.relay, timeout=5) as smtp:
        smtp.sendmail("bob@example.test", ["alice@example.test"], b"Subject: private\r\n\r\nwords\r\n")
    assert "C: (the message, 27 bytes)" in smtp.transcript
    assert "private" not in "\n".join(smtp.transcript)
