"""Certificates for mail, of an authority of the tests: good ones, and each of the ways in which one is bad."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailconn_jupyter.message.smime.own_key import OwnKey
from mailconn_jupyter.secret import Secret

_NOW = dt.datetime.now(dt.UTC)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key(*, elliptic: bool = False) -> Key:
    """A key of the usual kind, or of the one that not every program can encrypt to."""
    return ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Person:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """The certificate, and those of its chain."""
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (self.certificate, *self.chain))

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def key_pem(self, passphrase: str = "") -> bytes:
        """The key, encrypted where there is a passphrase."""
        how = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)

    def p12(self, passphrase: str = "") -> bytes:
        """Both in one file."""
        how = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"mail", self.key, self.certificate, list(self.chain), how)

    def own(self, folder: Path) -> OwnKey:
        """What a connection has of it."""
        path = folder / f"own-{self.certificate.serial_number}.pem"
        path.write_bytes(self.pem + self.key_pem())
        return OwnKey.read(str(path), "", lambda: Secret(""))


class Authority:
    """An authority that certifies mail addresses."""

    def __init__(self) -> None:
        self.key = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        self.certificate = (
            _begun(name, name, self.key, days=(-30, 300))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def write(self, folder: Path) -> str:
        """Its certificate in a PEM file; returns the path."""
        path = folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)

    def person(
        self,
        *addresses: str,
        days: tuple[int, int] = (-10, 100),
        elliptic: bool = False,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
        others: Sequence[x509.GeneralName] = (),
    ) -> Person:
        """Somebody with these addresses; ``days`` from now the certificate begins and ends."""
        key = new_key(elliptic=elliptic)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, addresses[0] if addresses else "nobody")])
        names = [*map(x509.RFC822Name, addresses), *others]
        builder = _begun(subject, self.certificate.subject, key, days).add_extension(
            x509.ExtendedKeyUsage([purpose]), critical=False
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Person(builder.sign(self.key, hashes.SHA256()), key)


def _begun(subject: x509.Name, issuer: x509.Name, key: Key, days: tuple[int, int]) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW + dt.timedelta(days[0]))
        .not_valid_after(_NOW + dt.timedelta(days[1]))
    )


def openssl(*words: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What the program says, and what it makes of ``data``."""
    return subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=False, timeout=30)
