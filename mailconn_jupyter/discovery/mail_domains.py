"""Whether a domain takes mail at all, as its DNS says (RFC 5321, 5.1; RFC 7505). No mail server is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .dns_answers import NOT_TOLD, Answer, Question, ask_all

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

__all__ = ["MailDomain", "mail_domains"]


class MailDomain(NamedTuple):
    """``takes_mail`` is None where it cannot be told, ``why`` a sentence where it is not True.

    ``exchanges`` are the hosts that take it, the preferred first; the domain itself, where it names none (implicit MX).
    """

    takes_mail: bool | None
    why: str = ""
    exchanges: tuple[str, ...] = ()


def mail_domains(
    names: Iterable[str],
    *,
    by: Resolver,
    deadline: float,
    cancel: threading.Event | None = None,
    on_known: Callable[[str], object] = lambda _: None,
) -> dict[str, MailDomain]:
    """What DNS says of each name (in its ASCII form); ``on_known`` is called, in another thread, with each that is known."""
    wanted = list(dict.fromkeys(names))

    def then(question: Question, answer: Answer) -> Sequence[Question]:
        if question.kind == "MX" and answer.why == "no-record":
            return Question(question.name, "A"), Question(question.name, "AAAA")
        if question.kind != "A":
            on_known(question.name)
        return ()

    questions = [Question(name, "MX") for name in wanted]
    answers = ask_all(questions, by=by, deadline=deadline, cancel=cancel, then=then)
    return {name: _judged(name, answers) for name in wanted}


def _judged(name: str, answers: dict[Question, Answer]) -> MailDomain:
    mail = answers.get(Question(name, "MX"), NOT_TOLD)
    if mail.why == "no-domain":
        return MailDomain(False, f"There is no domain {name}.")
    if mail.records:
        exchanges = tuple(exchange for _, exchange in mail.records if exchange)
        if not exchanges:
            return MailDomain(False, f"The domain {name} says that it takes no mail (RFC 7505).")
        return MailDomain(True, exchanges=exchanges)
    if mail.why == "no-record":
        addresses = [answers.get(Question(name, "A"), NOT_TOLD), answers.get(Question(name, "AAAA"), NOT_TOLD)]
        if any(address.records for address in addresses):
            return MailDomain(True, exchanges=(name,))
        if all(address.why != "not-told" for address in addresses):
            return MailDomain(False, f"The domain {name} has no mail server: neither an MX record nor an address.")
    return MailDomain(None, f"Unknown: DNS gave no answer about {name}.")
