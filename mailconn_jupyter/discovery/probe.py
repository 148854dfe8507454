"""Trying servers side by side: each is opened as ever, as far as that goes without a login.

Nothing of a person travels: no user, no password, no message. The server hears the greeting, the request for TLS and
the farewell.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..connection import MailConnection
from ..connection.trusted_hosts import pin_for
from ..errors import MailConnError, OpenError
from ..session.connect import session_class
from ..session.opening.adapter import Adapter
from ..session.opening.over_network import Opening
from ..transport.sasl.choose import Mechanism
from .providers import providers_shown

__all__ = ["Probe", "best", "probe_all"]

_GRACE = 1.0  # seconds in which the others may still answer once the best answer is certain
_TICK = 0.1  # how soon a cancel is noticed, in seconds


@dataclass(frozen=True)
class Probe:
    """What one server at one port said. ``ok``: it answers, over TLS, with a certificate that proves its name.

    Otherwise ``cause`` is a word of :mod:`~mailconn_jupyter.session.opening.hints`, or ``not-awaited``; ``pin`` is what in
    ``trusted_hosts`` would accept a certificate whose authority is not known: a decision for a person. ``mechanisms`` are
    the logins that it offers.
    """

    host: str
    port: int
    security: str
    ok: bool
    message: str
    cause: str = ""
    hint: str = ""
    pin: str = ""
    mechanisms: tuple[str, ...] = ()
    takes_login: bool = False
    milliseconds: float = 0.0


def best(known: Mapping[int, Probe]) -> int | None:
    """The rank of the best answer: the first that is good; one that takes no login only where no other is good."""
    good = sorted((not probe.takes_login, rank) for rank, probe in known.items() if probe.ok)
    return good[0][1] if good else None


def probe_all(
    candidates: Sequence[MailConnection],
    *,
    deadline: float,
    cancel: threading.Event | None = None,
    listener: Callable[[Probe], None] | None = None,
) -> list[Probe]:
    """Try all candidates, the preferred first, at the same time; the answers come in the same order.

    It ends when all have answered, soon after the best answer is certain, at the ``deadline`` (seconds), or when
    ``cancel`` is set. ``listener`` is called, in the calling thread, once for each.
    """
    known: dict[int, Probe] = {}
    answers: queue.SimpleQueue[tuple[int, Probe | BaseException]] = queue.SimpleQueue()
    stop = threading.Event()
    why = "no-answer", f"There was no answer within {deadline:.3g} seconds."
    end = time.monotonic() + deadline
    for rank, candidate in enumerate(candidates):
        threading.Thread(
            target=_work, args=(rank, candidate, stop, answers), name="mailconn-probe", daemon=True
        ).start()
    try:
        while len(known) < len(candidates) and (left := end - time.monotonic()) > 0:
            if cancel is not None and cancel.is_set():
                why = "cancelled", "It was cancelled."
                break
            with suppress(queue.Empty):
                rank, answer = answers.get(timeout=min(left, _TICK))
                if isinstance(answer, BaseException):
                    raise answer
                known[rank] = answer
                if listener is not None:
                    listener(answer)
                if why[0] == "no-answer" and _is_certain(known):
                    why = "not-awaited", "Nobody waited for it any longer: a better server had answered."
                    end = min(end, time.monotonic() + _GRACE)
    finally:
        # Also when the person interrupts: what is still under way ends within a tick.
        stop.set()
    for rank, candidate in enumerate(candidates):
        if rank not in known:
            known[rank] = Probe(**_place(candidate), ok=False, cause=why[0], message=why[1])
            if listener is not None:
                listener(known[rank])
    return [known[rank] for rank in range(len(candidates))]


def _is_certain(known: Mapping[int, Probe]) -> bool:
    """Whether no answer that is still to come could be better."""
    chosen = best(known)
    return chosen is not None and known[chosen].takes_login and all(rank in known for rank in range(chosen))


def _work(
    rank: int,
    candidate: MailConnection,
    stop: threading.Event,
    answers: queue.SimpleQueue[tuple[int, Probe | BaseException]],
) -> None:
    try:
        for answer in _probe(candidate, stop):
            answers.put((rank, answer))
    except Exception as error:  # noqa: BLE001  # raised where somebody can see it
        answers.put((rank, error))


def _probe(candidate: MailConnection, stop: threading.Event) -> Iterator[Probe]:
    """Give the answer, and say farewell afterwards: nobody waits for that."""
    opening = Opening(candidate, cancel=stop, ask=False)
    session = session_class(candidate)()
    try:
        opening.run(_UpToLogin(session.adapter))
    except MailConnError as error:
        yield _failed(candidate, opening, error)
        return
    mechanisms = tuple(session.adapter.mechanisms())
    # Of the others' logins some have no SASL name; and a mailbox without a login does not exist.
    takes_login = bool(mechanisms) or candidate.protocol != "SMTP"
    said = opening.stages["secure"].facts.get("TLS", "").partition(",")[0]
    yield Probe(
        **_place(candidate),
        ok=True,
        message=f"Answers over {said}{'' if takes_login else ', and offers no login'}.",
        mechanisms=mechanisms,
        takes_login=takes_login,
        milliseconds=_elapsed(opening),
    )
    with suppress(MailConnError, OSError):
        session.quit()


def _failed(candidate: MailConnection, opening: Opening, error: MailConnError) -> Probe:
    cause = error.cause if isinstance(error, OpenError) else ""
    stage = error.stage if isinstance(error, OpenError) else ""
    pin, hint = "", ""
    certificate = opening.certificate
    if certificate is not None and cause == "unknown-authority":
        pin, hint = pin_for(str(candidate.server_host), certificate.sha256), error.hint
    elif certificate is not None and cause == "name-mismatch":
        shown = next(providers_shown(certificate, candidate.protocol), None)
        # Whoever sits in between could show any good certificate: it is told, and not followed.
        hint = f"It seems to be a server of {shown[0].name}, called {shown[1].host}." if shown else error.hint
    return Probe(
        **_place(candidate),
        ok=False,
        message=error.message.removeprefix(f"{candidate.name}: {stage} failed. "),
        cause=cause,
        hint=hint,
        pin=pin,
        milliseconds=_elapsed(opening),
    )


def _place(candidate: MailConnection) -> dict[str, Any]:
    return {"host": candidate.server_host, "port": candidate.port, "security": candidate.security}


def _elapsed(opening: Opening) -> float:
    return sum(stage.milliseconds for stage in opening.stages.values())


class _UpToLogin:
    """An adapter whose opening asks for nothing after the greeting, not even whether the session is ready."""

    def __init__(self, adapter: Adapter) -> None:
        self.protocol = adapter.protocol
        self.attach, self.ask_for_tls, self.greet = adapter.attach, adapter.ask_for_tls, adapter.greet
        self.mechanisms, self.failure, self.close = adapter.mechanisms, adapter.failure, adapter.close

    def log_in(self, mechanism: Mechanism) -> None:
        raise AssertionError("a probe never logs in")

    def ready(self, *, testing: bool) -> dict[str, str]:
        return {}
