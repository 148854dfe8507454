"""Signed and encrypted mail, beside ``openssl``: what we make it takes, what it makes we take, and what is broken is told."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

import mailconn_jupyter as mailconn
from mailconn_jupyter.errors import SMIMEError
from mailconn_jupyter.message.incoming.parsed import ParsedMessage
from mailconn_jupyter.message.smime.certificate_folder import CertificateFolder
from mailconn_jupyter.message.smime.opened import opened, unwrapped
from mailconn_jupyter.message.smime.own_key import OwnKey
from mailconn_jupyter.message.smime.sealing import encrypted, signed
from mailconn_jupyter.message.smime.signature import verify
from mailconn_jupyter.program_path import program_path
from mailconn_jupyter.secret import Secret
from tests.servers.require import require
from tests.support.mail_certificates import Authority, Person, openssl
from tests.support.mail_people import ANA, BOB, ana, bob, wire

__all__ = ["ana", "bob"]

#: Texts that a server on the way, or another parser, may see in another way than they are.
TEXTS = {
    "plain": "Hello Bob",
    "umlauts": "Grüße aus Köln, 東京 und Київ",
    "dots": ".\n..\n.hidden\n",
    "from": "From here\nFrom there\n",
    "blanks": "ends in blanks   \n\ttab\t\n\n\n",
    "long": "word " * 2000,
    "empty": "",
    "boundary": "--=_0123456789abcdef\n--\n",
}


@pytest.fixture(scope="module")
def authority() -> Authority:
    require("openssl")
    return Authority()


def no_passphrase() -> Secret:
    raise AssertionError("no passphrase is needed")


def compose(text: str = "Hello Bob", **more: object) -> EmailMessage:
    options: dict[str, object] = {"sender": ANA, **more}
    return mailconn.compose(BOB, "Report", text, **options)  # type: ignore[arg-type]  # the test's own


# Made here, judged and opened by openssl


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_openssl_verifies_what_was_signed_and_reads_the_same_text(
    text: str, authority: Authority, ana: Person, tmp_path: Path
) -> None:
    message = signed(compose(text, attachments=[("data.bin", bytes(range(256)))]), ana.own(tmp_path), ANA)
    judged = openssl("cms", "-verify", "-CAfile", authority.write(tmp_path), data=wire(message))
    assert (judged.returncode, b"successful" in judged.stderr) == (0, True)
    assert ParsedMessage(judged.stdout).text.rstrip() == text.rstrip()
    assert ParsedMessage(judged.stdout).attachments[0].data == bytes(range(256))


def test_a_signed_message_is_ascii_and_keeps_its_header(ana: Person, tmp_path: Path) -> None:
    plain = compose("Grüße", headers={"X-Job": "churn"}, cc="Eva <eva@example.org>")
    message = signed(plain, ana.own(tmp_path), ANA)
    assert wire(message).isascii()
    kept = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "X-Job", "MIME-Version")
    assert [str(message[name]) for name in kept] == [str(plain[name]) for name in kept]
    assert plain.get_content_type() == "text/plain"


def test_a_message_of_the_callers_own_with_eight_bits_is_made_seven_bits_before_it_is_signed(
    authority: Authority, ana: Person, tmp_path: Path
) -> None:
    message = EmailMessage()
    message["From"], message["To"] = ANA, BOB
    message.set_content("Grüße\n", cte="8bit")
    data = wire(signed(message, ana.own(tmp_path), ANA))
    assert data.isascii()
    assert verify(ParsedMessage(data), ca_file=authority.write(tmp_path))


@pytest.mark.parametrize("elliptic", [False, True], ids=["RSA", "elliptic"])
def test_either_kind_of_key_signs(elliptic: bool, authority: Authority, tmp_path: Path) -> None:
    person = authority.person(ANA, elliptic=elliptic)
    message = signed(compose(), person.own(tmp_path), ANA)
    assert verify(ParsedMessage(wire(message)), ca_file=authority.write(tmp_path))


def test_openssl_opens_what_was_signed_and_then_encrypted(
    authority: Authority, ana: Person, bob: Person, tmp_path: Path
) -> None:
    (tmp_path / "bob.pem").write_bytes(bob.pem + bob.key_pem())
    sealed = encrypted(signed(compose("The secret"), ana.own(tmp_path), ANA), [bob.own(tmp_path).certificate])
    data = wire(sealed)
    assert b"The secret" not in data
    inner = openssl("cms", "-decrypt", "-inkey", tmp_path / "bob.pem", data=data)
    assert inner.returncode == 0
    judged = openssl("cms", "-verify", "-CAfile", authority.write(tmp_path), data=inner.stdout)
    assert judged.returncode == 0
    assert ParsedMessage(judged.stdout).text.rstrip() == "The secret"


def test_each_recipient_opens_it_and_nobody_else(
    authority: Authority, ana: Person, bob: Person, tmp_path: Path
) -> None:
    eve = authority.person("eve@example.org")
    data = wire(encrypted(compose("The secret"), [each.own(tmp_path).certificate for each in (ana, bob)]))
    assert [opened(ParsedMessage(data), each.own(tmp_path)).text.rstrip() for each in (ana, bob)] == ["The secret"] * 2
    with pytest.raises(SMIMEError, match="cannot be decrypted with this key"):
        opened(ParsedMessage(data), eve.own(tmp_path))


# Made by openssl, judged and opened here


@pytest.mark.parametrize("cipher", ["-aes128", "-aes256", "-des3", "-aes-256-gcm"])
def test_what_openssl_encrypted_is_opened(cipher: str, bob: Person, tmp_path: Path) -> None:
    (tmp_path / "bob.pem").write_bytes(bob.pem)
    content = b"Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
    made = openssl(
        "cms", "-encrypt", cipher, "-from", ANA, "-to", BOB, "-subject", "Hi", tmp_path / "bob.pem", data=content
    )
    assert made.returncode == 0, made.stderr
    read = opened(ParsedMessage(made.stdout), bob.own(tmp_path))
    assert (read.sender, read.subject, read.text.rstrip()) == (ANA, "Hi", "Grüße")


@pytest.mark.skipif("sys.platform == 'win32'", reason="there a key could be handed to openssl in a file alone")
def test_what_was_encrypted_to_an_elliptic_key_is_opened(authority: Authority, tmp_path: Path) -> None:
    person = authority.person(BOB, elliptic=True)
    (tmp_path / "bob.pem").write_bytes(person.pem)
    made = openssl("cms", "-encrypt", "-aes256", tmp_path / "bob.pem", data=b"Content-Type: text/plain\r\n\r\nHi\r\n")
    assert opened(ParsedMessage(made.stdout), person.own(tmp_path)).text.rstrip() == "Hi"


def test_what_openssl_signed_is_verified_in_either_form(authority: Authority, ana: Person, tmp_path: Path) -> None:
    (tmp_path / "ana.pem").write_bytes(ana.pem + ana.key_pem())
    trusted = authority.write(tmp_path)
    for form in ([], ["-nodetach"]):
        signer = ("-signer", tmp_path / "ana.pem", "-from", ANA, "-to", BOB)
        made = openssl("cms", "-sign", *form, *signer, data=b"Content-Type: text/plain\r\n\r\nHi there\r\n")
        message = ParsedMessage(made.stdout)
        found = verify(message, ca_file=trusted)
        assert (found.verified, found.addresses, found.issuer) == (True, (ANA,), "Authority of the tests")
        assert unwrapped(message).text.rstrip() == "Hi there"


def test_the_line_ends_of_a_mailbox_file_do_not_break_a_signature(
    authority: Authority, ana: Person, tmp_path: Path
) -> None:
    data = wire(signed(compose(), ana.own(tmp_path), ANA)).replace(b"\r\n", b"\n")
    assert verify(ParsedMessage(data), ca_file=authority.write(tmp_path))


def test_a_signed_message_within_an_encrypted_one_is_verified_once_it_is_opened(
    authority: Authority, ana: Person, bob: Person, tmp_path: Path
) -> None:
    data = wire(encrypted(signed(compose(), ana.own(tmp_path), ANA), [bob.own(tmp_path).certificate]))
    inner = opened(ParsedMessage(data), bob.own(tmp_path))
    assert verify(inner, ca_file=authority.write(tmp_path))


# Broken ones, each told


def _altered(data: bytes) -> bytes:
    return data.replace(b"Hello Bob", b"Hullo Bob")


def _other_sender(data: bytes) -> bytes:
    return data.replace(b"From: ana@", b"From: eve@")


def _two_senders(data: bytes) -> bytes:
    return data.replace(b"From: ana@example.org", b"From: ana@example.org, eve@example.org")


def _no_signature(data: bytes) -> bytes:
    start = data.index(b"\r\n\r\n", data.index(b"smime.p7s")) + 4
    return data[:start] + b"AAAA\r\n" + data[data.index(b"\r\n--=_", start) :]


def _third_part(data: bytes) -> bytes:
    boundary = data.split(b'boundary="')[1].split(b'"')[0]
    return data.replace(b"--" + boundary + b"--", b"--" + boundary + b"\r\n\r\nPay at once\r\n--" + boundary + b"--")


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_altered, "what was signed has been altered"),
        (_other_sender, "is by ana@example.org, and the message says it is from eve@example.org"),
        (_two_senders, "is not the sender's"),
        (_no_signature, "the signature is damaged"),
        (_third_part, "The message is not signed"),
    ],
)
def test_a_signed_message_that_was_tampered_with_is_told(
    broken: object, words: str, authority: Authority, ana: Person, tmp_path: Path
) -> None:
    assert callable(broken)
    data = broken(wire(signed(compose(), ana.own(tmp_path), ANA)))
    found = verify(ParsedMessage(data), ca_file=authority.write(tmp_path))
    assert not found
    assert words in str(found)


@pytest.mark.parametrize(
    ("days", "purpose", "words"),
    [
        ((-20, -10), ExtendedKeyUsageOID.EMAIL_PROTECTION, "its certificate has expired"),
        ((10, 20), ExtendedKeyUsageOID.EMAIL_PROTECTION, "its certificate is not valid yet"),
        ((-10, 10), ExtendedKeyUsageOID.SERVER_AUTH, "its certificate is not for mail"),
    ],
)
def test_a_signature_by_a_bad_certificate_is_told(
    days: tuple[int, int], purpose: ObjectIdentifier, words: str, authority: Authority, tmp_path: Path
) -> None:
    person = authority.person(ANA, days=days, purpose=purpose)
    (tmp_path / "ana.pem").write_bytes(person.pem + person.key_pem())
    made = openssl(
        "cms", "-sign", "-signer", tmp_path / "ana.pem", "-from", ANA, data=b"Content-Type: text/plain\r\n\r\nHi\r\n"
    )
    found = verify(ParsedMessage(made.stdout), ca_file=authority.write(tmp_path))
    assert not found.verified
    assert words in found.words


def test_a_signature_of_an_unknown_authority_is_told_and_shows_what_it_claims(ana: Person, tmp_path: Path) -> None:
    found = verify(ParsedMessage(wire(signed(compose(), ana.own(tmp_path), ANA))))
    assert not found.verified
    assert found.words == "The signature is not verified: its certificate is from no authority known here."
    assert found.addresses == (ANA,)
    assert found.fingerprint == ana.own(tmp_path).certificate.fingerprint


def test_without_openssl_nothing_is_called_verified(
    authority: Authority, ana: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ParsedMessage(wire(signed(compose(), ana.own(tmp_path), ANA)))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = verify(message, ca_file=authority.write(tmp_path))
    assert (found.verified, found.words) == (
        False,
        "The message is signed, but the signature was not verified: openssl is not installed.",
    )


def test_a_program_beside_the_notebook_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openssl").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".:{tmp_path / 'empty'}")
    assert program_path("openssl") is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Content-Type: multipart/signed\r\n\r\n",
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=""\r\n\r\n--\r\n',
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=x\r\n\r\n--x\r\n--x\r\n--x--',
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n\xff\xfe",
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB",
    ],
)
def test_a_hostile_message_is_not_verified_and_raises_nothing(raw: bytes) -> None:
    assert not verify(ParsedMessage(raw))
    assert unwrapped(ParsedMessage(raw)).raw == raw


@pytest.mark.parametrize("data", [b"", b"0", b"MIIB", b"\xff" * 50])
def test_what_is_no_encrypted_data_is_told(data: bytes, bob: Person, tmp_path: Path) -> None:
    raw = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n" + data
    with pytest.raises(SMIMEError, match="cannot be decrypted"):
        opened(ParsedMessage(raw), bob.own(tmp_path))


def test_what_is_not_encrypted_is_told(bob: Person, tmp_path: Path) -> None:
    with pytest.raises(SMIMEError, match="is not encrypted as a whole"):
        opened(ParsedMessage(wire(compose())), bob.own(tmp_path))


# Certificates of others


def test_of_several_certificates_the_newest_that_may_be_used_is_taken(authority: Authority, tmp_path: Path) -> None:
    old, new = authority.person(BOB, days=(-90, 90)), authority.person(BOB, days=(-5, 90))
    gone, unfit = authority.person(BOB, days=(-4, -1)), authority.person(BOB, days=(-3, 9), elliptic=True)
    for number, each in enumerate((new, gone, old, unfit)):
        (tmp_path / f"{number}.crt").write_bytes(each.der if number % 2 else each.pem)
    assert CertificateFolder(tmp_path).of([BOB.upper()])[BOB.upper()].parsed == new.certificate


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"days": (-9, -2)}, "expired on "),
        ({"days": (2, 9)}, "is not valid before "),
        ({"elliptic": True}, "has an elliptic-curve key, and messages can be encrypted here only with RSA keys"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "is not for encrypting mail"),
    ],
)
def test_a_certificate_that_cannot_be_encrypted_to_is_told_before_anything_is_sent(
    options: dict[str, object], words: str, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "bob.pem").write_bytes(authority.person(BOB, **options).pem)  # type: ignore[arg-type]  # one of its own
    with pytest.raises(SMIMEError) as caught:
        CertificateFolder(tmp_path).of([BOB])
    assert f"{BOB}: the certificate in bob.pem {words}" in caught.value.message


def test_each_recipient_without_a_certificate_is_named(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "bob.pem").write_bytes(authority.person(BOB).pem)
    with pytest.raises(SMIMEError) as caught:
        CertificateFolder(tmp_path).of([BOB, "eva@example.org", "udo@example.org"])
    assert f"eva@example.org: there is no certificate for it in {tmp_path}." in caught.value.message
    assert "udo@example.org" in caught.value.message
    assert BOB not in caught.value.message


def test_files_of_every_usual_form_are_read_and_others_passed_over(authority: Authority, tmp_path: Path) -> None:
    people = [authority.person(f"p{number}@example.org") for number in range(4)]
    (tmp_path / "a.pem").write_bytes(people[0].pem + people[1].pem)
    (tmp_path / "b.CER").write_bytes(people[2].der)
    (tmp_path / "c.p7b").write_bytes(pkcs7.serialize_certificates([people[3].certificate], Encoding.DER))
    (tmp_path / "d.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    (tmp_path / "e.pem").mkdir()
    (tmp_path / "f.der").write_bytes(b"\x30\x82" * 10)
    (tmp_path / "g.pem").symlink_to(tmp_path / "nowhere")
    wanted = [f"p{number}@example.org" for number in range(4)]
    assert list(CertificateFolder(tmp_path).of(wanted)) == wanted


def test_an_international_address_is_found_in_its_own_form(authority: Authority, tmp_path: Path) -> None:
    text = "аня@example.org".encode()
    other = x509.OtherName(ObjectIdentifier("1.3.6.1.5.5.7.8.9"), bytes([0x0C, len(text)]) + text)
    (tmp_path / "anya.pem").write_bytes(authority.person(others=[other]).pem)
    assert CertificateFolder(tmp_path).of(["Аня@example.org"])


# One's own


@pytest.mark.parametrize("form", ["one", "two", "p12"])
@pytest.mark.parametrize("passphrase", ["", "pässphräse"])
def test_a_key_is_read_in_every_usual_form(form: str, passphrase: str, ana: Person, tmp_path: Path) -> None:
    key = ""
    if form == "p12":
        path = tmp_path / "ana.p12"
        path.write_bytes(ana.p12(passphrase))
    else:
        path = tmp_path / "ana.pem"
        path.write_bytes(ana.pem + (ana.key_pem(passphrase) if form == "one" else b""))
        if form == "two":
            key = str(tmp_path / "ana.key")
            Path(key).write_bytes(ana.key_pem(passphrase))
    ask = (lambda: Secret(passphrase)) if passphrase else no_passphrase
    own = OwnKey.read(str(path), key, ask)
    assert own.certificate.is_for(ANA)
    assert "PrivateKey" not in repr(own)


def test_a_wrong_passphrase_is_told_and_is_in_no_frame(ana: Person, tmp_path: Path) -> None:
    (tmp_path / "ana.pem").write_bytes(ana.pem + ana.key_pem("right"))
    with pytest.raises(SMIMEError, match="the passphrase is wrong, or the file is damaged") as caught:
        OwnKey.read(str(tmp_path / "ana.pem"), "", lambda: Secret("wr0ng-one"))
    assert caught.value.__context__ is None
    assert "wr0ng-one" not in "".join(str(entry.frame.f_locals) for entry in caught.traceback[1:])


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("ana.pem", "", "is not an absolute path"),
        ("/nowhere/ana.pem", "", "cannot be read: No such file"),
        ("{folder}/bob.pem", "{folder}/ana.key", "contains no certificate for the key in"),
        ("{folder}/ana.key", "", "contains no certificate"),
        ("{folder}/bob.pem", "{folder}/bob.pem", "contains no readable private key"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_told(
    certificate: str, key: str, words: str, ana: Person, bob: Person, tmp_path: Path
) -> None:
    (tmp_path / "ana.key").write_bytes(ana.key_pem())
    (tmp_path / "bob.pem").write_bytes(bob.pem)
    with pytest.raises(SMIMEError, match=words):
        OwnKey.read(certificate.format(folder=tmp_path), key.format(folder=tmp_path), no_passphrase)


@pytest.mark.parametrize(
    ("options", "sender", "words"),
    [
        ({"days": (-9, -2)}, ANA, "expired on"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, ANA, "is not for signing mail"),
        ({}, "eve@example.org", "is for ana@example.org, and the message is from eve@example.org"),
    ],
)
def test_what_cannot_be_signed_is_told_before_anything_is_sent(
    options: dict[str, object], sender: str, words: str, authority: Authority, tmp_path: Path
) -> None:
    own = authority.person(ANA, **options).own(tmp_path)  # type: ignore[arg-type]  # one of its own
    with pytest.raises(SMIMEError, match=words):
        signed(compose(sender=sender), own, sender)
