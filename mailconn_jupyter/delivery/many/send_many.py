"""``send_many()``: thousands of messages over a few connections, and what became of each for each recipient."""

from __future__ import annotations

import contextlib
import itertools
import smtplib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage, Message
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeVar

from ...connection import MailConnection
from ...discovery.sending_limits import SendingLimits, limits_of
from ...errors import MailConnError, MessageError, OptionError, warn
from ...formatting import how_long, shown
from ...keywords import public
from ...scalars import count_of
from ...session.connect import protocol_of
from ...session.smtp.session import SMTPSession
from ...store import connections as stored
from ..kept_sessions import lent
from ..sealed import Seal
from ..send import require_sending, sender_of
from .advance import Advance, Progress
from .batch import Batch
from .entry import Entry
from .journal import Journal, JournalError, journal_path, using
from .many_report import Delivery, DeliveryReport
from .numbered import Numbered
from .preparation import Preparation
from .rate import Pace, Rate
from .spool import Spool

__all__ = ["send_many"]

T = TypeVar("T")

_AGAIN: Final = ("unknown", "refused")
# Each has a thread, and no server takes so many of one client.
_MOST_CONNECTIONS: Final = 100
# So many, and as many that wait, are in memory at once.
_MOST_WINDOW: Final = 1000


@public
def send_many(
    target: str | MailConnection | SMTPSession | None,
    messages: Iterable[EmailMessage | tuple[object, EmailMessage]],
    *,
    connections: int = 3,
    window: int = 1,
    rate: str | None = None,
    journal: str | PathLike[str] | None = None,
    again: str | Iterable[str] = (),
    sign: bool = False,
    encrypt: bool = False,
    on_progress: bool | Callable[[Progress], Any] | None = None,
    stop_after: int | None = None,
) -> DeliveryReport:
    """Send many messages, and return what became of each of them for each recipient.

    ``target`` is the name of a connection, a connection, an open session (which stays open, and is the only one), or None
    for the default. ``messages`` are those of :func:`~mailconn_jupyter.message.compose.compose`, in a list or from a
    generator: they are taken one by one, and memory stays flat. They are sent over up to so many ``connections`` at a time
    (at most 100); ``window`` is how many may be on their way over one of them (more than 1 where the server offers CHUNKING,
    at most 1000): when a link breaks, of so many it is unknown whether they arrived.

    ``rate`` is the most messages in a time (``"30/min"``, ``"1000/hour"``), evenly spread. A provider's own limits are
    kept where they are known (Microsoft 365: 3 connections, 30 messages a minute). What the server refuses for the moment
    (a 4xx) is tried again after 10 seconds, 1 minute and 5 minutes while the others go on, and what was not sent when a
    link broke, at once; nobody who was accepted, refused for good (a 5xx), or perhaps has it, is sent it again.

    ``journal`` is a name (a file in the Jupyter data directory) or a path: what became of each message is written there, so
    that the same call after a crash goes on where it ended. Then ``messages`` are pairs of a key and a message, or those of
    ``merge(..., key=...)``; a message is known by its key, from which its Message-ID is made. Who was accepted is skipped,
    who was refused for good is reported, and so is who may have it (unknown), unless ``again="unknown"`` (or
    ``"refused"``).

    ``sign`` and ``encrypt`` are as for :func:`~mailconn_jupyter.delivery.send.send`.

    ``on_progress`` is called once a second with a :class:`~mailconn_jupyter.delivery.many.advance.Progress`; None shows
    it here, False nothing. ``stop_after`` ends the batch after so many messages that were not accepted for everybody;
    an interrupt ends it, too: what is on its way is waited for, and at a second interrupt is cut off.

    The report is returned whatever the outcomes. Raises what :func:`~mailconn_jupyter.session.connect.connect` raises where
    no session can be opened at all, :class:`~mailconn_jupyter.delivery.many.journal.JournalError`, and whatever
    ``messages`` raise; each has the ``report`` of what was sent before that.
    """
    if isinstance(messages, str | bytes | Mapping | Message) or not hasattr(type(messages), "__iter__"):
        raise MessageError(
            f"send_many() sends several messages, not {type(messages).__name__}.",
            hint="Give them in a list, or from a generator; one alone: [message].",
        )
    connection, session = _target(target)
    limits = limits_of(str(connection.resolved().server_host)) if connection is not None else SendingLimits("")
    given = None if rate is None else Rate.of(rate)
    taken = [again] if isinstance(again, str) or not isinstance(again, Iterable) else list(again)
    if any(word not in _AGAIN for word in taken) or (taken and journal is None):
        raise OptionError(
            f"Not to be sent again: again={shown(again)}.",
            trait="again",
            hint='"unknown" or "refused", of what a journal has: with journal="NAME".',
        )
    mailing = _Mailing(
        target=target,
        connection=connection,
        session=session,
        connections=_count("connections", connections, _MOST_CONNECTIONS),
        window=_count("window", window, _MOST_WINDOW),
        limits=limits,
        rate=given or (Rate(limits.a_minute, "minute") if limits.a_minute else None),
        # The file itself: another folder may be current when the rest is sent.
        journal=None if journal is None else journal_path(journal),
        again=frozenset(taken),
        on_progress=on_progress,
        stop_after=None if stop_after is None else _count("stop_after", stop_after),
        spool=Spool(),
        seal=Seal(connection, sign=sign, encrypt=encrypt),
    )
    return mailing.send((), Numbered(messages))


def _target(target: Any) -> tuple[MailConnection | None, SMTPSession | None]:
    if isinstance(target, SMTPSession):
        return target.connection, target
    if isinstance(target, smtplib.SMTP) or protocol_of(target):
        raise OptionError(
            f"send_many() cannot send over {'an smtplib.SMTP' if isinstance(target, smtplib.SMTP) else protocol_of(target)}.",
            hint="Name an SMTP connection, or open one: mailconn.connect_smtp(name)",
        )
    connection = stored.pick(target, sends=True)
    require_sending(connection)
    if connection.protocol != "SMTP":
        raise OptionError(
            f"{connection.name}: send_many() sends over SMTP alone, not over {connection.protocol}.",
            trait="protocol",
            hint="Send its messages one by one: mailconn.send(...)",
        )
    return connection, None


def _count(name: str, value: Any, most: int | None = None) -> int:
    number = count_of(value)
    if not number or (most is not None and number > most):
        bounds = "1 or more" if most is None else f"from 1 to {most}"
        raise OptionError(f"{name} is a whole number, {bounds}, not {shown(value)}.", trait=name)
    return number


@dataclass(frozen=True, kw_only=True)
class _Mailing:
    """What was asked for; a batch that is to be sent again is sent by the same."""

    target: object
    connection: MailConnection | None
    session: SMTPSession | None
    connections: int
    window: int
    limits: SendingLimits
    rate: Rate | None
    journal: Path | None
    again: frozenset[str]
    on_progress: bool | Callable[[Progress], Any] | None
    stop_after: int | None
    spool: Spool
    seal: Seal

    def send(self, kept: Iterable[Entry], messages: Numbered) -> DeliveryReport:
        """Send what was kept of an earlier batch, and then the messages."""
        started, kept = time.monotonic(), list(kept)
        total = None if messages.left is None else len(kept) + messages.left
        self._announce(total)
        batch: Batch | None = None
        failure: Exception | None = None
        rest: list[Delivery] = []
        try:
            with contextlib.ExitStack() as stack:
                preparation = self._preparation(None)
                try:
                    journal = None if self.journal is None else stack.enter_context(using(self.journal))
                    preparation = self._preparation(journal)
                    session = stack.enter_context(self._session())
                except MailConnError as error:
                    _give(error, DeliveryReport(preparation.unsent(messages.rest(set())), stopped=error.message))
                    raise
                batch = Batch(
                    session,
                    None if self.session is not None else self.connection,
                    connections=self._number_of_connections(total),
                    window=self.window,
                    pace=None if self.rate is None else Pace(self.rate),
                    stop_after=self.stop_after,
                    advance=Advance(self.on_progress, total, self.rate),
                    spool=self.spool,
                    journal=journal,
                )
                try:
                    failure = _run(
                        batch, itertools.chain(kept, preparation.entries(messages, session.serialised, batch.report))
                    )
                finally:
                    rest = _undisturbed(lambda: _rest(batch, preparation, messages))
        except KeyboardInterrupt:
            # Before anything was sent, or when all was told and the sessions were being closed.
            if batch is None:
                raise
            batch.call_off("It was interrupted.")
        return _undisturbed(lambda: self._reported(batch, rest, messages, time.monotonic() - started, failure))

    def _preparation(self, journal: Journal | None) -> Preparation:
        return Preparation(sender=sender_of(self.connection), journal=journal, again=self.again, seal=self.seal)

    def _reported(
        self, batch: Batch, rest: list[Delivery], messages: Numbered, seconds: float, failure: Exception | None
    ) -> DeliveryReport:
        def again() -> DeliveryReport:
            messages.take_up(_told(batch))
            return self.send(batch.kept, messages)

        more = batch.kept or (batch.stopped and failure is None)
        report = DeliveryReport(
            [*batch.deliveries, *rest], seconds=seconds, stopped=batch.stopped, retry=again if more else None
        )
        if (failure := failure or batch.error) is not None:
            _give(failure, report)
            raise failure
        return report

    def _session(self) -> contextlib.AbstractContextManager[SMTPSession]:
        if self.session is not None:
            return contextlib.nullcontext(self.session)
        assert self.connection is not None
        return lent(self.connection, keep=not isinstance(self.target, MailConnection))

    def _number_of_connections(self, total: int | None) -> int:
        most = [self.connections, self.limits.connections or self.connections, total or self.connections]
        if self.rate is not None:
            # One connection takes a message in less than a second.
            most.append(max(1, int(1 / self.rate.interval)))
        return min(most)

    def _announce(self, total: int | None) -> None:
        """Say what it will take, before it begins."""
        provider, a_day = self.limits.provider, self.limits.recipients_a_day
        if a_day and (total or 0) > a_day:
            warn(
                f"{provider} takes mail to {a_day:,} recipients a day from one mailbox, and these are {total:,} messages: "
                "what is too much will be refused. With a journal you can go on with it the next day."
            )
        here = self.on_progress is None or self.on_progress is True
        if not here or self.rate is None or total is None or total < 2:
            return
        whose = "" if self.rate.count != self.limits.a_minute else f", which is what {provider} takes"
        seconds = how_long((total - 1) * self.rate.interval)
        print(f"{total:,} messages at {self.rate}{whose}: about {seconds}.", flush=True)  # noqa: T201  # a person waits


def _run(batch: Batch, entries: Iterable[Entry]) -> Exception | None:
    """Run it to its end; returns what the messages, or the caller's own progress, have raised."""
    try:
        batch.run(entries)
        batch.advance.tell()
    except Exception as error:
        if batch.backlog.forked:
            raise
        return error
    finally:
        batch.advance.finish()
    return None


def _rest(batch: Batch, preparation: Preparation, messages: Numbered) -> list[Delivery]:
    """The rows of those that the batch did not come to, once nothing is on its way and all else is on the disk."""
    batch.finish()
    batch.idle()
    # Where the journal cannot even be read, it is not known which of them an earlier batch has sent.
    with contextlib.suppress(JournalError):
        return list(preparation.unsent(messages.rest(_told(batch))))
    return []


def _told(batch: Batch) -> set[int]:
    return {row.index for row in batch.deliveries}


def _undisturbed(action: Callable[[], T]) -> T:
    """Its result, whatever interrupts come: they have done already what they can, and it does not take long."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return action()


def _give(error: Exception, report: DeliveryReport) -> None:
    """Let an error have the report of what was sent before it."""
    with contextlib.suppress(AttributeError, TypeError):
        error.report = report  # type: ignore[attr-defined]  # an error of any class
    if not isinstance(error, MailConnError):
        error.add_note(f"send_many(), before that: {report.summary} It is the error's .report.")
