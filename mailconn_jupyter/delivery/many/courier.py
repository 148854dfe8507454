"""One connection of a batch: it takes what is ready, and opens again when its link is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final, Protocol

from ...connection import MailConnection
from ...errors import MailConnError, OpenError
from ...session.smtp.errors import LinkLost
from ...session.smtp.pipeline import Fate, Posted, post
from ...session.smtp.session import SMTPSession
from ...transport.transport_errors import readable
from ..kept_sessions import farewell
from .backlog import Backlog
from .crowding import is_crowded
from .entry import Entry
from .rate import Pace
from .spool import Spool

__all__ = ["Courier"]

# Seconds before each further try to open a session after the link was lost, or an opening failed, with nothing sent between.
_PAUSES: Final = (0.0, 1.0, 5.0, 15.0, 30.0, 60.0)


class Work(Protocol):
    """What the connections of a batch have in common."""

    backlog: Backlog
    spool: Spool
    pace: Pace | None
    window: int

    def turn(self) -> bool:
        """Wait for the pace; False where nothing more is to be sent."""

    def begin(self, entry: Entry) -> bool:
        """A message is about to be sent, to whom it names then; False where it must not be."""

    def settle(self, entry: Entry, fates: dict[str, Fate]) -> None:
        """What became of it."""

    def put_back(self, entry: Entry) -> None:
        """It was taken, and it did not come to sending it."""

    def idle(self) -> None:
        """Nothing is ready to be sent."""

    def retire(self, courier: Courier) -> bool:
        """Set its ``over`` if another one goes on; whether one does."""

    def call_off(self, why: str, error: MailConnError | None = None) -> None:
        """Nothing more can be sent."""


class Courier(threading.Thread):
    """``over`` is set when it takes nothing more. A session that was given is the giver's to close."""

    def __init__(self, work: Work, session: SMTPSession | None, connection: MailConnection | None) -> None:
        super().__init__(name="mailconn-batch", daemon=True)
        self.over = False
        #: Set at its end.
        self.ended = threading.Event()
        self._work, self._backlog = work, work.backlog
        self._connection, self._session = connection, session
        self._given = session
        #: Ends an opening.
        self._cancel = threading.Event()
        self._failures = 0
        self._stale = False
        self._mine: set[Entry] = set()

    def run(self) -> None:
        """Send until all is sent, or it cannot go on."""
        try:
            while not self.over and self._backlog.wait(self._work.idle):
                if self._ready():
                    self._deliver()
        except Exception as error:  # noqa: BLE001  # told by whoever began the batch
            failure = MailConnError(f"It failed: {readable(repr(error))}")
            failure.__cause__ = error
            self._work.call_off(failure.message, failure)
        finally:
            self.over = True
            try:
                self._work.idle()
                if self._session is not self._given:
                    self._end()
            finally:
                self.ended.set()

    # Opening

    def _ready(self) -> bool:
        if self._failures:
            # Another one may have what is ready meanwhile.
            self._backlog.stop.wait(_PAUSES[self._failures - 1])
            if self._backlog.stop.is_set():
                return False
        if self._session is not None or self._connection is None:
            return True
        try:
            # The pauses between its tries are those above.
            self._session = SMTPSession(connection=self._connection, cancel=self._cancel, ask=False, patient=False)
        except OpenError as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: MailConnError) -> None:
        """A session was not opened, or its link was lost."""
        self._failures += 1
        code = int(getattr(error, "smtp_code", 0))
        words = str(getattr(error, "words", ""))
        # In the greeting a 421 is about nothing else.
        crowded = is_crowded(code, words) or (isinstance(error, OpenError) and code == 421)
        if crowded and self._work.retire(self):
            return
        refused = (
            isinstance(error, OpenError) and error.stage == "authenticate" and not getattr(error, "temporary", False)
        )
        over = refused or self._failures > len(_PAUSES) or not self._opens_again
        if over and not self._work.retire(self):
            self._work.call_off(f"No connection could be kept: {error.message}")

    @property
    def _opens_again(self) -> bool:
        return self._connection is not None or (self._session is not None and self._session.reopens)

    # Sending

    def _deliver(self) -> None:
        session = self._session
        assert session is not None
        first = self._backlog.take()
        if first is None:
            return
        if not self._work.turn():
            self._work.put_back(first)
            return
        self._mine = {first}
        posting = post(session, self._feed(first), window=self._work.window, cancel=self._cancel)
        try:
            for posted, fates in posting:
                self._settle(posted, fates)
        except (LinkLost, OpenError) as error:
            self._lost(error)
        finally:
            posting.close()
            for posted, fates in posting.untold():
                if posted.key in self._mine:
                    self._settle(posted, fates)
            for entry in self._mine:
                self._work.put_back(entry)
            self._mine = set()
        if self._stale:
            self._stale = False
            session.link.close()

    def _settle(self, posted: Posted, fates: dict[str, Fate]) -> None:
        entry: Any = posted.key
        self._mine.discard(entry)
        session, codes = self._session, [fate.reply.code for fate in fates.values() if fate.reply is not None]
        if session is not None and any(map(session.login_is_over, codes)):
            # The next message finds no link, and opens one with a login anew.
            self._stale = True
            fates = {name: Fate("not sent", fate.reply, fate.words) for name, fate in fates.items()}
        self._look_at(fates)
        self._work.settle(entry, fates)

    def _feed(self, first: Entry) -> Iterator[Posted]:
        """What is ready, without waiting for more: the pipeline has content in its hands meanwhile."""
        entry: Entry | None = first
        while entry is not None:
            self._mine.add(entry)
            if not self._work.begin(entry):
                return
            if entry.recipients:
                yield Posted(entry, entry.envelope, self._work.spool.get(entry.content))
            else:
                self._mine.discard(entry)
            # At a given pace each message has its own turn.
            alone = self.over or self._stale or self._work.pace is not None or entry.losses
            entry = None if alone else self._backlog.take(along=True)

    def _look_at(self, fates: dict[str, Fate]) -> None:
        replies = [fate.reply for fate in fates.values() if fate.reply is not None]
        if any(fate.outcome != "not sent" for fate in fates.values()):
            self._failures = 0
        if any(is_crowded(reply.code, reply.words) for reply in replies):
            self._work.retire(self)

    def _lost(self, error: MailConnError) -> None:
        if self._connection is not None:
            self._end()
        self._failed(error)

    # Ending

    def call_off(self) -> None:
        """End an opening, and what comes after this message; from another thread."""
        self._cancel.set()

    def cut(self) -> None:
        """Cut the link at once, whatever is on it."""
        self._cancel.set()
        if (session := self._session) is not None:
            session.close()

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            farewell(session)
