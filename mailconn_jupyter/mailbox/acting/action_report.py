"""What was done with messages: how many, which, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...formatting import columns, counted, cut, prose, table
from ...message.incoming.parsed import ParsedMessage
from .action import Action

__all__ = ["MOST_SHOWN", "ActionReport", "row_of"]

#: Messages of which a report knows more than the UID.
MOST_SHOWN = 10
_LONGEST = 80
_HEADER = ("Date", "From", "Subject")

Row = tuple[str, str, str]


class ActionReport:
    """What an action did, or with ``dry_run`` would do; shows itself as a sentence and a table of the first messages.

    ``count`` is how many messages, ``uids`` what the mailbox calls them where they lay, ``folder`` where that was and ``to``
    where they are now (empty for nowhere else). ``shown`` is what is known of the first ones, ``gone`` are those that were
    no longer there. ``notes`` say what else is to be known, in sentences.
    """

    def __init__(
        self,
        action: Action,
        *,
        folder: str,
        uids: Mapping[str, bytes],
        to: str = "",
        gone: Sequence[str] = (),
        notes: Iterable[str] = (),
        shown: Iterable[Row] = (),
        pending: bool = False,
    ) -> None:
        self.action = action.kind
        self.dry_run = action.dry_run
        self.folder = folder
        self.to = to
        self.known = dict(uids)
        self.gone = tuple(gone)
        self._action = action
        self._notes = tuple(notes)
        self._pending = pending
        self.shown = tuple(shown)

    @property
    def uids(self) -> tuple[str, ...]:
        """What the mailbox calls the messages."""
        return tuple(self.known)

    @property
    def count(self) -> int:
        """How many messages it was done with."""
        return len(self.uids)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be known."""
        many = len(self.gone)
        found = [f"{counted(many, 'message')} {'was' if many == 1 else 'were'} no longer there."] if many else []
        if self.dry_run:
            found.append("Nothing was changed.")
        return (*found, *self._notes)

    @property
    def summary(self) -> str:
        """The sentence."""
        if not self.uids:
            return "There was no message to act on."
        return self._action.sentence(counted(self.count, "message"), self.folder, self.to, pending=self._pending)

    def _rows(self) -> list[Row]:
        more = self.count - len(self.shown)
        return [*self.shown, *([("", "", f"and {more} more")] if more > 0 and self.shown else [])]

    def __str__(self) -> str:
        rows = self._rows()
        return "\n".join([" ".join([self.summary, *self.notes]), *([columns(rows, header=_HEADER)] if rows else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = self._rows()
        said = f"<p>{prose(' '.join([self.summary, *self.notes]))}</p>"
        return said + (table(rows, header=_HEADER) if rows else "")


def row_of(message: ParsedMessage) -> Row:
    """What a report shows of a message."""
    try:
        when = f"{message.date.astimezone():%Y-%m-%d %H:%M}" if message.date is not None else ""
    except (OverflowError, ValueError, OSError):
        when = str(message.date)
    return when, cut(message.sender, _LONGEST), cut(message.subject, _LONGEST) or "(no subject)"
