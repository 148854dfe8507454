"""The sender's own certificate and key, in PEM files or in one PKCS #12 file, as authorities hand them out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs12

from ...errors import SMIMEError
from ...paths import expanded, relative
from ...secret import Secret
from .mail_certificate import MailCertificate, certificates_in

__all__ = ["OwnKey"]

_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class OwnKey:
    """A certificate, its private key, and the certificates of the authorities between it and a known one."""

    certificate: MailCertificate
    key: Any = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, certificate: str, key: str, passphrase: Callable[[], Secret]) -> OwnKey:
        """Read the files; ``key`` is empty where the certificate's file holds the key, too.

        ``passphrase`` is asked only where the key has one. Raises :class:`~mailconn_jupyter.errors.SMIMEError`.
        """
        data = _data(certificate, "smime_certificate")
        if certificate.lower().endswith((".p12", ".pfx")):
            private, own, more = _bundle(certificate, data, passphrase)
        else:
            found = certificates_in(data)
            private = _private(key or certificate, _data(key, "smime_key") if key else data, passphrase)
            # The chain may stand in any order: the own one is that of the key.
            mine = [each for each in found if _fits(each, private)]
            if not mine:
                what = (
                    "contains no certificate"
                    if not found
                    else f"contains no certificate for the key in {key or certificate}"
                )
                raise SMIMEError(f"smime_certificate: {certificate} {what}.")
            own, more = mine[0], [each for each in found if each not in mine]
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise SMIMEError(
                f"smime_key: {key or certificate} contains neither an RSA nor an elliptic-curve key, and no other kind can sign."
            )
        return cls(MailCertificate.of(own, certificate), private, tuple(more))


def _data(path: str, option: str) -> bytes:
    # A relative path would be another file in each directory that a notebook is in.
    whole = expanded(path)
    if flaw := relative(option, whole):
        raise SMIMEError(f"{flaw}.", hint=f"Give its full path, for example ~/.certificates/{whole.name}")
    try:
        with whole.open("rb") as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError) as error:
        raise SMIMEError(f"{option}: {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _private(path: str, data: bytes, passphrase: Callable[[], Secret]) -> Any:
    try:
        return load_pem_private_key(data, None)
    except TypeError:
        # It has a passphrase; asked for below, so that no error of a wrong one carries this one along.
        pass
    except ValueError as error:
        raise SMIMEError(
            f"smime_key: {path} contains no readable private key.", hint="It is a PEM file, or a .p12 file."
        ) from error
    return _with(passphrase(), path, lambda words: load_pem_private_key(data, words))


def _bundle(
    path: str, data: bytes, passphrase: Callable[[], Secret]
) -> tuple[Any, x509.Certificate, list[x509.Certificate]]:
    found = None
    # Most have a passphrase; what is no such file at all fails with one, too.
    with suppress(ValueError, TypeError):
        found = pkcs12.load_key_and_certificates(data, None)
    private, own, more = found or _with(passphrase(), path, lambda words: pkcs12.load_key_and_certificates(data, words))
    if own is None or private is None:
        raise SMIMEError(f"smime_certificate: {path} does not contain both a certificate and its key.")
    return private, own, list(more)


def _with(secret: Secret, path: str, load: Callable[[bytes], Any]) -> Any:
    # What the library raises has the frame in which the passphrase was.
    with suppress(ValueError, TypeError):
        return load(secret.reveal().encode())
    raise SMIMEError(f"smime_key: {path} cannot be opened: the passphrase is wrong, or the file is damaged.")


def _fits(certificate: x509.Certificate, private: Any) -> bool:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        return bool(certificate.public_key().public_bytes(*form) == private.public_key().public_bytes(*form))
    except Exception:  # noqa: BLE001  # a key of a kind that is not known here
        return False
