"""From a mail address to the server's settings: what is known of the provider, or what is found by trying.

Of the address only the domain leaves this machine. The usual hosts of the domain are tried at the usual ports, always
with TLS and a verified certificate, on the way of every session but stopping before the login. The SRV records of
RFC 6186 and RFC 8314 are not asked for: the standard library cannot look them up.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..connection import MailConnection
from ..connection.declarations import SENDING
from ..connection.mechanisms import named
from ..errors import MailConnError, OptionError
from ..formatting import columns, escape, table
from ..keywords import public
from ..message.addresses import envelope_address
from ..session.connect import session_class
from .probe import Probe, best, probe_all
from .providers import GRAPH, Server, meant_by, provider_of, takes_any_domain

__all__ = ["Settings", "discover"]

# What stands before the domain, in the order of preference; the domain itself among them.
_HOSTS: Final = {
    "SMTP": ("smtp.", "mail.", "", "mx."),
    "IMAP": ("imap.", "mail.", "", "mx."),
    "POP3": ("pop.", "pop3.", "mail.", ""),
}
# RFC 8314, 3: TLS from the first byte is preferred to STARTTLS.
_PORTS: Final = {
    "SMTP": (("SSL", 465), ("TLS", 587)),
    "IMAP": (("SSL", 993), ("TLS", 143)),
    "POP3": (("SSL", 995), ("TLS", 110)),
}
_TOKENS: Final = set(named("an access token"))
_LONGEST_HOST = 253
_BY_GRAPH: Final = "Where SMTP is off, Microsoft Graph sends: %mailconn find {address} --protocol GRAPH"
_ONLY_THE_TEST: Final = (
    "Whether the mail of {domain} is kept by Microsoft 365, only the test of the connection tells. It takes an OAuth 2.0 "
    "token: give the id of an app as oauth_client_id, and sign in with %mailconn signin."
)


@dataclass(frozen=True, repr=False)
class Settings:
    """A proposal: ``options`` for ``MailConnection.update()``, empty where there is none; true when there is one.

    ``provider`` is the one that is known by the address's domain, ``note`` what a person must know or do, ``found`` each
    server that was tried, the preferred first.
    """

    address: str
    options: dict[str, Any]
    provider: str = ""
    note: str = ""
    found: tuple[Probe, ...] = field(default=())

    def connection(self, name: str) -> MailConnection:
        """A connection of that name with the options; raises the note as an error where there is no proposal."""
        if not self.options:
            raise MailConnError(self.note)
        return MailConnection(name=name, **self.options)

    def __bool__(self) -> bool:
        return bool(self.options)

    @property
    def summary(self) -> str:
        """The proposal in one line."""
        if not self.options:
            return f"No settings for {self.address}"
        whose = f", as {self.provider} publishes them" if self.provider else ", as found by trying"
        return f"Settings for {self.address}{whose}"

    def _rows(self) -> list[tuple[str, str]]:
        labels = MailConnection.options()
        words = {True: "yes", False: "no"}
        return [
            (labels[name].label, words[value] if isinstance(value, bool) else str(value))
            for name, value in self.options.items()
        ]

    def _tried(self) -> list[tuple[str, str, str, str]]:
        return [
            (f"{probe.host}:{probe.port}", probe.security, "works" if probe.ok else "no", _said(probe))
            for probe in self.found
        ]

    def __repr__(self) -> str:
        parts = [self.summary, columns(self._rows(), header=("Option", "Value")) if self.options else "", self.note]
        if self.found:
            parts.append(columns(self._tried(), header=_TRIED))
        return "\n".join(filter(None, parts))

    def _repr_html_(self) -> str:
        caption = self.summary
        shown = table(self._rows(), header=("Option", "Value"), caption=caption) if self.options else ""
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        tried = table(self._tried(), header=_TRIED, caption="Tried") if self.found else ""
        return (shown or f"<p>{escape(caption)}</p>") + note + tried


_TRIED: Final = ("Server", "Security", "Outcome", "What it said")


@public
def discover(
    address: str,
    *,
    protocol: str = "SMTP",
    deadline: float = 15.0,
    cancel: threading.Event | None = None,
    listener: Callable[[Probe], None] | None = None,
    via: MailConnection | None = None,
) -> Settings:
    """Propose server, port, security and username for a mail address; no credential is used, and nothing is kept.

    A large provider's are known. For every other domain the usual hosts are tried, for at most ``deadline`` seconds;
    setting ``cancel`` ends that at once, and ``listener`` is called, in the calling thread, with each
    :class:`~mailconn_jupyter.discovery.probe.Probe`. Only a server whose certificate is good is proposed; one with an
    unknown authority is in ``found``, with its pin. ``via`` lends its proxy and its authority file; a proxy's password
    is not asked for here.

    Raises :class:`~mailconn_jupyter.errors.MessageError` for what is no address, and
    :class:`~mailconn_jupyter.errors.OptionError` for a domain that cannot be looked for.
    """
    wanted = MailConnection(protocol=protocol, deadline=deadline)
    if wanted.protocol == "MBOX":
        raise OptionError("MBOX is a file: there is no server to look for.", trait="protocol")
    mailbox = envelope_address(address, what="address").text
    local_part, _, domain = mailbox.rpartition("@")
    domain = domain.casefold()
    _refuse_private(domain)
    mailbox = f"{local_part}@{domain}"
    lent = _lent(via)
    provider = provider_of(domain)
    if provider is not None:
        server = provider.server(wanted.protocol)
        if server is None:
            note = f"No {wanted.protocol} server of {provider.name} is known."
            return Settings(mailbox, {}, provider.name, note)
        options = _options(mailbox, wanted.protocol, server, issuer=provider.issuer)
        by_graph = wanted.protocol == "SMTP" and provider.server("GRAPH") is not None
        note = f"{provider.note} {_BY_GRAPH.format(address=mailbox)}" if by_graph else provider.note
        return Settings(mailbox, options | lent, provider.name, note)
    if wanted.protocol == "GRAPH":
        # One server for all: whose mail is there, nobody tells without a login.
        options = _options(mailbox, "GRAPH", GRAPH, issuer="microsoft")
        return Settings(mailbox, options | lent, "Microsoft", _slip(domain) + _ONLY_THE_TEST.format(domain=domain))
    return _search(mailbox, domain, wanted, lent, via, cancel=cancel, listener=listener)


def _refuse_private(domain: str) -> None:
    try:
        ipaddress.ip_address(domain)
        literal = True
    except ValueError:
        literal = domain.startswith("[")
    if literal:
        problem = f"The address has {domain} instead of a domain, so there is nothing to look up."
    elif len(domain) > _LONGEST_HOST:
        problem = f"The domain has {len(domain)} characters, and the name of a host at most {_LONGEST_HOST}."
    elif "." not in domain or domain.endswith((".localhost", ".invalid", ".onion")):
        problem = f"The domain {domain!r} is private, so there is nothing to look up."
    else:
        return
    raise OptionError(problem, trait="server_host", hint="Enter the server host yourself.")


def _lent(via: MailConnection | None) -> dict[str, Any]:
    """The options of the way to the server, which a proposal needs as much as the search."""
    if via is None:
        return {}
    names = ["ca_file"] if via.ca_file else []
    if via.use_proxy or via.use_environment_proxy:
        names += [name for name, option in MailConnection.options().items() if option.section == "Proxy"]
    return {name: value for name in names if (value := getattr(via, name)) not in (None, "")}


def _options(
    mailbox: str, protocol: str, server: Server, *, issuer: str = "", token: bool = False, login: bool = True
) -> dict[str, Any]:
    """The options, each said: they may replace those of a draft."""
    options: dict[str, Any] = {
        "protocol": protocol,
        "server_host": server.host,
        "server_port": server.port,
        "use_authentication": login,
    }
    if login:
        username = mailbox.rpartition("@")[0] if server.local_part else mailbox
        options |= {"use_xoauth2": token or bool(issuer), "username": username}
        options |= {"oauth_issuer": issuer} if issuer else {}
    options |= {
        "use_secure_authentication": True,
        "secure_authentication_type": server.security,
        "check_server_identity": True,
    }
    options |= {"from_address": mailbox} if protocol in SENDING else {}
    declared = MailConnection.options()
    return {name: value for name, value in options.items() if protocol in declared[name].protocols}


def _search(
    mailbox: str,
    domain: str,
    wanted: MailConnection,
    lent: dict[str, Any],
    via: MailConnection | None,
    *,
    cancel: threading.Event | None,
    listener: Callable[[Probe], None] | None,
) -> Settings:
    # A name, for the proxy's password is looked up by it; and half the time for one answer, so that a port that a
    # firewall keeps silent leaves some for the others.
    shared = {
        "name": via.name if via is not None and via.name else domain[:200],
        "protocol": wanted.protocol,
        "use_authentication": False,
        "timeout": wanted.deadline / 2,
        "deadline": wanted.deadline,
        **lent,
    }
    candidates = [
        MailConnection(**shared, server_host=host, server_port=port, secure_authentication_type=security)
        for security, port in _PORTS[wanted.protocol]
        for prefix in _HOSTS[wanted.protocol]
        if len(host := f"{prefix}{domain}") <= _LONGEST_HOST
    ]
    for candidate in candidates:
        candidate.shared, candidate.hides = (via.shared, via.hides) if via is not None else (False, None)
    session_class(candidates[0])  # a protocol without sessions is an error here, and not in each thread
    found = tuple(probe_all(candidates, deadline=wanted.deadline, cancel=cancel, listener=listener))
    chosen = best(dict(enumerate(found)))
    if chosen is None:
        return Settings(mailbox, {}, note=_nothing(domain, wanted.protocol, found), found=found)
    probe = found[chosen]
    mechanisms = set(probe.mechanisms)
    token = bool(mechanisms) and mechanisms <= _TOKENS
    server = Server(probe.host, probe.port, probe.security)
    options = _options(mailbox, wanted.protocol, server, token=token, login=probe.takes_login)
    note = "The username is a guess: most servers want the full address, some only the part before the @."
    if not probe.takes_login:
        note = "The server offers no login: it takes mail only from networks that it trusts."
    elif token:
        note += " The server takes an OAuth 2.0 token, and no password."
    return Settings(mailbox, options | lent, note=f"{_slip(domain)}{note}", found=found)


def _slip(domain: str) -> str:
    """The question whether another domain was meant, and a blank; empty where none is near."""
    near = meant_by(domain)
    return f"Did you mean {near}? " if near else ""


def _nothing(domain: str, protocol: str, found: tuple[Probe, ...]) -> str:
    """What to do where nothing can be proposed."""
    if any(probe.cause == "cancelled" for probe in found):
        return "The search was cancelled."
    lead = f"{_slip(domain)}No {protocol} server of {domain} was found that could prove its identity."
    for probe in found:
        if probe.pin or probe.hint:
            return f"{lead} {probe.host} port {probe.port} answers: {_said(probe)}"
    known = [(provider.name, provider.server(protocol)) for provider in takes_any_domain()]
    hosts = ", ".join(f"{name} {server.host}" for name, server in known if server is not None)
    return f"{lead} Ask whoever runs its mail; if that is a provider, use the provider's server: {hosts}."


def _said(probe: Probe) -> str:
    return f"{probe.message} {probe.hint}".strip()
