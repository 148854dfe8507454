"""What became of a message: the outcome for each recipient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Literal

from ..errors import MailConnError
from ..formatting import columns, few, how_large, table
from ..message.incoming.sent_date import date_of
from ..session.smtp.advice import advice
from ..transport.transport_errors import readable
from .following.followable_report import FollowableReport
from .following.sent_rows import Sent, SentRow

if TYPE_CHECKING:
    from .preview import Preview

__all__ = ["DeliveryError", "Outcome", "SendReport", "Word"]

#: What becomes of a message for a recipient.
Word = Literal["accepted", "refused", "unknown", "not sent"]

_WORDS = {
    "accepted": "accepted",
    "refused": "REFUSED",
    "unknown": "UNKNOWN",
    "not sent": "not sent",
}
# What a table shows of thousands of recipients; the report has all of them.
_MOST_ROWS = 20


@dataclass(frozen=True)
class Outcome:
    """What became of the message for one recipient.

    ``accepted``: the server took it. ``refused``: it did not, and ``code`` and ``words`` are the server's; a code of SMTP
    from 400 to 499 is temporary. ``unknown``: the link broke, perhaps after the last byte, so it may arrive or not, and it
    was not sent again. ``not sent``: it was not tried.
    """

    recipient: str
    outcome: Word
    code: int = 0
    words: str = ""
    #: Whether a refusal is for the moment, where the code does not say so by the rules of SMTP.
    passing: bool | None = None
    #: What to do about it, where that is known.
    hint: str = ""

    @property
    def temporary(self) -> bool:
        """Whether the same message may be sent to this recipient again later."""
        passing = 400 <= self.code < 500 if self.passing is None else self.passing
        return self.outcome == "not sent" or passing


class SendReport(FollowableReport):
    """The outcomes of one message. True when every recipient's was accepted (or it was a dry run).

    Shows as a table; of many recipients, those who do not have the message come first, and the rest are counted.
    ``message`` is what was sent, ``message_id`` its Message-ID, ``size`` its bytes as they travel. ``by`` is the way
    where it has one outcome for all (``Graph``), empty for SMTP, which has one for each.
    """

    def __init__(
        self, message: EmailMessage, outcomes: Iterable[Outcome], *, size: int, dry_run: bool = False, by: str = ""
    ) -> None:
        self.message = message
        self.outcomes = tuple(outcomes)
        self.size = size
        self.dry_run = dry_run
        self.by = by

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "")

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def accepted(self) -> tuple[str, ...]:
        """The recipients for whom the server took the message."""
        return self._of("accepted")

    @property
    def refused(self) -> tuple[Outcome, ...]:
        """Those for whom it did not, with its words."""
        return tuple(outcome for outcome in self.outcomes if outcome.outcome == "refused")

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those of whom it is not known: sending again may deliver twice."""
        return self._of("unknown")

    def _of(self, wanted: str) -> tuple[str, ...]:
        return tuple(outcome.recipient for outcome in self.outcomes if outcome.outcome == wanted)

    @property
    def ok(self) -> bool:
        """Whether nothing is left to be done."""
        return self.dry_run or all(outcome.outcome == "accepted" for outcome in self.outcomes)

    def __bool__(self) -> bool:
        return self.ok

    def as_sent(self) -> Sent:
        """What was sent, for :meth:`follow_up`."""
        rows = [
            SentRow("0", self.message_id, self.subject, each.recipient, each.outcome, each.words)
            for each in self.outcomes
        ]
        return Sent(rows, date_of(str(self.message["Date"] or ""))[0])

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        count = len(self.outcomes)
        what = f"{self.subject!r}, {how_large(self.size)}"
        if self.dry_run:
            return f"Not sent, as asked: {what}, to {few([outcome.recipient for outcome in self.outcomes])}"
        if self.ok:
            return f"Sent{self._way}: {what}, to {few(self.accepted)}{self._as_one}"
        return f"Sent{self._way} to {len(self.accepted)} of {count}: {what}{self._as_one}"

    @property
    def _way(self) -> str:
        return f" by {self.by}" if self.by else ""

    @property
    def _as_one(self) -> str:
        return f" ({self.by} answers for all at once)" if self.by else ""

    def _rows(self) -> list[tuple[str, str, str]]:
        shown, left = self.outcomes, self.outcomes[:0]
        if len(shown) > _MOST_ROWS:
            # First of all what somebody has to see to.
            sorted_out = sorted(shown, key=lambda outcome: outcome.outcome == "accepted")
            shown, left = tuple(sorted_out[:_MOST_ROWS]), tuple(sorted_out[_MOST_ROWS:])
        rows = [
            (outcome.recipient, _WORDS[outcome.outcome], f"{outcome.code or ''} {outcome.words}".strip())
            for outcome in shown
        ]
        counts = Counter(_WORDS[outcome.outcome] for outcome in left)
        return [*rows, *((f"and {count} more", word, "") for word, count in counts.items())]

    def __str__(self) -> str:
        shown = f"{self.summary}\n{columns(self._rows(), header=('recipient', 'outcome', 'server'))}"
        return f"{shown}\n\n{self._preview()}" if self.dry_run else shown

    __repr__ = __str__

    def _repr_html_(self) -> str:
        shown = table(self._rows(), header=("Recipient", "Outcome", "The server's words"), caption=self.summary)
        return f"{shown}{self._preview()._repr_html_()}" if self.dry_run else shown

    def _preview(self) -> Preview:
        from .preview import Preview  # noqa: PLC0415  # only for what was not sent

        return Preview(self.message)


class DeliveryError(MailConnError):
    """Not every recipient's message was accepted; ``report`` has the outcome of each."""

    def __init__(self, report: SendReport, *, others: bool = False) -> None:
        # ``others``: somebody has got it before.
        bad = [outcome for outcome in report.outcomes if outcome.outcome != "accepted"]
        said = few(
            [f"{outcome.recipient}: {outcome.outcome} {_reply(outcome)}".strip() for outcome in bad], separator="; "
        )
        hint = (
            "The others have received it."
            if report.accepted or others
            else "As far as is known, nobody has received it."
        )
        if advised := next(filter(None, (advice(outcome.code, outcome.words) for outcome in bad)), ""):
            hint = f"{advised} {hint}"
        if report.unknown:
            hint = f"Ask {few(report.unknown)} before you send again: it may arrive twice."
        help_for = next((outcome.hint for outcome in bad if outcome.hint), "")
        hint = f"{hint} {help_for}".rstrip()
        super().__init__(f"{report.subject!r} was not delivered to everybody. {said}", hint=hint)
        self.report = report


def _reply(outcome: Outcome) -> str:
    return f"({outcome.code} {readable(outcome.words, 120)})" if outcome.code else readable(outcome.words, 120)
