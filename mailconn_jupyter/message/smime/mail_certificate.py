"""A certificate for mail: whose it is, until when, and what may be done with it (RFC 5280, RFC 8550)."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

__all__ = ["MailCertificate", "certificates_in", "folded"]

# RFC 9598: an address that is not ASCII before its @ has a form of its own.
_INTERNATIONAL: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.9")
_UTF8_STRING: Final = 0x0C
_FOR_MAIL: Final = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
# What cryptography raises for a certificate that is not one, or that says twice what may be said once.
_FAULTS: Final = (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True)
class MailCertificate:
    """What a certificate says of itself; nothing of it is proven by this. ``source`` is where it was found."""

    parsed: x509.Certificate
    addresses: frozenset[str]
    signs: bool
    encrypts: bool
    source: str = ""

    @classmethod
    def of(cls, parsed: x509.Certificate, source: str = "") -> MailCertificate:
        """Read it; one that cannot be read to the end is for nobody and for nothing."""
        try:
            known = {type(extension.value): extension.value for extension in parsed.extensions}
            addresses = frozenset(folded(address) for address in _addresses(parsed, known))
        except _FAULTS:
            return cls(parsed, frozenset(), signs=False, encrypts=False, source=source)
        usage, extended = known.get(x509.KeyUsage), known.get(x509.ExtendedKeyUsage)
        # RFC 5280, 4.2.1: without the extension it is for everything.
        for_mail = not isinstance(extended, x509.ExtendedKeyUsage) or not _FOR_MAIL.isdisjoint(extended)
        signs = not isinstance(usage, x509.KeyUsage) or usage.digital_signature or usage.content_commitment
        encrypts = not isinstance(usage, x509.KeyUsage) or usage.key_encipherment or usage.key_agreement
        return cls(parsed, addresses, signs=for_mail and signs, encrypts=for_mail and encrypts, source=source)

    @property
    def flaw(self) -> str:
        """Why its dates keep it from being used, as the end of a sentence; empty where they do not."""
        now = datetime.datetime.now(datetime.UTC)
        if now > self.parsed.not_valid_after_utc:
            return f"expired on {self.parsed.not_valid_after_utc:%d %B %Y}"
        if now < self.parsed.not_valid_before_utc:
            return f"is not valid before {self.parsed.not_valid_before_utc:%d %B %Y}"
        return ""

    @property
    def key(self) -> Any:
        """Its public key; None where it is of a kind that is not known here."""
        try:
            return self.parsed.public_key()
        except Exception:  # noqa: BLE001  # an unknown algorithm or curve, in classes that differ by version
            return None

    @property
    def is_rsa(self) -> bool:
        return isinstance(self.key, rsa.RSAPublicKey)

    @property
    def key_kind(self) -> str:
        """The kind of its key, for a person."""
        if isinstance(self.key, ec.EllipticCurvePublicKey):
            return "an elliptic-curve key"
        return "an RSA key" if self.is_rsa else "a key of another kind"

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the whole certificate, in hexadecimal digits."""
        return hashlib.sha256(self.parsed.public_bytes(Encoding.DER)).hexdigest()

    @property
    def pem(self) -> bytes:
        """The certificate, as a file has it."""
        return self.parsed.public_bytes(Encoding.PEM)

    @property
    def issuer(self) -> str:
        """Who issued it, in one name."""
        try:
            named = self.parsed.issuer
            for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
                if found := named.get_attributes_for_oid(kind):
                    return str(found[0].value)
            return named.rfc4514_string()
        except _FAULTS:
            return ""

    def is_for(self, address: str) -> bool:
        """Whether it names the address."""
        return folded(address) in self.addresses


def folded(address: str) -> str:
    """What two addresses are compared by; no mail system tells capitals apart before the @."""
    return address.strip().casefold()


def _addresses(parsed: x509.Certificate, known: dict[type, Any]) -> Iterable[str]:
    named = known.get(x509.SubjectAlternativeName)
    if isinstance(named, x509.SubjectAlternativeName):
        yield from named.get_values_for_type(x509.RFC822Name)
        for other in named.get_values_for_type(x509.OtherName):
            value = other.value
            if (
                other.type_id == _INTERNATIONAL
                and len(value) > 2
                and (value[0], value[1]) == (_UTF8_STRING, len(value) - 2)
            ):
                yield value[2:].decode("utf-8", "replace")
    # RFC 8550, 3: older certificates have it in the name of their subject.
    for attribute in parsed.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        yield str(attribute.value)


def certificates_in(data: bytes) -> list[x509.Certificate]:
    """The certificates of a file, whichever of its usual forms it has: PEM, DER, or PKCS #7; none where it has none."""
    readers = (
        [x509.load_pem_x509_certificates, pkcs7.load_pem_pkcs7_certificates]
        if b"-----BEGIN" in data
        else [lambda der: [x509.load_der_x509_certificate(der)], pkcs7.load_der_pkcs7_certificates]
    )
    for read in readers:
        try:
            return list(read(data))
        except Exception:  # noqa: BLE001, S112  # a stranger's file; what its parser raises differs by version
            continue
    return []
