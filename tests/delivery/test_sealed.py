"""Signed and encrypted mail from ``send()`` to the mailbox: what arrives opens and verifies, what cannot be is told before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import sandbox
from mailconn_jupyter.delivery.sealed import Seal
from mailconn_jupyter.errors import CredentialError, SMIMEError
from mailconn_jupyter.message.incoming.message_view import message_html
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.own_folder import own_folder
from mailconn_jupyter.program_path import program_path
from mailconn_jupyter.sandbox import Sandbox
from mailconn_jupyter.store import connections
from tests.servers.require import require
from tests.support import shells
from tests.support.mail_certificates import Authority
from tests.support.shells import Shell

shell = shells.shell

ANA, BOB = "ana@example.org", "bob@example.org"
PASSPHRASE = "correct horse"  # of a key that lives as long as the tests


@pytest.fixture(scope="module")
def authority() -> Authority:
    require("openssl")
    return Authority()


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose connection has a certificate of Ana's, and one of Bob's in its folder."""
    started = sandbox.start()
    started.inbox.clear()
    ana, bob = authority.person(ANA), authority.person(BOB)
    (tmp_path / "ana.p12").write_bytes(ana.p12(PASSPHRASE))
    (tmp_path / "bob.pem").write_bytes(bob.pem + bob.key_pem())
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "bob.crt").write_bytes(bob.der)
    connections.update(
        "sandbox",
        from_address=f"Ana <{ANA}>",
        smime_certificate=str(tmp_path / "ana.p12"),
        smime_folder=str(tmp_path / "others"),
    )
    mailconn.set_password("sandbox", PASSPHRASE, smime=True)
    yield started
    started.stop()


def arrived(server: Sandbox) -> ParsedMessage:
    """The last message, as a mailbox would give it."""
    return ParsedMessage(server.inbox[-1].raw)


def bobs(tmp_path: Path) -> mailconn.MailConnection:
    """A connection of Bob's, which opens what was encrypted to him."""
    return mailconn.MailConnection(
        name="bob", protocol="IMAP", server_host="localhost", smime_certificate=str(tmp_path / "bob.pem")
    )


@pytest.mark.filterwarnings("ignore:.*stays in the notebook")
def test_what_was_signed_arrives_verified(server: Sandbox, authority: Authority, tmp_path: Path) -> None:
    report = mailconn.send("sandbox", BOB, "Churn", "Grüße", {"a": 1}, sign=True)
    assert report.accepted == (BOB,)
    message = arrived(server)
    found = mailconn.verify(message, ca_file=authority.write(tmp_path))
    assert (found.verified, str(found)) == (True, f"Signed by {ANA}, verified (Authority of the tests).")
    assert "Grüße" in message.text


def test_what_was_encrypted_is_read_by_its_reader_and_by_its_sender(
    server: Sandbox, authority: Authority, tmp_path: Path
) -> None:
    mailconn.send("sandbox", BOB, "Churn", "The secret figure", sign=True, encrypt=True)
    message = arrived(server)
    assert b"secret figure" not in message.raw
    for target in (bobs(tmp_path), "sandbox"):
        opened = mailconn.decrypt(message, target)
        assert opened.text.strip() == "The secret figure"
        assert mailconn.verify(opened, ca_file=authority.write(tmp_path))


def test_many_are_sealed_like_one(server: Sandbox, tmp_path: Path) -> None:
    messages = [mailconn.compose(BOB, f"Report {number}", f"Figure {number}") for number in range(5)]
    report = mailconn.send_many("sandbox", messages, encrypt=True, on_progress=False)
    assert report.ok
    read = sorted(mailconn.decrypt(ParsedMessage(each.raw), bobs(tmp_path)).text.strip() for each in server.inbox)
    assert read == [f"Figure {number}" for number in range(5)]


def test_the_folder_of_certificates_is_read_once_for_many(server: Sandbox, tmp_path: Path) -> None:
    seal = Seal(connections["sandbox"], sign=False, encrypt=True)
    first = seal(mailconn.compose(BOB, "Report 1", "Figure 1", sender=ANA))
    shutil.rmtree(tmp_path / "others")
    second = seal(mailconn.compose(BOB, "Report 2", "Figure 2", sender=ANA))
    assert first.get_content_type() == second.get_content_type() == "application/pkcs7-mime"


def test_of_many_the_one_that_cannot_be_sealed_is_told_and_the_others_go(server: Sandbox) -> None:
    messages = [mailconn.compose(to, "Report", "Figure") for to in (BOB, "eva@example.org")]
    report = mailconn.send_many("sandbox", messages, encrypt=True, on_progress=False)
    assert [(row.recipient, row.outcome) for row in report.deliveries] == [
        (BOB, "accepted"),
        ("eva@example.org", "not sent"),
    ]
    assert "no certificate for it" in next(row.words for row in report.deliveries if row.outcome == "not sent")


@pytest.mark.parametrize("dry_run", [False, True])
def test_whoever_has_no_certificate_is_told_before_anything_is_sent(server: Sandbox, dry_run: bool) -> None:
    with pytest.raises(SMIMEError, match=r"eva@example\.org: there is no certificate for it in"):
        mailconn.send("sandbox", [BOB, "eva@example.org"], "Churn", "x", encrypt=True, dry_run=dry_run)
    assert not server.inbox


def test_nobody_is_hidden_in_an_encrypted_message(server: Sandbox) -> None:
    with pytest.raises(SMIMEError, match="nobody can be hidden in Bcc"):
        mailconn.send("sandbox", BOB, "Churn", "x", bcc="eva@example.org", encrypt=True)
    assert not server.inbox


def test_another_sender_than_the_certificates_is_told(server: Sandbox) -> None:
    with pytest.raises(SMIMEError, match=r"is for ana@example\.org, and the message is from eve@example\.org"):
        mailconn.send("sandbox", BOB, "Churn", "x", sender="eve@example.org", sign=True)
    assert not server.inbox


def test_a_connection_without_a_certificate_is_told_what_to_give_it(server: Sandbox) -> None:
    connections.update("sandbox", smime_certificate="")
    with pytest.raises(SMIMEError, match="'sandbox' has no S/MIME certificate") as caught:
        mailconn.send("sandbox", BOB, "Churn", "x", sign=True)
    assert "--smime-certificate" in caught.value.hint
    assert not server.inbox


def test_a_passphrase_that_is_nowhere_is_asked_for_in_words_that_can_be_run(server: Sandbox) -> None:
    mailconn.forget_password("sandbox", smime=True)
    with pytest.raises(CredentialError, match="No S/MIME passphrase is kept for 'sandbox'") as caught:
        mailconn.send("sandbox", BOB, "Churn", "x", sign=True)
    assert "%mailconn password sandbox --smime" in caught.value.hint
    assert "MAILCONN_SANDBOX_SMIME_PASSPHRASE" in caught.value.hint


def test_a_dry_run_shows_what_was_written_not_what_was_sealed(server: Sandbox) -> None:
    report = mailconn.send("sandbox", BOB, "Churn", "The secret figure", sign=True, encrypt=True, dry_run=True)
    assert "The secret figure" in str(report)
    assert not server.inbox


def test_the_magic_signs_and_encrypts(shell: Shell, server: Sandbox, authority: Authority, tmp_path: Path) -> None:
    shell.ok(f"%mailconn send sandbox --to {BOB} --subject Churn --sign --encrypt '42'")
    opened = mailconn.decrypt(arrived(server), bobs(tmp_path))
    assert opened.text.strip() == "42"
    assert mailconn.verify(opened, ca_file=authority.write(tmp_path))


def test_the_certificate_of_a_signed_mail_is_kept_and_encrypted_to(
    server: Sandbox, authority: Authority, tmp_path: Path
) -> None:
    mailconn.send("sandbox", BOB, "Hello", "My certificate comes along", sign=True)
    said = mailconn.keep_certificate(arrived(server), ca_file=authority.write(tmp_path))
    (kept,) = (own_folder("data")[0] / "certificates").glob("*.pem")
    assert said == f"The certificate of {ANA} is kept in {kept}."
    connections.update("sandbox", smime_folder="", from_address=BOB)
    mailconn.send("sandbox", ANA, "Re: Hello", "The answer", encrypt=True)
    assert mailconn.decrypt(arrived(server), "sandbox").text.strip() == "The answer"


def test_a_certificate_that_nobody_vouches_for_is_kept_only_when_that_is_asked_for(server: Sandbox) -> None:
    mailconn.send("sandbox", BOB, "Hello", "x", sign=True)
    message = arrived(server)
    with pytest.raises(SMIMEError, match="no authority known here") as caught:
        mailconn.keep_certificate(message)
    assert "unverified=True: sha256:" in caught.value.hint
    assert mailconn.keep_certificate(message, unverified=True).startswith(f"The certificate of {ANA} is kept in ")


def test_a_message_says_that_it_is_signed_or_encrypted_and_what_to_do(server: Sandbox) -> None:
    mailconn.send("sandbox", BOB, "Hello", "x", sign=True)
    mailconn.send("sandbox", BOB, "Hello", "x", encrypt=True)
    mailconn.send("sandbox", BOB, "Hello", "x")
    signed, encrypted, plain = (ParsedMessage(each.raw) for each in server.inbox)
    assert "mailconn.verify(message)" in signed.secured
    assert "mailconn.decrypt(message, NAME)" in encrypted.secured
    assert plain.secured == ""
    assert escape(encrypted.secured) in message_html(encrypted, [])


def test_what_is_no_message_that_was_read_is_told() -> None:
    composed: Any = mailconn.compose(BOB, "Hello", "x", sender=ANA)
    for function in (mailconn.decrypt, mailconn.keep_certificate, mailconn.verify):
        with pytest.raises(mailconn.MessageError, match="a message that was read, not EmailMessage"):
            function(composed)


def test_openssl_is_run_once_for_a_signature_that_is_good_and_again_for_what_is_unchanged_in_another(
    server: Sandbox, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailconn.send("sandbox", BOB, "Churn", "Hello", sign=True)
    message = arrived(server)
    runs, program = tmp_path / "runs", tmp_path / "bin" / "openssl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho run >> {runs}\nexec {program_path("openssl")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert mailconn.verify(message, ca_file=authority.write(tmp_path))
    assert len(runs.read_text().splitlines()) == 1
    for ca_file in ("", "~nobody-of-that-name/ca.pem", str(tmp_path / "none.pem")):
        found = mailconn.verify(message, ca_file=ca_file)
        assert (found.verified, found.addresses) == (False, (ANA,))
    assert len(runs.read_text().splitlines()) == 7
