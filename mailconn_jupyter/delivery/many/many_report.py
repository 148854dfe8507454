"""What became of many messages: a row for each recipient of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from ...formatting import columns, counted, how_long, prose, table
from ...pandas_tables import own_pandas
from ..following.followable_report import FollowableReport
from ..following.sent_rows import Sent, SentRow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Delivery", "DeliveryReport"]

_MOST_ROWS: Final = 20
_HEADER: Final = ("#", "recipient", "subject", "outcome", "server")
_ORDER: Final = ("refused", "unknown", "not sent", "accepted")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message for one recipient; ``index`` is the message's place among all, from 0.

    ``outcome``, ``code`` and ``words`` are as for :class:`~mailconn_jupyter.delivery.report.Outcome`. ``tries`` is how
    often it was sent in this batch: 0 for what did not come to that, or what an earlier batch of the journal had settled.
    """

    index: int
    message_id: str
    subject: str
    recipient: str
    outcome: Literal["accepted", "refused", "unknown", "not sent"]
    code: int = 0
    words: str = ""
    tries: int = 0


class DeliveryReport(FollowableReport):
    """The outcomes of a batch. True when every recipient of every message was accepted, and none was left out.

    Shows as a table of what somebody has to see to; :meth:`to_frame` has all of it. ``stopped`` says why the batch ended
    before its end (empty: it did not), ``started`` when it began (UTC), ``seconds`` how long it took.
    """

    def __init__(
        self,
        deliveries: Iterable[Delivery],
        *,
        seconds: float = 0.0,
        stopped: str = "",
        retry: Callable[[], DeliveryReport] | None = None,
    ) -> None:
        self.deliveries = tuple(sorted(deliveries, key=lambda row: row.index))
        self.seconds = seconds
        self.started = datetime.now(UTC) - timedelta(seconds=seconds)
        self.stopped = stopped
        self._retry = retry

    def __getstate__(self) -> dict[str, Any]:
        # What could be sent again is where it was sent.
        return vars(self) | {"_retry": None}

    @property
    def counts(self) -> dict[str, int]:
        """How many recipients have each outcome; outcomes that nobody has are left out."""
        found = Counter(row.outcome for row in self.deliveries)
        return {outcome: found[outcome] for outcome in _ORDER if outcome in found}

    @property
    def failed(self) -> tuple[Delivery, ...]:
        """What was not accepted: refused, unknown, not sent."""
        return tuple(row for row in self.deliveries if row.outcome != "accepted")

    @property
    def ok(self) -> bool:
        """Whether nothing is left to be done."""
        return not self.stopped and all(row.outcome == "accepted" for row in self.deliveries)

    def __bool__(self) -> bool:
        return self.ok

    def retry(self) -> DeliveryReport:
        """Send again what may be: what was not sent or was refused for the moment, then what the batch had not come to.

        Nobody who was accepted, or of whom it is not known, gets anything. The messages are those of the batch, with its
        Message-IDs and its options; what waits for this is in a temporary file. Returns the report of that alone; once
        this has been called there is nothing left to be sent again.
        """
        again, self._retry = self._retry, None
        return DeliveryReport(()) if again is None else again()

    def as_sent(self) -> Sent:
        """What was sent, for :meth:`follow_up`."""
        rows = [
            SentRow(str(each.index), each.message_id, each.subject, each.recipient, each.outcome, each.words)
            for each in self.deliveries
        ]
        # What an earlier batch of the journal has sent may be of any time.
        before = any(each.outcome == "accepted" and not each.tries for each in self.deliveries)
        return Sent(rows, None if before else self.started)

    def to_frame(self) -> pd.DataFrame:
        """A :class:`pandas.DataFrame` with a row for each recipient of each message, in their order.

        Its columns: ``index`` (the message's place, from 0), ``message_id``, ``subject``, ``recipient``, ``outcome``
        (accepted, refused, unknown, not sent), ``code`` (missing where the server said none), ``words``, ``tries``.
        Raises :class:`~mailconn_jupyter.errors.MailConnError` where pandas is not installed.
        """
        pd = own_pandas("to_frame()")
        kinds = {"index": "int64", "code": "Int64", "tries": "int64"}

        def values(name: str) -> list[Any]:
            return [getattr(row, name) for row in self.deliveries]

        named = {field.name: values(field.name) for field in fields(Delivery)}
        named["code"] = [code or None for code in named["code"]]
        return pd.DataFrame({name: pd.Series(found, dtype=kinds.get(name, "str")) for name, found in named.items()})

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        recipients = len(self.deliveries)
        if not recipients:
            return self.stopped or "There was nothing to send."
        messages = len({row.index for row in self.deliveries})
        accepted = self.counts.get("accepted", 0)
        what = counted(messages, "message")
        if recipients != messages:
            what = f"{what} to {recipients:,} recipients"
        before = sum(row.outcome == "accepted" and not row.tries for row in self.deliveries)
        earlier = f" ({before:,} of them earlier, according to the journal)" if before else ""
        rest = ", ".join(f"{count:,} {outcome}" for outcome, count in self.counts.items() if outcome != "accepted")
        said = f"{what} in {how_long(self.seconds)}: {accepted:,} accepted{earlier}{f', {rest}' if rest else ''}."
        return f"{said} {self.stopped}".strip()

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        failed = self.failed
        rows = [
            (str(row.index), row.recipient, row.subject, row.outcome, f"{row.code or ''} {row.words}".strip())
            for row in failed[:_MOST_ROWS]
        ]
        left = Counter(row.outcome for row in failed[_MOST_ROWS:])
        return [*rows, *(("", f"and {count:,} more", "", outcome, "") for outcome, count in left.items())]

    def __str__(self) -> str:
        rows = self._rows()
        return f"{self.summary}\n{columns(rows, header=_HEADER)}" if rows else self.summary

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self.failed:
            return f"<p>{prose(self.summary)}</p>"
        header = ("#", "Recipient", "Subject", "Outcome", "The server's words")
        return table(self._rows(), header=header, caption=self.summary)
