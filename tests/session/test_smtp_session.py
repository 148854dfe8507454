from __future__ import annotations

import smtplib
import ssl
import uuid
from email.message import EmailMessage
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import MailConnWarning, OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates
from tests.servers.counting import CountingServer
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import MECHANISMS, Postfix
from tests.servers.script import Close, Expect, ScriptServer, Send, Silence, StartTLS
from tests.support.isolation import give_password

TOKENS = ("XOAUTH2", "OAUTHBEARER")


def letter(subject: str, to: str = "alice@example.test") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bob@example.test", to, subject
    message.set_content("Three things moved.")
    return message


def to_postfix(postfix: Postfix, certificates: Certificates, **options: Any) -> MailConnection:
    given = {"name": "ops", "server_host": "localhost", "ca_file": str(certificates.ca.pem), **options}
    return MailConnection(**given)


def delivered(postfix: Postfix, connection: MailConnection) -> None:
    """Send through the connection, and read the mail in the recipient's mailbox."""
    token = uuid.uuid4().hex
    with connect(connection) as smtp:
        smtp.send_message(letter(token))
    assert b"Three things moved." in postfix.wait_for("alice", token)


@pytest.mark.parametrize(
    ("port", "options"),
    [
        ("smtps", {"secure_authentication_type": "SSL", "username": "alice"}),
        ("submission", {"secure_authentication_type": "TLS", "username": "alice"}),
        ("submission", {"secure_authentication_type": "TLS1.2", "username": "alice"}),
        ("starttls12", {"secure_authentication_type": "TLS1.2", "username": "alice"}),
        ("starttls12", {"secure_authentication_type": "TLS", "username": "alice"}),
        ("starttls13", {"secure_authentication_type": "TLS", "username": "alice"}),
        ("smtps12", {"secure_authentication_type": "SSL", "username": "alice"}),
        ("plain", {"secure_authentication_type": "TLS"}),
        ("relay", {"use_secure_authentication": False}),
        ("plain_auth", {"use_secure_authentication": False, "username": "alice"}),
    ],
)
def test_a_mail_sent_over_each_kind_of_security_is_in_the_recipients_mailbox(
    port: str, options: dict[str, Any], postfix: Postfix, certificates: Certificates
) -> None:
    give_password("ops", "s3cret")
    delivered(postfix, to_postfix(postfix, certificates, server_port=getattr(postfix, port), **options))


def test_exactly_tls_1_2_is_refused_by_a_server_of_1_3_only_and_the_hint_says_so(
    postfix: Postfix, certificates: Certificates
) -> None:
    connection = to_postfix(postfix, certificates, server_port=postfix.starttls13, secure_authentication_type="TLS1.2")
    with pytest.raises(OpenError, match="no TLS version that both sides allow") as caught:
        connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("secure", "tls-version")
    assert "exactly TLS 1.2" in caught.value.hint


def test_a_server_that_knows_no_tls_1_2_is_refused(certificates: Certificates) -> None:
    context = certificates.good.server_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with ScriptServer([Silence()], tls=context, strict=False) as server:
        connection = MailConnection(
            name="old", server_host="localhost", server_port=server.port, secure_authentication_type="SSL"
        )
        with pytest.raises(OpenError) as caught:
            connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("secure", "tls-version")
    assert "not safe" in caught.value.hint


@pytest.mark.parametrize("mechanism", [name for name in MECHANISMS if name not in TOKENS])
@pytest.mark.parametrize(("user", "password"), [("alice", "s3cret"), ("zoe", "pässwörd-✓")])
def test_a_login_works_by_each_mechanism(
    mechanism: str, user: str, password: str, postfix: Postfix, certificates: Certificates
) -> None:
    give_password("ops", password)
    connection = to_postfix(
        postfix,
        certificates,
        server_port=postfix.only[mechanism],
        secure_authentication_type="SSL",
        username=user,
    )
    with connect(connection) as smtp:
        assert smtp.opening is not None
        assert smtp.opening.stages["authenticate"].facts["Mechanism"] == mechanism
    delivered(postfix, connection)


@pytest.mark.parametrize("mechanism", [name for name in MECHANISMS if name not in TOKENS])
def test_a_wrong_password_is_named_as_such_by_each_mechanism(
    mechanism: str, postfix: Postfix, certificates: Certificates
) -> None:
    give_password("ops", "wr0ng")
    connection = to_postfix(
        postfix, certificates, server_port=postfix.only[mechanism], secure_authentication_type="SSL", username="alice"
    )
    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        connect(connection)
    assert isinstance(caught.value, OpenError)
    assert (caught.value.stage, caught.value.cause, caught.value.smtp_code) == ("authenticate", "wrong-password", 535)
    assert "%mailconn password ops" in caught.value.hint


def test_the_strongest_mechanism_is_chosen(postfix: Postfix, certificates: Certificates) -> None:
    give_password("ops", "s3cret")
    connection = to_postfix(postfix, certificates, server_port=postfix.submission, username="alice")
    with connect(connection) as smtp:
        assert smtp.opening is not None
        assert smtp.opening.stages["authenticate"].facts["Mechanism"] == "SCRAM-SHA-256"


@pytest.mark.parametrize("mechanism", TOKENS)
def test_a_good_token_logs_in(mechanism: str, postfix: Postfix, dovecot: Dovecot, certificates: Certificates) -> None:
    give_password("ops", dovecot.token("alice"))
    connection = to_postfix(
        postfix,
        certificates,
        server_port=postfix.only[mechanism],
        secure_authentication_type="SSL",
        username="alice",
        use_xoauth2=True,
    )
    with connect(connection) as smtp:
        assert smtp.opening is not None
        assert smtp.opening.stages["authenticate"].facts["Mechanism"] == mechanism
    delivered(postfix, connection)


@pytest.mark.parametrize("mechanism", TOKENS)
@pytest.mark.parametrize("fault", ["expired", "bad_signature", "wrong user"])
def test_a_bad_token_is_refused_with_what_to_do(
    mechanism: str, fault: str, postfix: Postfix, dovecot: Dovecot, certificates: Certificates
) -> None:
    user = "bob" if fault == "wrong user" else "alice"
    token = dovecot.token(user, expired=fault == "expired", bad_signature=fault == "bad_signature")
    give_password("ops", token)
    connection = to_postfix(
        postfix,
        certificates,
        server_port=postfix.only[mechanism],
        secure_authentication_type="SSL",
        username="alice",
        use_xoauth2=True,
    )
    with pytest.raises(OpenError) as caught:
        connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("authenticate", "token-refused")
    assert "expired" in caught.value.hint
    assert token not in str(caught.value)


def test_a_token_is_never_sent_as_a_password(postfix: Postfix, dovecot: Dovecot, certificates: Certificates) -> None:
    give_password("ops", dovecot.token("alice"))
    connection = to_postfix(
        postfix,
        certificates,
        server_port=postfix.only["PLAIN"],
        secure_authentication_type="SSL",
        username="alice",
        use_xoauth2=True,
    )
    with pytest.raises(smtplib.SMTPNotSupportedError, match="no mechanism that takes an access token"):
        connect(connection)


# A server whose TLS is not what it must be: nothing is sent, and the stage and the cause are named.


@pytest.mark.parametrize("kind", ["SSL", "TLS"])
@pytest.mark.parametrize(
    ("certificate", "cause", "hint"),
    [
        ("self_signed", "unknown-authority", "localhost=sha256:{sha256}"),
        ("expired", "expired", "administrator"),
        ("other_name", "name-mismatch", "other.example"),
    ],
)
def test_a_bad_certificate_ends_the_opening_before_anything_is_sent(
    kind: str, certificate: str, cause: str, hint: str, certificates: Certificates
) -> None:
    bad = getattr(certificates, certificate)
    context = bad.server_context()
    # The second connection only looks at the certificate.
    hello = [Send(b"220 mail.test ESMTP\r\n"), Expect(rb"ehlo \[127\.0\.0\.1\]")]
    offer = [*hello, Send(b"250-mail.test\r\n250 STARTTLS\r\n"), Expect(rb"STARTTLS"), Send(b"220 go\r\n")]
    first = [StartTLS(context, refused=True)]
    look = [StartTLS(context)]
    scripts = [[*offer, *first], [*offer, *look]] if kind == "TLS" else [first, look]
    give_password("ops", "s3cret")
    with ScriptServer(*scripts) as server:
        connection = MailConnection(
            name="ops",
            server_host="localhost",
            server_port=server.port,
            secure_authentication_type=kind,
            username="alice",
            ca_file=str(certificates.ca.pem),
        )
        with pytest.raises(OpenError) as caught:
            connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("secure", cause)
    assert hint.format(sha256=bad.sha256) in f"{caught.value.message} {caught.value.hint}"
    assert not [line for line in server.lines if line.lower() not in {b"ehlo [127.0.0.1]", b"starttls"}]


def test_a_server_that_does_not_offer_starttls_gets_nothing_but_ehlo() -> None:
    give_password("ops", "s3cret")
    script = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n")]
    with ScriptServer(script) as server:
        connection = MailConnection(name="ops", server_host="localhost", server_port=server.port, username="alice")
        with pytest.raises(smtplib.SMTPNotSupportedError) as caught:
            connect(connection)
    assert isinstance(caught.value, OpenError)
    assert (caught.value.stage, caught.value.cause) == ("secure", "no-starttls")
    assert len(server.lines) == 1


@pytest.mark.usefixtures("opened_once")
@pytest.mark.parametrize("end", [[Send(b"454 4.7.0 not now\r\n")], [Send(b"220 go\r\n"), Close()], [Close()]])
def test_a_server_that_offers_starttls_and_then_fails_gets_nothing_more(end: list[Any]) -> None:
    give_password("ops", "s3cret")
    script = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250-mail.test\r\n250 STARTTLS\r\n"),
        Expect(rb"STARTTLS"),
        *end,
    ]
    with ScriptServer(script) as server:
        connection = MailConnection(name="ops", server_host="localhost", server_port=server.port, username="alice")
        with pytest.raises(OpenError) as caught:
            connect(connection)
    assert caught.value.stage == "secure"
    assert len(server.lines) == 2


def with_certificate(certificates: Certificates, which: str, **options: Any) -> None:
    context = getattr(certificates, which).server_context()
    hello = [Send(b"220 mail.test\r\n"), Expect(rb"ehlo .*"), Send(b"250 mail.test\r\n")]
    script = [*hello, Expect(rb"quit"), Send(b"221 bye\r\n")]
    with ScriptServer(script, tls=context) as server:
        given = {
            "name": "ops",
            "server_host": "localhost",
            "server_port": server.port,
            "secure_authentication_type": "SSL",
            "ca_file": str(certificates.ca.pem),
            **options,
        }
        with connect(MailConnection(**given)) as smtp:
            assert isinstance(smtp, SMTPSession)


@pytest.mark.parametrize("trusted", ["localhost", "LOCALHOST other", "localhost=sha256:{sha256}"])
def test_a_self_signed_certificate_is_accepted_for_a_trusted_or_pinned_host(
    trusted: str, certificates: Certificates
) -> None:
    with_certificate(certificates, "self_signed", trusted_hosts=trusted.format(sha256=certificates.self_signed.sha256))


def test_a_self_signed_certificate_is_accepted_for_every_host_with_a_warning(certificates: Certificates) -> None:
    with pytest.warns(MailConnWarning, match="anybody's certificate is accepted"):
        with_certificate(certificates, "self_signed", trusted_hosts="*")


def test_another_name_is_accepted_where_the_identity_is_not_checked(certificates: Certificates) -> None:
    with_certificate(certificates, "other_name", check_server_identity=False)


@pytest.mark.parametrize(
    ("which", "options", "cause"),
    [
        ("self_signed", {"check_server_identity": False}, "unknown-authority"),
        ("self_signed", {"trusted_hosts": "elsewhere.test"}, "unknown-authority"),
        ("other_name", {"trusted_hosts": "localhost"}, "name-mismatch"),
        ("expired", {"trusted_hosts": "localhost"}, "expired"),
        ("good", {"trusted_hosts": "localhost=sha256:" + "0" * 64}, "pin-mismatch"),
    ],
)
def test_what_is_not_waived_is_still_checked(
    which: str, options: dict[str, Any], cause: str, certificates: Certificates
) -> None:
    context = getattr(certificates, which).server_context()
    with ScriptServer([Silence()], [Silence()], tls=context, strict=False) as server:
        connection = MailConnection(
            name="ops",
            server_host="localhost",
            server_port=server.port,
            secure_authentication_type="SSL",
            ca_file=str(certificates.ca.pem),
            **options,
        )
        with pytest.raises(OpenError) as caught:
            connect(connection)
    assert (caught.value.stage, caught.value.cause) == ("secure", cause)
    assert not server.lines


# SMTPSession as an smtplib.SMTP


def test_a_session_is_an_smtplib_smtp_with_its_constructor_and_methods(
    postfix: Postfix, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca.pem))
    token = uuid.uuid4().hex
    with SMTPSession("localhost", postfix.submission, timeout=10) as smtp:
        assert isinstance(smtp, smtplib.SMTP)
        smtp.starttls()
        smtp.login("alice", "s3cret")
        assert smtp.sendmail("bob@example.test", ["alice@example.test"], f"Subject: {token}\r\n\r\nhello") == {}
    assert b"hello" in postfix.wait_for("alice", token)


def test_a_session_verifies_certificates_where_smtplib_does_not(postfix: Postfix) -> None:
    session = SMTPSession("localhost", postfix.submission, timeout=10)
    with session as smtp, pytest.raises(smtplib.SMTPServerDisconnected, match="unknown authority"):
        smtp.starttls()


def test_debugging_prints_no_credential(
    postfix: Postfix, certificates: Certificates, capfd: pytest.CaptureFixture[str]
) -> None:
    give_password("ops", "s3cret")
    connection = to_postfix(postfix, certificates, server_port=postfix.plain_auth, use_secure_authentication=False)
    with connect(connection) as smtp:
        smtp.set_debuglevel(1)
        smtp.login("alice", "s3cret")
    printed = capfd.readouterr().err
    assert "AUTH SCRAM-SHA-256 ********" in printed
    assert "s3cret" not in printed


def test_the_connections_sender_is_sent_and_not_written_into_the_message_that_was_given() -> None:
    message = EmailMessage()
    message["To"] = "bea@example.org"
    options: dict[str, Any] = {"use_secure_authentication": False, "from_address": "Ana <ana@example.org>"}
    with (
        CountingServer() as server,
        connect(MailConnection(name="ops", server_host=server.host, server_port=server.port, **options)) as smtp,
    ):
        smtp.send_message(message)
    assert b"\r\nFrom: Ana <ana@example.org>\r\n" in server.taken[0].content
    assert message.keys() == ["To"]
