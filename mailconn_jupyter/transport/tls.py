"""TLS as a connection asks for it: which versions, and which certificates are good."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field

from ..paths import expanded
from .certificate import Certificate
from .contexts import kept, stamp
from .transport_errors import TransportError

__all__ = ["TLSFacts", "TLSPolicy", "explain", "hung_up"]

# Codes of X509_verify_cert (openssl/x509_vfy.h).
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21}
_WRONG_NAME = {62, 64}
# What X509_V_FLAG_X509_STRICT adds, which Python 3.13 turned on in create_default_context().
_NOT_BY_THE_RULES = set(range(80, 94))
_VERSION_REASONS = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "NO_PROTOCOLS_AVAILABLE",
    "WRONG_SSL_VERSION",
    "VERSION_TOO_LOW",
}
_PLAIN_REASONS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"}


@dataclass(frozen=True)
class TLSFacts:
    """What a handshake agreed on."""

    version: str
    cipher: str
    certificate: Certificate
    accepted: str


@dataclass(frozen=True)
class TLSPolicy:
    """What TLS must be: at least version 1.2, and a certificate that is good by one of four rules.

    A known authority and the host's name (the default); a known authority alone (``check_identity`` off); the host's
    name alone (``trusted``); or being exactly one certificate (``pins``, SHA-256 in hex), whatever it says.
    ``inspect`` accepts anything, and is only for looking at a certificate: nothing may be sent afterwards.
    """

    exactly_1_2: bool = False
    check_identity: bool = True
    trusted: bool = False
    pins: frozenset[str] = field(default_factory=frozenset)
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    inspect: bool = False

    def context(self) -> ssl.SSLContext:
        """The context that enforces as much of the policy as OpenSSL can; :meth:`judge` does the rest.

        It is kept, and shared: nothing of it may be changed.
        """
        files = self.ca_file, self.client_certificate, self.client_key
        # Which host, and which pins, is a matter of each link.
        rules = self.exactly_1_2, self.check_identity, self._judged_here()
        return kept((rules, files, tuple(map(stamp, files))), self._make)

    def _make(self) -> ssl.SSLContext:
        if self._judged_here():
            # No authority is asked.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if log := os.environ.get("SSLKEYLOGFILE"):
                context.keylog_filename = log
        else:
            context = ssl.create_default_context()
        if self.ca_file and not self._judged_here():
            try:
                context.load_verify_locations(cafile=expanded(self.ca_file))
            except (OSError, ssl.SSLError) as error:
                raise TransportError(
                    f"The authority file {self.ca_file!r} cannot be read ({error.strerror or error}).",
                    cause="ca-file",
                ) from error
        if self.client_certificate:
            self._show_certificate(context)
        # RFC 9525, 6.3: a common name is no name.
        context.hostname_checks_common_name = False
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.exactly_1_2:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.check_identity and not self._judged_here()
        if self._judged_here():
            context.verify_mode = ssl.CERT_NONE
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        def no_passphrase() -> str:
            # Without this OpenSSL asks on the terminal, where there may be nobody.
            raise TransportError(f"The key {key!r} has a passphrase.", cause="client-certificate")

        key = self.client_key or self.client_certificate
        try:
            context.load_cert_chain(expanded(self.client_certificate), expanded(key), password=no_passphrase)
        except TransportError:
            raise
        except (OSError, ssl.SSLError) as error:
            raise TransportError(
                f"The client certificate {self.client_certificate!r} cannot be used ({error.strerror or error}).",
                cause="client-certificate",
            ) from error

    def _judged_here(self) -> bool:
        return self.trusted or bool(self.pins) or self.inspect

    def judge(self, certificate: Certificate, host: str) -> str:
        """Accept the certificate, and say why, or raise. What OpenSSL has verified already is not done again."""
        if self.inspect:
            return "not checked"
        if self.pins:
            if certificate.sha256 not in self.pins:
                raise TransportError(
                    f"The certificate of {host} is not the pinned one: its SHA-256 is {certificate.sha256}.",
                    cause="pin-mismatch",
                    certificate=certificate,
                )
            return "pinned"
        if self.trusted:
            if not certificate.valid_now():
                raise _out_of_date(certificate, host)
            if not certificate.for_servers:
                words = f"The certificate of {host} is not meant for servers."
                raise TransportError(words, cause="bad-certificate", certificate=certificate)
            if self.check_identity and not certificate.names_host(host):
                raise _of_another(certificate, host)
            return "trusted host, authority not checked"
        return "known authority" if self.check_identity else "known authority, name not compared"


def _out_of_date(certificate: Certificate | None, host: str) -> TransportError:
    said = "out of date"
    if certificate:
        said = f"valid from {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
    return TransportError(f"The certificate of {host} is {said}.", cause="expired", certificate=certificate)


def _of_another(certificate: Certificate | None, host: str) -> TransportError:
    more = _names(certificate, host) if certificate else ""
    return TransportError(
        f"The certificate does not name {host}{more}.", cause="name-mismatch", certificate=certificate
    )


def _names(certificate: Certificate, host: str) -> str:
    """What it names in its place, as the end of a sentence."""
    names = ", ".join(certificate.names[:8])
    if not names and "CN=" in certificate.subject:
        return ": it names no host, and what its subject says does not count"
    # As a host, an address is a text that looks like one.
    kind = ", as a name and not as an address" if host in certificate.hosts else ""
    return f"; it names {names or 'nothing'}{kind}"


def hung_up() -> TransportError:
    """The server has closed the link: before the handshake, or in it, which is a matter of chance."""
    return TransportError("The server closed the link before TLS was agreed.", cause="closed")


def explain(error: ssl.SSLError | OSError, host: str, certificate: Certificate | None = None) -> TransportError:
    """The failure of a handshake, in words; with the certificate, where somebody has fetched it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in _WRONG_NAME:
            return _of_another(certificate, host)
        if code in {_EXPIRED, _NOT_YET_VALID}:
            return _out_of_date(certificate, host)
        if code in _UNKNOWN_AUTHORITY:
            issuer = f" ({certificate.issuer})" if certificate else ""
            return TransportError(
                f"The certificate of {host} comes from an unknown authority{issuer}.",
                cause="unknown-authority",
                certificate=certificate,
            )
        if code in _NOT_BY_THE_RULES:
            return TransportError(
                f"The certificate of {host}, or of its authority, breaks the rules of RFC 5280: {error.verify_message}.",
                cause="not-by-the-rules",
                certificate=certificate,
            )
        return TransportError(
            f"The certificate of {host} is not valid: {error.verify_message}.",
            cause="bad-certificate",
            certificate=certificate,
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        return hung_up()
    reason = getattr(error, "reason", None) or ""
    if reason in _VERSION_REASONS:
        return TransportError("There is no TLS version that both sides allow.", cause="tls-version")
    if reason in _PLAIN_REASONS:
        return TransportError("The server does not speak TLS on this port.", cause="wrong-tls-type")
    words = reason.replace("_", " ").lower() if reason else str(error.strerror or error)
    return TransportError(f"The TLS handshake failed ({words}).", cause="tls-failed")
