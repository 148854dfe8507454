"""A server's certificate, read: what a person wants to know of it, and whether it names a host (RFC 9525)."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from dataclasses import dataclass

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself; nothing of it is proven unless a policy has accepted it."""

    der: bytes
    subject: str
    issuer: str
    not_before: datetime.datetime
    not_after: datetime.datetime
    names: tuple[str, ...]

    @classmethod
    def read(cls, der: bytes) -> Certificate:
        """Read it; a certificate that cannot be parsed keeps its fingerprint, and names nothing.

        >>> Certificate.read(b"not one").names
        ()
        """
        from cryptography import x509  # noqa: PLC0415  # 30 ms that only TLS needs

        try:
            parsed = x509.load_der_x509_certificate(der)
            subject, issuer = parsed.subject.rfc4514_string(), parsed.issuer.rfc4514_string()
            dates = parsed.not_valid_before_utc, parsed.not_valid_after_utc
            common = parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            try:
                extension = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
                names = (
                    *extension.get_values_for_type(x509.DNSName),
                    *(str(address) for address in extension.get_values_for_type(x509.IPAddress)),
                )
            except x509.ExtensionNotFound:
                names = tuple(str(name.value) for name in common[:1])
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            never = datetime.datetime.fromtimestamp(0, datetime.UTC)
            return cls(der, "(unreadable)", "(unreadable)", never, never, ())
        return cls(der, subject or "(none)", issuer or "(none)", *dates, names)

    @property
    def sha256(self) -> str:
        """The fingerprint: SHA-256 of the DER, in lower-case hexadecimal digits, as a pin is written."""
        return hashlib.sha256(self.der).hexdigest()

    def valid_now(self) -> bool:
        """Whether now lies between its dates."""
        return self.not_before <= datetime.datetime.now(datetime.UTC) <= self.not_after

    def names_host(self, host: str) -> bool:
        """Whether it names the host: an address exactly, a name exactly or by ``*`` as its whole first label.

        >>> import datetime
        >>> now = datetime.datetime.now(datetime.UTC)
        >>> Certificate(b"", "", "", now, now, ("*.example.org",)).names_host("mail.example.org")
        True
        """
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            wanted = host.casefold().rstrip(".")
            _, _, parent = wanted.partition(".")
            for name in self.names:
                given = name.casefold().rstrip(".")
                if given == wanted or (given == f"*.{parent}" and "." in parent):
                    return True
            return False
        return str(address) in self.names
