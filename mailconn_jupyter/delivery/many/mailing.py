"""A batch from its options to its report: what is opened for it, what it says beforehand, and what is left when it ends."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from ...connection import MailConnection
from ...discovery.sending_limits import SendingLimits
from ...errors import MailConnError
from ...session.smtp.session import SMTPSession
from ..filing.many_copies import ManyCopies
from ..filing.sent_copy import copy_target
from ..journals.journal_base import BaseJournal, JournalError
from ..kept_sessions import lent_session
from ..returns import Returns
from ..sealed import Seal
from ..send import sender_of
from ..sent_log.noting import Noting
from .advance import Advance, Progress
from .batch import Batch
from .entry import Entry
from .many_report import Delivery, DeliveryReport
from .numbered import Numbered
from .plan import Plan
from .preparation import Preparation
from .rate import Pace, Rate
from .spool import Spool

__all__ = ["Mailing"]

T = TypeVar("T")

# Several batches wait for each other at one journal: there a transaction has more of them.
_MOST_AHEAD: Final = 64
_NO_LIMITS: Final = SendingLimits("")


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """What was asked for; a batch that is to be sent again is sent by the same."""

    connection: MailConnection | None
    session: SMTPSession | None = None
    #: Whether the first session may be one that waits for its next message, and waits on afterwards.
    keep: bool = False
    #: Whether somebody may be asked for a password.
    ask: bool = True
    connections: int = 3
    window: int = 1
    limits: SendingLimits = _NO_LIMITS
    rate: Rate | None = None
    journal: Callable[[], contextlib.AbstractContextManager[BaseJournal]] | None = None
    #: Whether others use the journal meanwhile; then the rate is that of all.
    shared: bool = False
    on_progress: bool | Callable[[Progress], Any] | None = False
    stop_after: int | None = None
    seal: Seal | None = None
    returns: Returns | None = None
    spool: Spool = field(default_factory=Spool)

    def send(self, kept: Iterable[Entry], messages: Numbered) -> DeliveryReport:
        """Send what was kept of an earlier batch, and then the messages."""
        started, kept = time.monotonic(), list(kept)
        total = None if messages.left is None else len(kept) + messages.left
        self._announce(total)
        copy_to = copy_target(self.connection)
        copies = ManyCopies(copy_to, self.spool) if copy_to else None
        batch: Batch | None = None
        failure: Exception | None = None
        rest: list[Delivery] = []
        try:
            with contextlib.ExitStack() as stack:
                preparation = self._preparation(None, copied=False)
                try:
                    journal = None if self.journal is None else stack.enter_context(self.journal())
                    preparation = self._preparation(journal, copied=copies is not None)
                    messages.foretold = bool if journal is None else journal.look_up
                    session = stack.enter_context(self._session())
                except MailConnError as error:
                    _give(error, DeliveryReport(preparation.unsent(messages.rest(set())), stopped=error.message))
                    raise
                batch = Batch(
                    session,
                    None if self.session is not None else self.connection,
                    connections=self._number_of_connections(total),
                    window=self.window,
                    pace=self._pace(journal),
                    stop_after=self.stop_after,
                    advance=Advance(self.on_progress, total, self.rate),
                    spool=self.spool,
                    journal=journal,
                    ahead=_MOST_AHEAD if self.shared else 0,
                    noting=Noting(self.connection),
                    copies=copies,
                )
                try:
                    failure = _run(
                        batch, itertools.chain(kept, preparation.entries(messages, session.serialised, batch.report))
                    )
                finally:
                    rest = _undisturbed(lambda: _rest(batch, preparation, messages))
                    if copies is not None and not batch.backlog.forked:
                        copies.finish()
        except KeyboardInterrupt:
            # Before anything was sent, or when all was told and the sessions were being closed.
            if batch is None:
                raise
            batch.call_off("It was interrupted.")
        return _undisturbed(lambda: self._reported(batch, rest, messages, time.monotonic() - started, failure))

    def _preparation(self, journal: BaseJournal | None, *, copied: bool) -> Preparation:
        sender = sender_of(self.connection)
        return Preparation(sender=sender, journal=journal, seal=self.seal, returns=self.returns, copied=copied)

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
        return lent_session(self.connection, keep=self.keep, ask=self.ask)

    def _pace(self, journal: BaseJournal | None) -> Pace | None:
        if self.rate is None:
            return None
        return Pace(self.rate, journal.turns if self.shared and journal is not None else None)

    def _number_of_connections(self, total: int | None) -> int:
        most = [self.connections, self.limits.connections or self.connections, total or self.connections]
        if self.rate is not None:
            # One connection takes a message in less than a second.
            most.append(max(1, int(1 / self.rate.interval)))
        return min(most)

    def _announce(self, total: int | None) -> None:
        """Say what it will take, before it begins."""
        plan = Plan(total, self.rate, self.limits)
        plan.warn()
        here = self.on_progress is None or self.on_progress is True
        if here and plan.seconds:
            print(plan, flush=True)  # noqa: T201  # a person waits


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
