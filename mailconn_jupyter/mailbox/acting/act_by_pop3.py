"""Acting by POP3: messages are marked as deleted, and deleted by the server when the session ends."""

from __future__ import annotations

from collections import Counter

from ...errors import MailConnError, OptionError
from ...session.pop3.errors import LinkLost, Refused
from ...session.pop3.numbered_lines import numbered_lines
from ...session.pop3.session import POP3Session
from ..by_pop3 import read
from ..portions import Reading
from .act import Wanted
from .action import Action
from .action_report import MOST_SHOWN, ActionReport, Row, row_of
from .place import Place

__all__ = ["act"]


def act(place: Place, action: Action, wanted: Wanted) -> ActionReport:
    """Delete the messages that are wanted, which is all that can be done here."""
    own = place.session is None and place.reading is None
    work = _Work(action, wanted, own=own)
    try:
        with place.opened(readonly=action.dry_run) as session:
            work.mark(session)
    except LinkLost as error:
        if not (own and work.known and error.cause == "closed"):
            error.hint = "Nothing was deleted: the server does that when the session ends." if own else error.hint
            raise
        # Whether the server has deleted them shows when one looks again.
        with place.opened(readonly=False) as session:
            work.mark(session)
        work.notes.append("The link broke; the work was finished over a new one.")
    return work.report()


class _Work:
    """One deletion, which can be begun again: what is gone then was deleted before."""

    def __init__(self, action: Action, wanted: Wanted, *, own: bool) -> None:
        self._action, self._own = action, own
        self._reading = wanted.reading
        self._asked = list(wanted.uids)
        self._shown: list[Row] = list(wanted.shown)
        self._gone: list[str] = []
        #: Whether it is known which messages are meant, and which of them are there.
        self.known = False
        self.notes: list[str] = []

    def mark(self, session: POP3Session) -> None:
        """Mark them."""
        numbers = _numbers(session)
        if not self.known:
            if self._reading is not None:
                self._asked = self._asked_for(session, self._reading, list(numbers))
            self._gone = [uid for uid in self._asked if uid not in numbers]
            self.known = True
        if not self._action.dry_run:
            session.mark_deleted([numbers[uid] for uid in self._asked if uid in numbers])

    def report(self) -> ActionReport:
        gone = set(self._gone)
        uids = {uid: b"" for uid in self._asked if uid not in gone}
        pending = bool(uids) and not (self._own or self._action.dry_run)
        if pending:
            self.notes.append("The server deletes them when the session ends (QUIT).")
        return ActionReport(
            self._action,
            folder="the mailbox",
            uids=uids,
            gone=self._gone,
            notes=self.notes,
            shown=self._shown,
            pending=pending,
        )

    def _asked_for(self, session: POP3Session, reading: Reading, everything: list[str]) -> list[str]:
        if reading.selection.everything:
            # The highest number is the last one that arrived.
            newest = everything[::-1]
            return newest if reading.left >= len(newest) else newest[: int(reading.left)]
        found: list[str] = []
        for message in reading.first(read(session, reading)):
            found.append(message.uid)
            if len(self._shown) < MOST_SHOWN:
                self._shown.append(row_of(message))
        return found


def _numbers(session: POP3Session) -> dict[str, int]:
    """The number of each message by its unique id, in their order (RFC 1939, 7: UIDL)."""
    try:
        pairs = [(uid, number) for number, uid in numbered_lines(session.uidl()[1])]
    except Refused as error:
        raise OptionError(
            "The server gives messages no unique ids (UIDL), so none can be identified reliably. Nothing was deleted.",
            hint="session.dele(number) deletes by the number, within one session.",
        ) from error
    if twice := [uid for uid, count in Counter(uid for uid, _ in pairs).items() if count > 1]:
        raise MailConnError(f"The server gives two messages the unique id {twice[0]!r}. Nothing was deleted.")
    return dict(pairs)
