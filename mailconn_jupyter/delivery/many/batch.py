"""A batch under way: connections that take from one backlog, what becomes of each message, and what is tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from ...connection import MailConnection
from ...errors import MailConnError
from ...session.smtp.pipeline import Fate
from ...session.smtp.session import SMTPSession
from ..filing.many_copies import ManyCopies
from ..journals.journal_base import BaseJournal, Known
from ..sent_log.noting import Noting
from .advance import Advance
from .backlog import TICK, Backlog
from .claims import Claims
from .courier import Courier
from .entry import Entry
from .many_report import Delivery
from .preparation import row_before
from .rate import Pace
from .spool import Spool

__all__ = ["Batch"]

# Seconds before each further try of what was refused for the moment (a 4xx). Greylisting mostly wants five minutes.
_PAUSES: Final = (10.0, 60.0, 300.0)
# How often a message is sent again under which the link broke.
_MOST_LOSSES: Final = 3
_LONGEST_WORDS: Final = 300  # characters of what a server said


class Batch:
    """``first`` is the session that is open; further ones are opened as ``connection`` says, where there is one.

    ``deliveries`` are the rows of what is settled, ``kept`` the messages that may be sent again later, ``stopped`` why
    nothing more is sent, in words, and ``error`` what of it is an error.
    """

    def __init__(
        self,
        first: SMTPSession,
        connection: MailConnection | None,
        *,
        connections: int,
        window: int,
        pace: Pace | None,
        stop_after: int | None,
        advance: Advance,
        spool: Spool,
        journal: BaseJournal | None,
        ahead: int = 0,
        noting: Noting | None = None,
        copies: ManyCopies | None = None,
    ) -> None:
        self._copies = copies
        self.window, self.pace, self.advance, self.spool, self.journal = window, pace, advance, spool, journal
        self._noting = noting
        self.backlog = Backlog(2 * connections * window + 8)
        self._claims = None if journal is None else Claims(journal, self.backlog, most_ahead=ahead)
        self.deliveries: list[Delivery] = []
        self.kept: list[Entry] = []
        self.stopped = ""
        self.error: MailConnError | None = None
        self._stop_after, self._failures = stop_after, 0
        self._lock = threading.RLock()
        self._latest: Entry | None = None
        # In a thread of its own, where no interrupt comes.
        self._finisher = threading.Thread(target=self._leave_rest, name="mailconn-batch", daemon=True)
        self._finished = threading.Event()
        self.couriers = [Courier(self, first, connection)]
        if connection is not None:
            self.couriers += [Courier(self, None, connection) for _ in range(connections - 1)]

    # In the thread of whoever began it

    def run(self, entries: Iterable[Entry]) -> None:
        """Send them; returns when each has its outcome, or when it was called off. :meth:`finish` comes after it in any case."""
        try:
            for courier in self.couriers:
                courier.start()
            for self._latest in entries:
                if not self.backlog.put(self._latest, self.advance.tick):
                    break
                self.advance.tick()
            self.backlog.end()
            self._await_couriers(self.advance.tick)
        except KeyboardInterrupt:
            self.call_off("It was interrupted.")
        except BaseException:
            if not self.backlog.forked:
                self.call_off("The messages ended with an error.")
            raise

    def _await_couriers(self, tick: Callable[[], object]) -> None:
        for courier in self.couriers:
            # Not by join(): after an interrupt within it CPython takes a thread that runs for one that has ended (bpo-45274).
            while courier.ident is not None and not courier.ended.wait(TICK):
                if self.backlog.stop.is_set():
                    # Nobody waits for a session that is still being opened.
                    courier.call_off()
                tick()

    def finish(self) -> None:
        """Wait for what is on its way; whoever is interrupted once more does not wait for it. Again does no harm."""
        if self.backlog.forked:
            return
        while True:
            try:
                self.backlog.call_off()
                self._await_couriers(bool)
                try:
                    self._finisher.start()
                except RuntimeError:
                    # It was started before an interrupt; or none can be, at the end of the interpreter.
                    if self._finisher.ident is None:
                        self._leave_rest()
                self._finished.wait()
                break
            except KeyboardInterrupt:
                for courier in self.couriers:
                    courier.cut()

    def _leave_rest(self) -> None:
        try:
            unqueued = [self._latest] if self._latest is not None and not self._latest.queued else []
            for entry in (*self.backlog.rest(), *unqueued):
                if entry.claimed is not None:
                    self._note(entry, dict.fromkeys(entry.recipients, _NOT_SENT))
                self._leave(entry)
            if self._noting is not None:
                self._noting.flush()
        finally:
            self._finished.set()

    def call_off(self, why: str, error: MailConnError | None = None) -> None:
        """Send nothing more; the first reason counts."""
        with self._lock:
            if not self.stopped:
                self.stopped, self.error = why, error
        self.backlog.call_off()

    def report(self, rows: list[Delivery], whole: bool, new: bool) -> None:
        """What is settled before it is sent: of the whole message, or of some of its recipients; ``new``: in this batch."""
        with self._lock:
            self.deliveries += rows
            if whole:
                self._count(failed=any(row.outcome != "accepted" for row in rows), new=new)

    # In the threads of the connections

    def turn(self) -> bool:
        """Wait until the pace lets a message go; False where nothing more is to be sent."""
        try:
            return self.pace is None or self.pace.wait(self.backlog.stop)
        except MailConnError as error:
            self.call_off(error.message, error)
            return False

    def begin(self, entry: Entry) -> bool:
        """Note that it is about to be sent; False where that cannot be, and so it is not sent.

        Whom another batch sends it to meanwhile is not among its recipients afterwards; there may be none left.
        """
        if self._claims is not None:
            try:
                taken = self._claims.of(entry)
            except MailConnError as error:
                self.call_off(error.message, error)
                return False
            if taken:
                self._leave_to_others(entry, taken)
        entry.tries += 1
        return True

    def _leave_to_others(self, entry: Entry, taken: dict[str, Known]) -> None:
        rows = [row_before(entry.number, entry.message_id, entry.subject, known) for known in taken.values()]
        entry.not_for(taken)
        with self._lock:
            self.deliveries += rows
            entry.failed = entry.failed or any(row.outcome != "accepted" for row in rows)
            if not entry.recipients:
                self._done(entry)
        if not entry.recipients:
            self.backlog.settle(entry, None)

    def settle(self, entry: Entry, fates: dict[str, Fate]) -> None:
        """What became of a message at one try: what is left of it is tried again."""
        fates = {name: fates.get(name, Fate("unknown")) for name in entry.recipients}
        later = {name: fate for name, fate in fates.items() if _may_come_again(fate)}
        left = later | {name: fate for name, fate in fates.items() if fate.outcome == "not sent"}
        done = {name: fate for name, fate in fates.items() if name not in left}
        self._note(entry, fates)
        if self._copies is not None and entry.hidden is not None and any(map(_is_accepted, fates.values())):
            self._copies.put(entry.hidden, entry.content)
            entry.hidden = None
        entry.only_for(left)
        again: float | None = None
        if later:
            entry.delays += 1
            again = _PAUSES[entry.delays - 1] if entry.delays <= len(_PAUSES) else None
        elif left:
            entry.losses += 1
            again = 0.0 if entry.losses <= _MOST_LOSSES else None
        if again is not None:
            entry.content = self.spool.put(entry.content)
        with self._lock:
            self._tell(entry, done)
            entry.failed = entry.failed or any(fate.outcome != "accepted" for fate in done.values())
            if again is None:
                self._done(entry)
        self.backlog.settle(entry, again)

    def _tell(self, entry: Entry, fates: dict[str, Fate]) -> None:
        rows = [_row(entry, name, fate) for name, fate in fates.items()]
        self.deliveries += rows
        if self._noting is not None:
            self._noting.add(entry.message_id, entry.subject, entry.size, rows)

    def _done(self, entry: Entry) -> None:
        if entry.said:
            entry.failed = True
            self._leave(entry)
        self._count(failed=entry.failed)

    def _count(self, *, failed: bool, new: bool = True) -> None:
        self.advance.count(failed=failed)
        self._failures += failed and new
        if self._stop_after is not None and self._failures >= self._stop_after:
            self.call_off(f"It stopped after {self._stop_after:,} failures, as asked.")

    def _leave(self, entry: Entry) -> None:
        """Report what was not sent, or was refused for the moment, and keep it for another batch."""
        entry.content, entry.queued = self.spool.put(entry.content), False
        with self._lock:
            self.kept.append(entry)
            self._tell(entry, {name: entry.said.get(name, _NOT_SENT) for name in entry.recipients})

    def _note(self, entry: Entry, fates: dict[str, Fate]) -> None:
        if self.journal is None:
            return
        said = {name: (fate.outcome, *_reply(fate)) for name, fate in fates.items()}
        # Who may have it from before, may still.
        said |= {
            name: ("unknown", *said[name][1:]) for name in entry.doubted & said.keys() if said[name][0] != "accepted"
        }
        self.journal.settle(entry.key, entry.message_id, said)

    def put_back(self, entry: Entry) -> None:
        """It was taken, and it did not come to sending it."""
        self._note(entry, dict.fromkeys(entry.recipients, _NOT_SENT))
        entry.claimed = None
        self.backlog.settle(entry, 0.0)

    def idle(self) -> None:
        """Nothing is ready: the disk may have what is only in memory."""
        if self.journal is not None and not self.backlog.forked:
            try:
                self.journal.flush()
            except MailConnError as error:
                self.call_off(error.message, error)

    def retire(self, courier: Courier) -> bool:
        """Let a connection take nothing more, if another one goes on."""
        with self._lock:
            courier.over = any(not each.over for each in self.couriers if each is not courier)
            return courier.over


_NOT_SENT: Final = Fate("not sent")


def _is_accepted(fate: Fate) -> bool:
    return fate.outcome == "accepted"


def _may_come_again(fate: Fate) -> bool:
    return fate.outcome == "refused" and fate.reply is not None and fate.reply.temporary


def _reply(fate: Fate) -> tuple[int, str]:
    """Code and words."""
    if fate.reply is None:
        return 0, fate.words[:_LONGEST_WORDS]
    return fate.reply.code, (fate.words or fate.reply.words)[:_LONGEST_WORDS]


def _row(entry: Entry, recipient: str, fate: Fate) -> Delivery:
    outcome = fate.outcome
    return Delivery(entry.number, entry.message_id, entry.subject, recipient, outcome, *_reply(fate), entry.tries)
