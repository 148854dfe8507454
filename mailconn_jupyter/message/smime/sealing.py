"""A message signed (RFC 8551, 3.5.3) and encrypted (3.3): the same header, another body."""

from __future__ import annotations

import base64
import copy
import secrets
from collections.abc import Iterable
from email.message import EmailMessage
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from ...errors import SMIMEError
from ..mime.wire_format import as_bytes
from .mail_certificate import MailCertificate
from .own_key import OwnKey

__all__ = ["encrypted", "signed"]

_NOTE: Final = "This is a signed message (S/MIME).\r\n"


def signed(message: EmailMessage, own: OwnKey, sender: str) -> EmailMessage:
    """The message with a signature that any mail program can pass over (multipart/signed).

    ``sender`` is the address that the certificate must be for. What is signed is made 7 bit, so that no server on the way
    has a reason to change it (RFC 8551, 3.1.2). Raises :class:`~mailconn_jupyter.errors.SMIMEError`.
    """
    certificate = own.certificate
    if certificate.flaw or not certificate.signs:
        raise SMIMEError(f"The certificate in {certificate.source} {certificate.flaw or 'is not for signing mail'}.")
    if not certificate.is_for(sender):
        named = ", ".join(sorted(certificate.addresses)) or "no mail address"
        raise SMIMEError(f"The certificate in {certificate.source} is for {named}, and the message is from {sender}.")
    body = _body(message)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(body).add_signer(certificate.parsed, own.key, hashes.SHA256())
    for each in own.chain:
        builder = builder.add_certificate(each)
    signature = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    boundary = f"=_{secrets.token_hex(16)}"
    kind = f'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;\n boundary="{boundary}"'
    # As one text: nobody on the way here may fold or encode any of it again.
    whole = (
        f"{_NOTE}\r\n--{boundary}\r\n{body.decode('ascii')}\r\n--{boundary}\r\n"
        'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n'
        'Content-Disposition: attachment; filename="smime.p7s"\r\nContent-Description: S/MIME signature\r\n\r\n'
        f"{_lines(signature)}\r\n--{boundary}--\r\n"
    )
    return _with_body(message, [("Content-Type", kind)], whole)


def encrypted(message: EmailMessage, certificates: Iterable[MailCertificate]) -> EmailMessage:
    """The message so that only who has a key of one of the certificates can read it: AES-256, the keys by RSA.

    The header stays as it is, the subject in it, too. Raises :class:`~mailconn_jupyter.errors.SMIMEError`.
    """
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(_body(message)).set_content_encryption_algorithm(algorithms.AES256)
    seen = set()
    for each in certificates:
        if each.fingerprint not in seen:
            seen.add(each.fingerprint)
            builder = builder.add_recipient(each.parsed)
    if not seen:
        raise SMIMEError("There is no certificate to encrypt the message with.")
    data = builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    fields = [
        ("Content-Type", 'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", 'attachment; filename="smime.p7m"'),
        ("Content-Description", "S/MIME encrypted message"),
    ]
    return _with_body(message, fields, f"{_lines(data)}\r\n")


def _body(message: EmailMessage) -> bytes:
    """The body with the fields of the header that speak of it, as it would be a part of its own."""
    part = copy.copy(message)
    for name in {name for name, _ in message.raw_items() if not name.lower().startswith("content-")}:
        del part[name]
    return as_bytes(part, utf8=False, eight_bit=False)


def _with_body(message: EmailMessage, fields: list[tuple[str, str]], body: str) -> EmailMessage:
    whole = copy.copy(message)
    for name in {name for name, _ in message.raw_items() if name.lower().startswith("content-")}:
        del whole[name]
    for name, value in fields:
        whole.set_raw(name, value)
    whole.set_payload(body)
    return whole


def _lines(data: bytes) -> str:
    return base64.encodebytes(data).decode("ascii").removesuffix("\n").replace("\n", "\r\n")
