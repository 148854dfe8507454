"""Certificates, good and bad, of an authority that lives as long as the tests."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

#: The names that a good certificate is valid for.
NAMES = ("localhost", "127.0.0.1", "mail.test")


@dataclass(frozen=True)
class Certificate:
    """One certificate with its key, in PEM files as servers want them."""

    pem: Path
    key: Path
    #: The certificate alone, without its chain.
    der: bytes

    @property
    def sha256(self) -> str:
        """The fingerprint: 64 hexadecimal digits, lower case, no colons."""
        return hashlib.sha256(self.der).hexdigest()

    def server_context(
        self,
        minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> ssl.SSLContext:
        """Return a new context for a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = minimum
        context.maximum_version = maximum
        context.load_cert_chain(self.pem, self.key)
        return context


@dataclass(frozen=True)
class Certificates:
    """What a client may meet: one good certificate and three ways to be wrong."""

    #: The authority; ``ca.pem`` is the file that a client is to trust.
    ca: Certificate
    #: For localhost, 127.0.0.1 and mail.test.
    good: Certificate
    #: For the same names, signed by itself.
    self_signed: Certificate
    #: For the same names, signed by the authority, over since a year.
    expired: Certificate
    #: For other.example, signed by the authority.
    other_name: Certificate
    #: For a client that logs in by certificate, signed by the authority.
    client: Certificate
    #: With localhost as common name, and no names (RFC 9525, 6.3: such a certificate names nothing).
    common_name: Certificate
    #: With 127.0.0.1 as a name in place of an address.
    address_as_name: Certificate
    #: For the good names, to be shown by clients alone.
    for_clients: Certificate
    #: For the good names, without the authority's key identifier (RFC 5280, 4.2.1.1).
    without_key_id: Certificate

    def client_context(self) -> ssl.SSLContext:
        """Return a new verifying context for a client that trusts only the authority."""
        return ssl.create_default_context(cafile=str(self.ca.pem))


def make_certificates(folder: Path) -> Certificates:
    """Write an authority's certificates to *folder*."""
    ca = trustme.CA()
    now = dt.datetime.now(dt.UTC)
    year = dt.timedelta(days=365)

    def write(name: str, chain: bytes, key: bytes) -> Certificate:
        pem, private = folder / f"{name}.pem", folder / f"{name}.key"
        pem.write_bytes(chain)
        private.touch(mode=0o600)
        private.write_bytes(key)
        return Certificate(pem, private, _der(chain))

    def issued(name: str, leaf: trustme.LeafCert) -> Certificate:
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return write(name, chain, leaf.private_key_pem.bytes())

    return Certificates(
        ca=write("ca", ca.cert_pem.bytes(), ca.private_key_pem.bytes()),
        good=issued("good", ca.issue_cert(*NAMES)),
        self_signed=write("self-signed", *_self_signed(now, year)),
        expired=issued("expired", ca.issue_cert(*NAMES, not_before=now - 2 * year, not_after=now - year)),
        other_name=issued("other-name", ca.issue_cert("other.example")),
        client=issued("client", ca.issue_cert("alice@example.test", common_name="alice")),
        common_name=write("common-name", *_signed(ca)),
        address_as_name=write(
            "address-as-name", *_signed(ca, x509.SubjectAlternativeName([x509.DNSName("127.0.0.1")]))
        ),
        for_clients=write(
            "for-clients",
            *_signed(
                ca,
                x509.SubjectAlternativeName([_general_name(host) for host in NAMES]),
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
            ),
        ),
        without_key_id=write(
            "without-key-id",
            *_signed(ca, x509.SubjectAlternativeName([_general_name(host) for host in NAMES]), key_id=False),
        ),
    )


def _der(chain: bytes) -> bytes:
    first = x509.load_pem_x509_certificates(chain)[0]
    return first.public_bytes(serialization.Encoding.DER)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _signed(ca: trustme.CA, *extensions: x509.ExtensionType, key_id: bool = True) -> tuple[bytes, bytes]:
    """Return the PEM certificate and key of a certificate for localhost by its common name, with these extensions."""
    issuer = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    authority = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
    )
    if key_id:
        found = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
        builder = builder.add_extension(found, critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), _private(key)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _self_signed(now: dt.datetime, valid: dt.timedelta) -> tuple[bytes, bytes]:
    """Return the PEM certificate and key that ``openssl req -x509`` would make for NAMES."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), _private(key)
