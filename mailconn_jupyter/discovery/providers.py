"""The large mail providers: whose addresses and whose domains are theirs, and which servers they have for them.

A domain that is none of theirs is looked for by :mod:`~mailconn_jupyter.discovery.discover`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..transport.certificate import Certificate

__all__ = [
    "GRAPH",
    "PROVIDERS",
    "Provider",
    "Server",
    "keeper_of_sent",
    "meant_by",
    "provider_by_exchange",
    "provider_of",
    "providers_shown",
    "takes_any_domain",
]


@dataclass(frozen=True)
class Server:
    """One server; ``local_part``: its username is what stands before the @, not the whole address."""

    host: str
    port: int
    security: str = "SSL"
    local_part: bool = False


#: Microsoft's, and nobody else's.
GRAPH: Final = Server("graph.microsoft.com", 443)


@dataclass(frozen=True)
class Provider:
    """One provider. A domain that begins with a dot means every domain below it.

    ``issuer``: it takes an OAuth 2.0 token of that issuer and no password. ``any_domain``: it also keeps the mail of
    domains of its customers, whose MX records name one of ``mx``. ``keeps_sent``: what goes through its SMTP server is
    in the mailbox's Sent folder by itself.
    """

    name: str
    smtp: Server
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    imap: Server | None = None
    pop3: Server | None = None
    note: str = ""
    issuer: str = ""
    any_domain: bool = False
    keeps_sent: bool = False

    def server(self, protocol: str) -> Server | None:
        """The server for SMTP, IMAP, POP3 or GRAPH; None where none is known."""
        graph = GRAPH if self.issuer == "microsoft" else None
        return {"SMTP": self.smtp, "IMAP": self.imap, "POP3": self.pop3, "GRAPH": graph}.get(protocol)


def _server(text: str) -> Server:
    """One server, as the table has it: ``host:port``, and behind it STARTTLS, and local."""
    place, *words = text.split()
    host, _, port = place.rpartition(":")
    return Server(host, int(port), "TLS" if "STARTTLS" in words else "SSL", local_part="local" in words)


def _providers() -> Iterator[Provider]:
    table = tomllib.loads(Path(__file__).with_name("providers.toml").read_text(encoding="utf-8"))
    for row in table["provider"]:
        sentences = [table["sentences"].get(each, each) for each in row.pop("note", [])]
        note = " ".join(sentences).replace("{maker}", row.pop("maker", row["name"]))
        row |= {protocol: _server(row[protocol]) for protocol in ("smtp", "imap", "pop3") if protocol in row}
        row |= {name: tuple(row.get(name, ())) for name in ("domains", "mx")}
        yield Provider(**row, note=note)


PROVIDERS: Final = tuple(_providers())
"""The table, which is ``providers.toml`` beside this file."""

_BY_DOMAIN: Final = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_BY_EXCHANGE: Final = {end: provider for provider in PROVIDERS for end in provider.mx}
_LONGEST_KNOWN: Final = max(map(len, _BY_DOMAIN))


def provider_of(domain: str) -> Provider | None:
    """The provider of a domain (in its ASCII form), None for every other.

    >>> provider_of("GMail.com").name, provider_of("acme.onmicrosoft.com").name, provider_of("example.org")
    ('Google', 'Microsoft 365', None)
    """
    name = domain.casefold()
    _, dot, parent = name.partition(".")
    return _BY_DOMAIN.get(name) or _BY_DOMAIN.get(f"{dot}{parent}")


def provider_by_exchange(host: str) -> Provider | None:
    """The provider whose host takes the mail of a domain, as its MX record says; None for every other.

    >>> provider_by_exchange("acme-org.mail.protection.outlook.com").name, provider_by_exchange("mx.example.org")
    ('Microsoft 365', None)
    """
    name = host.casefold().rstrip(".")
    return next(
        (found for end, found in _BY_EXCHANGE.items() if name == end or (end[0] == "." and name.endswith(end))), None
    )


def keeper_of_sent(host: str) -> str:
    """The name of the provider that keeps what is sent through this server by itself; empty for every other.

    >>> keeper_of_sent("SMTP.Gmail.com."), keeper_of_sent("smtp.example.org")
    ('Google', '')
    """
    name = host.casefold().rstrip(".")
    return next((each.name for each in PROVIDERS if each.keeps_sent and each.smtp.host == name), "")


def meant_by(domain: str) -> str:
    """The domain of a known provider that this one may be a slip of; empty where none is near, or it is one itself.

    >>> meant_by("gmial.com"), meant_by("gmail.com"), meant_by("example.org")
    ('gmail.com', '', '')
    """
    name = domain.casefold()
    if name in _BY_DOMAIN or len(name) > _LONGEST_KNOWN + 1:
        return ""
    # Two texts that differ in one letter, or in two that have changed places, are alike when each has lost one.
    near = {known: None for less in (name, *_without_one(name)) for known in _SHORTENED.get(less, ())}
    return next(iter(difflib.get_close_matches(name, near, n=1, cutoff=0.87)), "")


def _without_one(text: str) -> Iterator[str]:
    return (text[:place] + text[place + 1 :] for place in range(len(text)))


def _shortened() -> dict[str, list[str]]:
    """Each domain by itself, and by what is left of it without one letter."""
    found: dict[str, list[str]] = {}
    for known in _BY_DOMAIN:
        for less in (known, *_without_one(known)):
            found.setdefault(less, []).append(known)
    return found


_SHORTENED: Final = _shortened()


def takes_any_domain() -> Iterator[Provider]:
    """The providers that may keep the mail of any domain."""
    return (provider for provider in PROVIDERS if provider.any_domain)


def providers_shown(certificate: Certificate, protocol: str) -> Iterator[tuple[Provider, Server]]:
    """The providers whose server for the protocol the certificate names. A name in a certificate is only a claim."""
    for provider in PROVIDERS:
        server = provider.server(protocol)
        if server is not None and certificate.names_host(server.host):
            yield provider, server
