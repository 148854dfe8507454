"""Signed and encrypted mail beside mutt: what we send it shows as good, and what it sends is read here."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.message.smime.opened import opened, unwrapped
from mailconn_jupyter.message.smime.sealing import encrypted, signed
from mailconn_jupyter.message.smime.signature import verify
from tests.servers.require import require
from tests.support.mail_certificates import Authority, Person
from tests.support.mail_people import ANA, BOB, ana, bob, wire
from tests.support.mutt import Mutt

__all__ = ["ana", "bob"]

TEXT = "Grüße\n.\nFrom here\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    # Here, for the fixtures of a test are not told what is the portable part.
    for program in ("openssl", "mutt"):
        require(program)
    return Authority()


@pytest.fixture
def mutt(authority: Authority, ana: Person, bob: Person, tmp_path: Path) -> Mutt:
    """Bob's, who knows Ana."""
    return Mutt(tmp_path / "mutt", authority, (BOB, bob), (ANA, ana))


def compose() -> EmailMessage:
    return mailconn.compose(BOB, "Report", TEXT, sender=ANA)


def test_it_shows_that_what_was_signed_here_is_verified_and_what_was_changed_is_not(
    mutt: Mutt, ana: Person, tmp_path: Path
) -> None:
    raw = wire(signed(compose(), ana.own(tmp_path), ANA))
    shown = mutt.shown(raw)
    assert "Verification successful" in shown
    assert TEXT in shown
    assert "Verification successful" not in mutt.shown(raw.replace(b"here", b"hero"))


def test_it_shows_what_was_signed_and_encrypted_here(mutt: Mutt, ana: Person, bob: Person, tmp_path: Path) -> None:
    shown = mutt.shown(wire(encrypted(signed(compose(), ana.own(tmp_path), ANA), [bob.own(tmp_path).certificate])))
    assert "The following data is S/MIME encrypted" in shown
    assert "Verification successful" in shown
    assert TEXT in shown


def test_what_it_signed_is_verified_here(mutt: Mutt, authority: Authority, tmp_path: Path) -> None:
    message = ParsedMessage(mutt.sent(ANA, TEXT, sign=True))
    found = verify(message, ca_file=authority.write(tmp_path))
    assert (found.verified, found.addresses) == (True, (BOB,))
    assert (message.text, message.subject) == (TEXT, "Report")
    assert "It is signed" in message.secured


def test_what_it_signed_and_encrypted_is_opened_and_verified_here(
    mutt: Mutt, authority: Authority, ana: Person, tmp_path: Path
) -> None:
    message = ParsedMessage(mutt.sent(ANA, TEXT, sign=True, encrypt=True))
    assert "It is encrypted" in message.secured
    inner = opened(message, ana.own(tmp_path))
    assert verify(inner, ca_file=authority.write(tmp_path))
    assert (unwrapped(inner).text, inner.sender) == (TEXT, f"Bob <{BOB}>")
