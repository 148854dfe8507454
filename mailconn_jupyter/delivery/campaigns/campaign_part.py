"""A part of a campaign: the rows that one worker has, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from ...errors import MailConnError, MessageError
from ...message.texts import one_line
from ..journals.journal_base import BaseJournal, Known
from ..many.mailing import Mailing
from ..many.many_report import Delivery, DeliveryReport
from ..many.numbered import Numbered
from ..many.preparation import row_before
from ..merging.letter import Letter
from ..merging.row_fields import Given
from ..merging.table_rows import Rows

__all__ = ["CampaignStopped", "Part"]

_LONGEST: Final = 500


class CampaignStopped(MailConnError):
    """A part of a campaign ended before its end; ``report`` is of what it had sent (None: of nothing)."""

    report: DeliveryReport | None = None


@dataclass(frozen=True)
class _Row:
    number: int
    key: str
    given: Given


class Part:
    """The rows of one part, and the journal that all parts share."""

    def __init__(self, name: str, letter: Letter, rows: Rows, journal: BaseJournal) -> None:
        self._name, self._letter, self._journal = name, letter, journal
        self._rows: list[_Row] = []
        self._keys: dict[int, str] = {}
        self._found: list[Delivery] = []
        for number, row in enumerate(rows):
            given = letter.given(row)
            try:
                key = letter.key(given)
            except MessageError as error:
                self._fail(number, error)
            else:
                self._keys[number] = key
                self._rows.append(_Row(number, key, given))

    def send(self, mailing: Mailing) -> list[tuple[str, Delivery]]:
        """Send what is to be sent; returns keys and outcomes, in the order of the rows."""
        left = self._rows
        while left:
            # A key that comes again is another look at the same message.
            first = {row.key: row for row in reversed(left)}
            now = list(reversed(first.values()))
            left = [row for row in left if first[row.key] is not row]
            self._send(now, mailing)
        rows = sorted(self._latest(self._found), key=lambda row: row.index)
        return [(self._keys.get(row.index, ""), row) for row in rows]

    def _send(self, rows: Sequence[_Row], mailing: Mailing) -> None:
        self._journal.look_up([row.key for row in rows])
        todo = [row for row in rows if not self._is_settled(row)]
        if not todo:
            return
        messages = _Messages(todo, self._letter, self._fail)
        mailing = replace(mailing, journal=lambda: nullcontext(self._journal))
        report = mailing.send((), Numbered(messages))
        self._found += (replace(row, index=messages.numbers[row.index]) for row in report.deliveries)
        if report.stopped:
            error = CampaignStopped(
                f"The campaign {self._name!r} stopped in the middle of a part: {report.stopped}",
                hint="What was sent is in the journal. Run it again to send the rest.",
            )
            error.report = report
            raise error

    def _is_settled(self, row: _Row) -> bool:
        """Whether the journal says of everybody what became of it; then nothing is composed."""
        known = self._journal.known(row.key)
        if not known or any(map(self._journal.is_open, known.values())):
            return False
        try:
            names = self._letter.everybody(row.given)
        except MessageError:
            return False
        if not known.keys() >= set(names):
            return False
        self._found += (_before(row.number, known[name]) for name in dict.fromkeys(names))
        return True

    def _fail(self, number: int, error: MailConnError) -> None:
        self._found.append(Delivery(number, "", "", "", "not sent", words=one_line(str(error), _LONGEST)))

    def _latest(self, rows: Iterable[Delivery]) -> Iterator[Delivery]:
        """With what has become meanwhile of those that another part had begun."""
        rows = list(rows)
        doubted = [self._keys[row.index] for row in rows if row.outcome == "unknown" and not row.tries]
        known = self._journal.look_up(list(dict.fromkeys(doubted))) if doubted else {}
        for row in rows:
            now = known.get(self._keys.get(row.index, ""), {}).get(row.recipient)
            yield row if now is None or now.in_doubt or row.tries else _before(row.index, now)


class _Messages:
    """The messages of rows, each composed when it is asked for; of one that cannot be, the reason is told."""

    def __init__(self, rows: Sequence[_Row], letter: Letter, fail: Callable[[int, MailConnError], None]) -> None:
        self._rows, self._letter, self._fail = rows, letter, fail
        #: Of each message that was given, the number of its row.
        self.numbers: list[int] = []

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            try:
                self._letter.recipients(row.given)
                message = self._letter.message(row.given)
            except MailConnError as error:
                self._fail(row.number, error)
                continue
            self.numbers.append(row.number)
            yield message


def _before(number: int, known: Known) -> Delivery:
    return row_before(number, known.message_id, "", known)
