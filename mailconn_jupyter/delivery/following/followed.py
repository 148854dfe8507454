"""What became of messages for each recipient, as far as anything has come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ...formatting import columns, prose, table
from ...message.incoming.returned.notice import Notice
from ...pandas_tables import dates, own_pandas

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BECAME", "FollowUp", "Followed"]

_MOST_ROWS: Final = 20
#: What may have become of a message; a later one counts more than one before it.
BECAME: Final = (
    *("accepted", "not sent", "refused", "unknown", "delayed", "expanded", "relayed", "delivered", "auto-replied"),
    *("bounced", "answered"),
)
# What somebody has to see to comes first.
_SHOWN: Final = ("bounced", "refused", "unknown", "not sent", "delayed", "auto-replied", "answered")


@dataclass(frozen=True, slots=True)
class Followed:
    """One message for one recipient; ``became`` is a word of :data:`BECAME`.

    ``status`` (RFC 3463) and ``words`` are a notification's or, where the server did not take the message, its own; of
    a reply ``words`` is the subject. ``key`` is the journal's, or the message's place among those of the report;
    ``date`` is that of what came back.
    """

    key: str
    message_id: str
    subject: str
    recipient: str
    became: str
    status: str = ""
    words: str = ""
    date: datetime | None = None


class FollowUp:
    """What became of each message for each recipient; shows as a table of what is worth a look, ``to_frame()`` has all.

    ``rows`` are in the order of the report. ``doubtful`` are notices that name a recipient of yours and prove nothing: they
    do not say which message they are about, or it is not one of these, or was not sent to that recipient.
    """

    def __init__(self, rows: Iterable[Followed], doubtful: Iterable[Notice] = (), *, where: str = "") -> None:
        self.rows = tuple(rows)
        self.doubtful = tuple(doubtful)
        self._where = where

    @property
    def counts(self) -> dict[str, int]:
        """How many recipients have each word; words that nobody has are left out."""
        found = Counter(row.became for row in self.rows)
        return {word: found[word] for word in reversed(BECAME) if word in found}

    def of(self, became: str) -> tuple[Followed, ...]:
        """The rows with one word, such as ``bounced``."""
        return tuple(row for row in self.rows if row.became == became)

    @property
    def bounced(self) -> tuple[Followed, ...]:
        """Those whose message came back."""
        return self.of("bounced")

    @property
    def summary(self) -> str:
        """All of it in one line."""
        said = ", ".join(f"{count:,} {word}" for word, count in self.counts.items()) or "nothing was sent"
        where = f" in {self._where}" if self._where else ""
        doubt = ""
        if self.doubtful:
            number = len(self.doubtful)
            doubt = (
                f" {number:,} {'notice does' if number == 1 else 'notices do'} not prove what they say: see .doubtful."
            )
        return f"What came back{where}: {said}.{doubt}"

    def to_frame(self) -> pd.DataFrame:
        """A :class:`pandas.DataFrame` with a row for each recipient of each message, in their order.

        Its columns: ``key``, ``message_id``, ``subject``, ``recipient``, ``became``, ``status``, ``words``, ``date``
        (UTC), as for :class:`Followed`. What is not known is missing. Raises
        :class:`~mailconn_jupyter.errors.MailConnError` where pandas is not installed.
        """
        pd = own_pandas("to_frame()")
        texts = [field.name for field in fields(Followed) if field.name != "date"]
        named: dict[str, Any] = {
            name: pd.Series([getattr(row, name) or None for row in self.rows], dtype="str") for name in texts
        }
        return pd.DataFrame({**named, "date": dates([row.date for row in self.rows])})

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = sorted((row for row in self.rows if row.became in _SHOWN), key=lambda row: _SHOWN.index(row.became))
        shown = [
            (row.recipient, row.became, f"{row.status} {row.words}".strip()[:200], row.subject or row.key)
            for row in rows[:_MOST_ROWS]
        ]
        left = Counter(row.became for row in rows[_MOST_ROWS:])
        return [*shown, *((f"and {count:,} more", became, "", "") for became, count in left.items())]

    def __str__(self) -> str:
        rows = self._rows()
        return f"{self.summary}\n{columns(rows, header=_HEADER)}" if rows else self.summary

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = self._rows()
        return table(rows, header=_HEADER, caption=self.summary) if rows else f"<p>{prose(self.summary)}</p>"


_HEADER: Final = ("Recipient", "Became", "Words", "Message")
