"""From a mail address to the server's settings: what is known of the provider, or what is found by trying.

Of the address only the domain leaves this machine. With dnspython (the extra ``discover``) its DNS is asked first: an MX
record tells whether a provider that is known keeps its mail, SRV records (RFC 6186, RFC 8314) which servers it has. Those,
and the usual hosts of the domain at the usual ports, are tried, always with TLS and a verified certificate, on the way of
every session but stopping before the login.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from typing import Any, Final

from ..connection import MailConnection
from ..connection.declarations import SENDING
from ..connection.mechanisms import named
from ..errors import OptionError
from ..keywords import public
from ..message.addresses import envelope_address
from ..session.connect import session_class
from .dns_hints import NO_HINTS, DomainHints, hints_of
from .probe import Probe, best, probe_all
from .proposal import Settings, said_by
from .providers import GRAPH, Provider, Server, meant_by, provider_of, takes_any_domain

__all__ = ["discover"]

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
    "Only a test of the connection tells whether the mail of {domain} is at Microsoft 365. It takes an OAuth 2.0 "
    "token: give the id of an app as oauth_client_id, and sign in with %mailconn signin."
)


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

    A large provider's are known, also for domains of its customers, whose MX record names it. For every other domain the
    servers that its SRV records name, and the usual hosts, are tried, for at most ``deadline`` seconds; setting ``cancel``
    ends that at once, and ``listener`` is called, in the calling thread, with each
    :class:`~mailconn_jupyter.discovery.probe.Probe`. Only a server whose certificate is good is proposed; one with an
    unknown authority is in ``found``, with its pin. ``via`` lends its proxy, which then looks up the names, so that DNS is
    not asked for records, and its authority file; a proxy's password is not asked for here.

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
        return _published(mailbox, wanted.protocol, provider, lent)
    hints = NO_HINTS
    if not _by_proxy(via):
        hints = hints_of(domain, wanted.protocol, deadline=wanted.deadline, cancel=cancel)
    if hints.provider is not None:
        note = f"{hints.exchange} takes the mail of {domain}, as its MX record says."
        return _published(mailbox, wanted.protocol, hints.provider, lent, note)
    near = meant_by(domain)
    meant = f"{local_part}@{near}" if near else ""
    if wanted.protocol == "GRAPH":
        # One server for all: whose mail is there, nobody tells without a login.
        options = _options(mailbox, "GRAPH", GRAPH, issuer="microsoft")
        return Settings(mailbox, options | lent, "Microsoft", _ONLY_THE_TEST.format(domain=domain), meant=meant)
    if not hints.exists:
        return Settings(mailbox, {}, note=f"There is no domain {domain}.", meant=meant)
    return _search(
        mailbox, domain, wanted, lent=lent, via=via, hints=hints, meant=meant, cancel=cancel, listener=listener
    )


def _published(mailbox: str, protocol: str, provider: Provider, lent: dict[str, Any], first: str = "") -> Settings:
    """What the provider publishes; ``first`` says why it is this one."""
    server = provider.server(protocol)
    if server is None:
        note = f"{first} No {protocol} server of {provider.name} is known.".lstrip()
        return Settings(mailbox, {}, provider.name, note)
    options = _options(mailbox, protocol, server, issuer=provider.issuer)
    by_graph = protocol == "SMTP" and provider.server("GRAPH") is not None
    notes = [first, provider.note, _BY_GRAPH.format(address=mailbox) if by_graph else ""]
    return Settings(mailbox, options | lent, provider.name, " ".join(filter(None, notes)))


def _by_proxy(via: MailConnection | None) -> bool:
    """Whether a proxy looks up names: what it is for may be that this machine must not, or cannot."""
    return via is not None and (via.use_proxy or via.use_environment_proxy)


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
    *,
    lent: dict[str, Any],
    via: MailConnection | None,
    hints: DomainHints,
    meant: str,
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
    usual = [
        Server(host, port, security)
        for security, port in _PORTS[wanted.protocol]
        for prefix in _HOSTS[wanted.protocol]
        if len(host := f"{prefix}{domain}") <= _LONGEST_HOST
    ]
    candidates = [
        MailConnection(
            **shared, server_host=server.host, server_port=server.port, secure_authentication_type=server.security
        )
        for server in dict.fromkeys((*hints.servers, *usual))
    ]
    for candidate in candidates:
        candidate.shared, candidate.hides = (via.shared, via.hides) if via is not None else (False, None)
    session_class(candidates[0])  # a protocol without sessions is an error here, and not in each thread
    found = tuple(probe_all(candidates, deadline=wanted.deadline, cancel=cancel, listener=listener))
    chosen = best(dict(enumerate(found)))
    if chosen is None:
        return Settings(mailbox, {}, note=_nothing(domain, wanted.protocol, found), found=found, meant=meant)
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
    if server in hints.servers and not f".{server.host}".endswith(f".{domain}"):
        # RFC 6186, 6: what DNS says is not signed, so a person is to decide.
        note = f"The DNS of {domain} names {server.host}: keep it only if that host handles the domain's mail. {note}"
    return Settings(mailbox, options | lent, note=note, found=found, meant=meant)


def _nothing(domain: str, protocol: str, found: tuple[Probe, ...]) -> str:
    """What to do where nothing can be proposed."""
    if any(probe.cause == "cancelled" for probe in found):
        return "The search was cancelled."
    lead = f"No {protocol} server of {domain} was found that could prove its identity."
    for probe in found:
        if probe.pin or probe.hint:
            return f"{lead} {probe.host} port {probe.port} answers: {said_by(probe)}"
    known = [(provider.name, provider.server(protocol)) for provider in takes_any_domain()]
    hosts = ", ".join(f"{name} {server.host}" for name, server in known if server is not None)
    return f"{lead} Ask whoever runs its mail; if that is a provider, use the provider's server: {hosts}."
