"""What the DNS of a domain tells of its mail servers: who takes its mail (MX), and what it names itself (SRV)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Final, NamedTuple

from .dns_answers import NOT_TOLD, Answer, Question, ask_all, resolver
from .providers import Provider, Server, provider_by_exchange

__all__ = ["NO_HINTS", "DomainHints", "hints_of"]

# RFC 8314, 5.1 and RFC 6186, 3: the service, and how its servers are secured; TLS from the first byte is preferred.
_SERVICES: Final = {
    "SMTP": (("_submissions", "SSL"), ("_submission", "TLS")),
    "IMAP": (("_imaps", "SSL"), ("_imap", "TLS")),
    "POP3": (("_pop3s", "SSL"), ("_pop3", "TLS")),
}
# A domain that names another port would have this machine speak to whatever listens there.
_PORTS: Final = frozenset({25, 110, 143, 465, 587, 993, 995, 2525})
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
_MOST_SERVERS: Final = 4
_LONGEST: Final = 5.0  # seconds, and no more than a third of those for all


class DomainHints(NamedTuple):
    """``exchange`` is the host that takes the domain's mail, ``provider`` whose it is, where that is known.

    ``servers`` are those that the domain names, the preferred first; ``exists`` is False where there is no such domain.
    """

    provider: Provider | None = None
    exchange: str = ""
    servers: tuple[Server, ...] = ()
    exists: bool = True


NO_HINTS: Final = DomainHints()


def hints_of(domain: str, protocol: str, *, deadline: float, cancel: threading.Event | None = None) -> DomainHints:
    """What DNS tells for a domain (in its ASCII form); nothing where it cannot be asked, or does not answer in time."""
    by = resolver()
    if by is None:
        return NO_HINTS
    mail = Question(domain, "MX")
    services = {Question(f"{name}._tcp.{domain}", "SRV"): kind for name, kind in _SERVICES.get(protocol, ())}
    answers = ask_all([mail, *services], by=by, deadline=min(_LONGEST, deadline / 3), cancel=cancel)
    taken = answers.get(mail, NOT_TOLD)
    exchange = next((host for _, host in taken.records), "")
    return DomainHints(
        provider_by_exchange(exchange) if exchange else None,
        exchange,
        _named(services, answers),
        taken.why != "no-domain",
    )


def _named(services: Mapping[Question, str], answers: Mapping[Question, Answer]) -> tuple[Server, ...]:
    found = [
        Server(host, port, kind)
        for question, kind in services.items()
        for _, _, port, host in answers.get(question, NOT_TOLD).records[:_MOST_SERVERS]
        if port in _PORTS and _HOST.fullmatch(host)
    ]
    return tuple(dict.fromkeys(found))
