"""Signed and encrypted mail beside NSS, the S/MIME of Thunderbird: what we make it takes, and what it makes we take."""

from __future__ import annotations

import base64
import email
from email.message import EmailMessage
from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.errors import SMIMEError
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.message.smime.opened import opened, unwrapped
from mailconn_jupyter.message.smime.sealing import encrypted, signed
from mailconn_jupyter.message.smime.signature import verify
from tests.support.mail_certificates import Authority, Person
from tests.support.mail_people import ANA, BOB, ana, bob, wire
from tests.support.nss import Nss

__all__ = ["ana", "bob"]

#: What is most easily seen in another way than it was signed.
TEXTS = [
    "Hello Bob",
    "Grüße aus Köln, 東京 und Київ\n.\n..\n",
    "From here\nends in blanks   \n\t\n\n\n",
    "word " * 2000,
    "",
]
READ = b"Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def theirs(authority: Authority, ana: Person, bob: Person, tmp_path_factory: pytest.TempPathFactory) -> Nss:
    """Bob's mail program, which knows Ana."""
    return Nss(tmp_path_factory.mktemp("nss") / "bob", authority, bob, ana)


def compose(text: str) -> EmailMessage:
    return mailconn.compose(BOB, "Report", text, sender=ANA, attachments=[("data.bin", bytes(range(256)))])


def content_and_signature(raw: bytes) -> tuple[bytes, bytes]:
    """What was signed, byte for byte (RFC 1847, 2.1), and the signature."""
    boundary = b"\r\n--" + raw.split(b'boundary="')[1].split(b'"')[0]
    _, content, signature, _ = raw.split(boundary)
    return content.removeprefix(b"\r\n"), octets(signature.removeprefix(b"\r\n"))


def octets(raw: bytes) -> bytes:
    found = email.message_from_bytes(raw).get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def as_mail(kind: str, data: bytes) -> ParsedMessage:
    """What a mail program puts around it (RFC 8551, 3.2)."""
    head = f"From: {BOB}\r\nTo: {ANA}\r\nContent-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\r\n"
    return ParsedMessage(
        f"{head}MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(data)
    )


@pytest.mark.parametrize("text", TEXTS)
def test_it_verifies_what_was_signed_here(text: str, theirs: Nss, ana: Person, tmp_path: Path) -> None:
    content, signature = content_and_signature(wire(signed(compose(text), ana.own(tmp_path), ANA)))
    assert theirs.judged(signature, content) == (ANA, "GoodSignature")


def test_it_verifies_the_signature_of_an_elliptic_key(theirs: Nss, authority: Authority, tmp_path: Path) -> None:
    own = authority.person(ANA, elliptic=True).own(tmp_path)
    content, signature = content_and_signature(wire(signed(compose("Hello"), own, ANA)))
    assert theirs.judged(signature, content) == (ANA, "GoodSignature")


def test_it_finds_what_was_changed_on_the_way(theirs: Nss, ana: Person, tmp_path: Path) -> None:
    content, signature = content_and_signature(wire(signed(compose("Hello Bob"), ana.own(tmp_path), ANA)))
    assert theirs.judged(signature, content.replace(b"Hello", b"Hullo"))[1] == "DigestMismatch"


@pytest.mark.parametrize("text", TEXTS)
def test_it_opens_what_was_encrypted_here_and_verifies_what_was_signed_in_it(
    text: str, theirs: Nss, ana: Person, bob: Person, tmp_path: Path
) -> None:
    message = signed(compose(text), ana.own(tmp_path), ANA)
    sealed = wire(encrypted(message, [each.own(tmp_path).certificate for each in (ana, bob)]))
    inner = theirs.opened(octets(sealed))
    assert theirs.judged(*reversed(content_and_signature(inner))) == (ANA, "GoodSignature")
    assert unwrapped(ParsedMessage(inner)).text.rstrip() == text.rstrip()
    assert unwrapped(ParsedMessage(inner)).attachments[0].data == bytes(range(256))


@pytest.mark.parametrize("apart", [True, False], ids=["detached", "opaque"])
def test_what_it_signed_is_verified_here(apart: bool, theirs: Nss, authority: Authority, tmp_path: Path) -> None:
    signature = theirs.signed(READ, apart=apart)
    if apart:
        kind = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=x'
        part = b"\r\n--x\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        raw = f"From: {BOB}\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n--x\r\n".encode()
        message = ParsedMessage(raw + READ + part + base64.encodebytes(signature) + b"--x--\r\n")
    else:
        message = as_mail("signed-data", signature)
    found = verify(message, ca_file=authority.write(tmp_path))
    assert (found.verified, found.addresses) == (True, (BOB,))
    assert unwrapped(message).text.rstrip() == "Grüße"


def test_what_it_encrypted_is_opened_here_by_whom_it_is_for(
    theirs: Nss, ana: Person, bob: Person, tmp_path: Path
) -> None:
    message = as_mail("enveloped-data", theirs.encrypted(READ, ANA))
    assert opened(message, ana.own(tmp_path)).text.rstrip() == "Grüße"
    with pytest.raises(SMIMEError, match="cannot be decrypted with this key"):
        opened(message, bob.own(tmp_path))


def test_what_it_signed_and_then_encrypted_is_opened_and_verified_here(
    theirs: Nss, authority: Authority, ana: Person, tmp_path: Path
) -> None:
    inner = as_mail("signed-data", theirs.signed(READ, apart=False)).raw
    message = opened(as_mail("enveloped-data", theirs.encrypted(inner, ANA)), ana.own(tmp_path))
    assert verify(message, ca_file=authority.write(tmp_path))
    assert unwrapped(message).text.rstrip() == "Grüße"
