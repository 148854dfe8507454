"""The sandbox's certificate: made for one server's life, signed by itself, known by its fingerprint alone."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import tempfile
from pathlib import Path

from ..errors import MailConnError

__all__ = ["make_context"]

_DAYS = 30
# A clock that was set back a little must not make it a certificate of tomorrow.
_HOUR = datetime.timedelta(hours=1)


def make_context() -> tuple[ssl.SSLContext, str]:
    """A server's TLS context with a new key, and the SHA-256 of its certificate in lower-case hex, as a pin has it."""
    from cryptography import x509  # noqa: PLC0415  # 60 ms that only a sandbox needs
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mailconn sandbox")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _HOUR)
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(
        context,
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    return context, certificate.fingerprint(hashes.SHA256()).hex()


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    # OpenSSL's binding reads files only: this one is the owner's alone (0600) and gone before anybody connects.
    try:
        descriptor, path = tempfile.mkstemp(prefix="mailconn-", suffix=".pem")
    except OSError as error:
        raise MailConnError(
            f"The sandbox needs a temporary file, and the folder for temporary files cannot be used ({error}).",
            hint="Set TMPDIR to a writable folder before the kernel starts.",
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        Path(path).unlink()
