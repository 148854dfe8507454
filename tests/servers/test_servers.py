"""The mail servers of the tests are what the other tests take them for."""

from __future__ import annotations

import base64
import hashlib
import imaplib
import os
import poplib
import secrets
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers import Certificates, Dovecot, Postfix
from tests.servers.postfix import MAILBOXES, MECHANISMS
from tests.servers.require import require, require_root

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@contextmanager
def session(certificates: Certificates, port: int, *, tls: str = "", user: str = "") -> Iterator[smtplib.SMTP]:
    """An SMTP session as a careful client would open it; *tls* is "", "starttls" or "implicit"."""
    context = certificates.client_context()
    smtp = (
        smtplib.SMTP_SSL("localhost", port, "client.test", timeout=5, context=context)
        if tls == "implicit"
        else smtplib.SMTP("localhost", port, "client.test", timeout=5)
    )
    with smtp:
        if tls == "starttls":
            smtp.starttls(context=context)
        smtp.ehlo()
        if user:
            smtp.login(user, {"alice": "s3cret"}[user])
        yield smtp


def send(smtp: smtplib.SMTP, recipient: str = "bob@example.test") -> str:
    """Send a message and return the token in it."""
    token = secrets.token_hex(8)
    smtp.sendmail("alice@example.test", [recipient], f"Subject: {token}\r\n\r\nhello\r\n")
    return token


def xoauth2(user: str, token: str) -> str:
    return base64.b64encode(f"user={user}\1auth=Bearer {token}\1\1".encode()).decode()


@pytest.mark.parametrize(
    ("name", "tls", "user"),
    [
        ("plain", "", ""),
        ("plain", "starttls", ""),
        ("submission", "starttls", "alice"),
        ("plain_auth", "", "alice"),
        ("smtps", "implicit", "alice"),
        ("smtps12", "implicit", "alice"),
        ("smtps13", "implicit", "alice"),
        ("starttls12", "starttls", "alice"),
        ("starttls13", "starttls", "alice"),
        ("relay", "", ""),
        ("big", "", ""),
    ],
)
def test_mail_sent_through_each_port_arrives(
    postfix: Postfix, certificates: Certificates, name: str, tls: str, user: str
) -> None:
    with session(certificates, getattr(postfix, name), tls=tls, user=user) as smtp:
        token = send(smtp)
    assert b"hello" in postfix.wait_for("bob", token)


@pytest.mark.parametrize("user", MAILBOXES)
def test_every_mailbox_takes_mail(postfix: Postfix, certificates: Certificates, user: str) -> None:
    token = secrets.token_hex(8)
    with session(certificates, postfix.plain) as smtp:
        smtp.mail("a@client.test", ["SMTPUTF8"])
        # smtplib's own command is ASCII unless told otherwise.
        smtp.send(f"RCPT TO:<{user}@example.test>\r\n".encode())
        assert smtp.getreply()[0] == 250
        assert smtp.data(f"Subject: {token}\r\n\r\n")[0] == 250
    assert postfix.wait_for(user, token)


def test_clear_empties_the_mailboxes(postfix: Postfix, certificates: Certificates) -> None:
    with session(certificates, postfix.plain) as smtp:
        postfix.wait_for("carol", send(smtp, "carol@example.test"))
    postfix.clear()
    assert [postfix.mailbox(user) for user in MAILBOXES] == [[]] * len(MAILBOXES)


def test_a_token_that_never_comes_is_a_timeout(postfix: Postfix) -> None:
    with pytest.raises(TimeoutError, match="no message with b'nothing'"):
        postfix.wait_for("dave", "nothing", seconds=0.05)


def test_postfix_announces_its_extensions(postfix: Postfix, certificates: Certificates) -> None:
    with session(certificates, postfix.plain) as smtp:
        offered = set(smtp.esmtp_features)
    assert offered >= {"pipelining", "size", "starttls", "chunking", "dsn", "smtputf8", "8bitmime"}
    assert "auth" not in offered


def test_the_relay_port_offers_neither_tls_nor_auth(postfix: Postfix, certificates: Certificates) -> None:
    with session(certificates, postfix.relay) as smtp:
        assert not {"starttls", "auth"} & set(smtp.esmtp_features)


def test_submission_wants_tls_first_and_then_a_login(postfix: Postfix, certificates: Certificates) -> None:
    with session(certificates, postfix.submission) as smtp:
        assert "auth" not in smtp.esmtp_features
        assert smtp.mail("alice@example.test")[0] == 530
    with session(certificates, postfix.submission, tls="starttls") as smtp:
        assert set(smtp.esmtp_features["auth"].split()) == set(MECHANISMS)
        assert smtp.mail("alice@example.test")[0] == 554


@pytest.mark.parametrize("name", ["smtps12", "smtps13"])
@pytest.mark.parametrize("version", [V12, V13])
def test_implicit_tls_ports_speak_their_version_alone(
    postfix: Postfix, certificates: Certificates, name: str, version: ssl.TLSVersion
) -> None:
    context = certificates.client_context()
    context.minimum_version = context.maximum_version = version
    fits = (name == "smtps12") == (version == V12)
    try:
        with smtplib.SMTP_SSL("localhost", getattr(postfix, name), "client.test", timeout=5, context=context):
            assert fits
    except ssl.SSLError:
        assert not fits


@pytest.mark.parametrize("name", ["starttls12", "starttls13"])
@pytest.mark.parametrize("version", [V12, V13])
def test_starttls_ports_speak_their_version_alone(
    postfix: Postfix, certificates: Certificates, name: str, version: ssl.TLSVersion
) -> None:
    context = certificates.client_context()
    context.minimum_version = context.maximum_version = version
    fits = (name == "starttls12") == (version == V12)
    smtp = smtplib.SMTP("localhost", getattr(postfix, name), "client.test", timeout=5)
    try:
        smtp.starttls(context=context)
        assert fits
    except ssl.SSLError:
        assert not fits
    finally:
        smtp.close()


def test_a_client_certificate_opens_the_port_that_requires_one(postfix: Postfix, certificates: Certificates) -> None:
    context = certificates.client_context()
    port = postfix.client_certificate
    with (
        pytest.raises((ssl.SSLError, OSError)),
        smtplib.SMTP_SSL("localhost", port, "client.test", timeout=5, context=context),
    ):
        pass
    context.load_cert_chain(certificates.client.pem, certificates.client.key)
    with smtplib.SMTP_SSL("localhost", port, "client.test", timeout=5, context=context) as smtp:
        assert smtp.noop()[0] == 250


@pytest.mark.parametrize(("name", "size", "code"), [("plain", 1_100_000, 552), ("big", 1_100_000, 250)])
def test_only_the_big_port_takes_big_messages(
    postfix: Postfix, certificates: Certificates, name: str, size: int, code: int
) -> None:
    with session(certificates, getattr(postfix, name)) as smtp:
        assert smtp.mail("a@client.test")[0] == 250
        assert smtp.rcpt("bob@sink.test")[0] == 250
        assert smtp.data(b"Subject: big\r\n\r\n" + (b"x" * 98 + b"\r\n") * (size // 100))[0] == code


@pytest.mark.parametrize(("user", "code"), [("grey", 450), ("gone", 550), ("close", 421), ("nobody", 550)])
def test_some_recipients_are_refused(postfix: Postfix, certificates: Certificates, user: str, code: int) -> None:
    with session(certificates, postfix.plain) as smtp:
        smtp.mail("a@client.test")
        assert smtp.rcpt(f"{user}@example.test")[0] == code


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_port_of_its_own_offers_one_mechanism(postfix: Postfix, certificates: Certificates, mechanism: str) -> None:
    with session(certificates, postfix.only[mechanism], tls="implicit") as smtp:
        assert smtp.esmtp_features["auth"].split() == [mechanism]


@pytest.mark.parametrize("user", ["zoe", "ünïcode"])
def test_names_and_passwords_may_be_utf8(
    postfix: Postfix, dovecot: Dovecot, certificates: Certificates, user: str
) -> None:
    secret = base64.b64encode(f"\0{user}\0{dovecot.users[user]}".encode()).decode()
    with session(certificates, postfix.smtps, tls="implicit") as smtp:
        assert smtp.docmd("AUTH", f"PLAIN {secret}")[0] == 235


def test_the_master_user_logs_in_as_another(postfix: Postfix, dovecot: Dovecot, certificates: Certificates) -> None:
    secret = base64.b64encode("\0".join(("alice", *dovecot.master)).encode()).decode()
    with session(certificates, postfix.smtps, tls="implicit") as smtp:
        assert smtp.docmd("AUTH", f"PLAIN {secret}")[0] == 235


def test_a_token_logs_in_on_smtp(postfix: Postfix, dovecot: Dovecot, certificates: Certificates) -> None:
    with session(certificates, postfix.only["XOAUTH2"], tls="implicit") as smtp:
        assert smtp.docmd("AUTH", f"XOAUTH2 {xoauth2('alice', dovecot.token('alice'))}")[0] == 235


@pytest.mark.parametrize("flaw", ["expired", "bad_signature", "other user", "other email"])
def test_a_flawed_token_is_refused(postfix: Postfix, dovecot: Dovecot, certificates: Certificates, flaw: str) -> None:
    token = {
        "expired": dovecot.token("alice", expired=True),
        "bad_signature": dovecot.token("alice", bad_signature=True),
        "other user": dovecot.token("bob"),
        "other email": dovecot.token("alice", email="bob"),
    }[flaw]
    with session(certificates, postfix.only["XOAUTH2"], tls="implicit") as smtp:
        code, text = smtp.docmd("AUTH", f"XOAUTH2 {xoauth2('alice', token)}")
        assert code == 334
        assert b'"status":' in base64.b64decode(text)
        assert smtp.docmd("")[0] == 535


def test_failed_logins_stay_fast(dovecot: Dovecot, postfix: Postfix, certificates: Certificates) -> None:
    wrong = base64.b64encode(b"\0alice\0wrong").decode()
    start = time.monotonic()
    for _ in range(6):
        with session(certificates, postfix.plain_auth) as smtp:
            assert smtp.docmd("AUTH", f"PLAIN {wrong}")[0] == 535
        with imaplib.IMAP4("127.0.0.1", dovecot.imap, timeout=20) as imap, pytest.raises(imaplib.IMAP4.error):
            imap.login("alice", "wrong")
    # Dovecot's penalty alone would be 2 s and more from the second failure on.
    assert time.monotonic() - start < 10


def test_imap_and_pop3_show_what_postfix_delivered(
    postfix: Postfix, dovecot: Dovecot, certificates: Certificates
) -> None:
    with session(certificates, postfix.plain) as smtp:
        token = send(smtp, "alice@example.test")
    postfix.wait_for("alice", token)
    context = certificates.client_context()
    with imaplib.IMAP4_SSL("localhost", dovecot.imaps, ssl_context=context, timeout=5) as imap:
        imap.login("alice", dovecot.users["alice"])
        imap.select()
        assert imap.search(None, "SUBJECT", token)[1] != [b""]
    with imaplib.IMAP4("localhost", dovecot.imap, timeout=5) as imap:
        assert "AUTH=SCRAM-SHA-256" in imap.capabilities
    pop = poplib.POP3_SSL("localhost", dovecot.pop3s, context=context, timeout=5)
    pop.user("alice")
    pop.pass_(dovecot.users["alice"])
    assert token.encode() in b"".join(pop.retr(pop.stat()[0])[1])
    pop.quit()
    plain = poplib.POP3("localhost", dovecot.pop3, timeout=5)
    assert "SASL" in plain.capa()
    plain.quit()


def test_dovecots_submission_passes_mail_on(postfix: Postfix, dovecot: Dovecot, certificates: Certificates) -> None:
    with session(certificates, dovecot.submission, tls="starttls", user="alice") as smtp:
        token = send(smtp, "carol@example.test")
    assert postfix.wait_for("carol", token)


@pytest.mark.parametrize("token", ["alice", "bob"])
def test_a_token_logs_in_on_imap_for_its_own_user(dovecot: Dovecot, token: str) -> None:
    answer = base64.b64decode(xoauth2("alice", dovecot.token(token)))
    imap = imaplib.IMAP4("127.0.0.1", dovecot.imap, timeout=5)
    answers = [answer, b""]
    try:
        imap.authenticate("XOAUTH2", lambda _: answers.pop(0))
        assert token == "alice"
    except imaplib.IMAP4.error:
        assert token == "bob"
    finally:
        imap.shutdown()


def test_a_certificate_knows_its_fingerprint(certificates: Certificates) -> None:
    pem = certificates.good.pem.read_text().partition("-----END CERTIFICATE-----")
    assert ssl.PEM_cert_to_DER_cert(pem[0] + pem[1] + "\n") == certificates.good.der
    assert certificates.good.sha256 == hashlib.sha256(certificates.good.der).hexdigest()


def test_a_missing_program_skips_or_fails_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILCONN_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        require("no-such-server")
    monkeypatch.setenv("MAILCONN_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        require("no-such-server")


def test_a_server_that_needs_root_is_skipped_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILCONN_REQUIRE_SERVERS", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(pytest.skip.Exception, match="postfix needs root"):
        require_root("postfix")
