"""What DNS says of many names, each asked once, many at a time, within a bounded time (dnspython, the extra ``discover``).

It asks the resolver of this machine, or the one that the process has set as dnspython's own
(``dns.asyncresolver.default_resolver``). What is not answered in time, or by a server in trouble, is not known: that
is not a no.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

__all__ = ["Answer", "Kind", "Question", "ask_all", "resolver"]

Kind = Literal["MX", "SRV", "A", "AAAA"]

_AT_A_TIME: Final = 50  # as many as the resolver of a home network keeps up with
_ONE: Final = 5.0  # seconds for one question, with all its tries
_TICK: Final = 0.1  # seconds: how soon a cancel, or an interrupt, is noticed


class Question(NamedTuple):
    """Records of one kind, of one name in its ASCII form."""

    name: str
    kind: Kind


class Answer(NamedTuple):
    """``records`` are (preference, exchange) of an MX, (priority, weight, port, target) of an SRV, (address,) of an A or AAAA.

    They are in the order in which they are to be tried, names without the last dot. ``why`` tells why there is none:
    ``no-domain``, ``no-record``, or ``not-told``, where nobody knows; empty where there are some.
    """

    records: tuple[tuple[Any, ...], ...] = ()
    why: str = ""


NOT_TOLD: Final = Answer(why="not-told")


def resolver() -> Resolver | None:
    """Whom to ask; None where dnspython is not installed, or the machine names no server."""
    try:
        import dns.asyncresolver  # noqa: PLC0415  # an extra
        import dns.resolver  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "dns":
            raise
        return None
    try:
        # Not kept: a laptop changes its network while a kernel runs.
        own: Resolver | None = dns.asyncresolver.default_resolver
        return own or dns.asyncresolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError):
        return None


def ask_all(
    questions: Iterable[Question],
    *,
    by: Resolver,
    deadline: float,
    cancel: threading.Event | None = None,
    then: Callable[[Question, Answer], Sequence[Question]] | None = None,
) -> dict[Question, Answer]:
    """The answers that came within ``deadline`` seconds, or until ``cancel`` is set; of the others there is none.

    ``then`` is called with each answer, in another thread, and gives what is to be asked in consequence.
    """
    asking = _Asking(by, dict.fromkeys(questions), then or _nothing_more)
    thread = threading.Thread(target=asking.run, args=(deadline,), name="mailconn-dns", daemon=True)
    thread.start()
    try:
        while thread.is_alive() and not (cancel is not None and cancel.is_set()):
            thread.join(_TICK)
    finally:
        # Also when the person interrupts.
        asking.stop()
    if asking.error is not None:
        raise asking.error
    return dict(asking.answers)


def _nothing_more(_question: Question, _answer: Answer) -> Sequence[Question]:
    return ()


class _Asking:
    """The questions, and a loop of its own for them: that of a notebook's kernel is in use."""

    def __init__(
        self, by: Resolver, questions: dict[Question, None], then: Callable[[Question, Answer], Sequence[Question]]
    ) -> None:
        self._by = by
        self._known = questions
        self._left = list(reversed(questions))
        self._then = then
        self._loop = asyncio.new_event_loop()
        self._work: asyncio.Task[None] | None = None
        self._stopped = False
        self.answers: dict[Question, Answer] = {}
        self.error: Exception | None = None

    def run(self, deadline: float) -> None:
        try:
            self._loop.run_until_complete(self._all(deadline))
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001  # raised where somebody can see it
            self.error = error
        finally:
            self._loop.close()

    def stop(self) -> None:
        """End it at once, whatever is under way."""
        self._stopped = True
        work = self._work
        if work is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(work.cancel)
            except RuntimeError:  # it has ended meanwhile
                return

    async def _all(self, deadline: float) -> None:
        self._work = asyncio.current_task()
        workers = {asyncio.ensure_future(self._worker()) for _ in range(min(_AT_A_TIME, len(self._left) or 1))}
        try:
            done, _ = await asyncio.wait(workers, timeout=deadline, return_when=asyncio.FIRST_EXCEPTION)
            for each in done:
                each.result()
        finally:
            self._stopped = True
            left = workers
            while left:
                # Again, as a wait with a time limit may miss being cancelled (before Python 3.12).
                for each in left:
                    each.cancel()
                _, left = await asyncio.wait(left, timeout=_TICK)
            # What a link has to do when it is closed, it does in the loop's next round.
            await asyncio.sleep(0)

    async def _worker(self) -> None:
        while self._left and not self._stopped:
            question = self._left.pop()
            self.answers[question] = answer = await _ask(self._by, question)
            for more in self._then(question, answer):
                if more not in self._known:
                    self._known[more] = None
                    self._left.append(more)


async def _ask(by: Resolver, question: Question) -> Answer:
    import dns.exception  # noqa: PLC0415  # an extra
    import dns.resolver  # noqa: PLC0415

    try:
        # With the dot, so that no domain of this machine is put behind it.
        found = await by.resolve(f"{question.name}.", question.kind, lifetime=_ONE, search=False)
    except dns.resolver.NXDOMAIN:
        return Answer(why="no-domain")
    except dns.resolver.NoAnswer:
        return Answer(why="no-record")
    except (dns.exception.DNSException, OSError, ValueError):
        return NOT_TOLD
    records = [_read(question.kind, record) for record in found]
    return Answer(tuple(sorted(records, key=_in_turn)))


def _read(kind: Kind, record: Any) -> tuple[Any, ...]:
    if kind == "MX":
        return record.preference, _name(record.exchange)
    if kind == "SRV":
        return record.priority, record.weight, record.port, _name(record.target)
    return (record.address,)


def _name(name: Any) -> str:
    """In lower case; empty for the root, which stands for no host at all (RFC 7505, RFC 2782)."""
    return str(name.to_text(omit_final_dot=True)).lower().removesuffix(".")


def _in_turn(record: tuple[Any, ...]) -> tuple[Any, ...]:
    # RFC 2782: of the same priority, more weight is better; not by chance, so that who asks twice is told the same.
    return (record[0], -record[1], *record[2:]) if len(record) == 4 else record
