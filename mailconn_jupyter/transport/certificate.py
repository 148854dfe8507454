"""A server's certificate, read: what a person wants to know of it, and whether it names a host (RFC 9525)."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself; nothing of it is proven unless a policy has accepted it.

    ``hosts`` and ``addresses`` are what it is for, by its subjectAltName alone: a common name is a name of nothing (RFC
    9525, 6.3). ``for_servers`` is off where its extended key usage leaves servers out.
    """

    der: bytes
    subject: str
    issuer: str
    not_before: datetime.datetime
    not_after: datetime.datetime
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    for_servers: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Hosts and addresses, as a person reads them."""
        return self.hosts + self.addresses

    @classmethod
    @lru_cache(maxsize=128)
    def read(cls, der: bytes) -> Certificate:
        """Read it; a certificate that cannot be parsed keeps its fingerprint, and names nothing.

        >>> Certificate.read(b"not one").names
        ()
        """
        from cryptography import x509  # noqa: PLC0415  # 30 ms that only TLS needs
        from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415  # as above

        try:
            parsed = x509.load_der_x509_certificate(der)
            subject, issuer = parsed.subject.rfc4514_string(), parsed.issuer.rfc4514_string()
            dates = parsed.not_valid_before_utc, parsed.not_valid_after_utc
            known = {type(extension.value): extension.value for extension in parsed.extensions}
            named, usage = known.get(x509.SubjectAlternativeName), known.get(x509.ExtendedKeyUsage)
            hosts: tuple[str, ...] = ()
            addresses: tuple[str, ...] = ()
            if isinstance(named, x509.SubjectAlternativeName):
                hosts = tuple(named.get_values_for_type(x509.DNSName))
                addresses = tuple(str(address) for address in named.get_values_for_type(x509.IPAddress))
            # RFC 5280, 4.2.1.12: without the extension it is for everything.
            servers = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
            for_servers = not isinstance(usage, x509.ExtendedKeyUsage) or not servers.isdisjoint(usage)
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            never = datetime.datetime.fromtimestamp(0, datetime.UTC)
            return cls(der, "(unreadable)", "(unreadable)", never, never)
        return cls(der, subject or "(none)", issuer or "(none)", *dates, hosts, addresses, for_servers)

    @property
    def sha256(self) -> str:
        """The fingerprint: SHA-256 of the DER, in lower-case hexadecimal digits, as a pin is written."""
        return hashlib.sha256(self.der).hexdigest()

    def valid_now(self) -> bool:
        """Whether now lies between its dates."""
        return self.not_before <= datetime.datetime.now(datetime.UTC) <= self.not_after

    def names_host(self, host: str) -> bool:
        """Whether it names the host (RFC 9525, 6.3): an address as an address, a name exactly or by ``*`` as first label.

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
            for name in self.hosts:
                given = name.casefold().rstrip(".")
                if given == wanted or (given == f"*.{parent}" and "." in parent):
                    return True
            return False
        return str(address) in self.addresses
