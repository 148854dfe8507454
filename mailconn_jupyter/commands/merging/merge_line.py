"""``merge``: a message to each row of a table, from a line or from the cell below it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from ...delivery.merge import Merge, merge as merge_rows
from ...delivery.merging.letter import MergedMessage
from ...delivery.preview import Preview, preview
from ...delivery.send import sender_of, signature_of
from ...errors import MailConnError
from ...formatting import counted, few, how_large
from ...message.mime.wire_format import wired
from ...message.template import Template
from ...session.smtp.envelope import envelope_of
from ...store import connections as stored
from ..cell_mail import Cell
from ..sending import Mail, telling
from ..wrong_usage import WrongUsage

if TYPE_CHECKING:
    from ...delivery.many.many_report import DeliveryReport

__all__ = ["NotAllAccepted", "merge"]


class NotAllAccepted(MailConnError):
    """Not every message of a merge was accepted for everybody; ``report`` has the outcome of each."""

    def __init__(self, report: DeliveryReport) -> None:
        super().__init__(
            f"Not everybody's message was accepted: {len(report.failed)} of {len(report.deliveries)} were not.",
            hint="The table above names them. With --journal, the same line carries on from there and sends nobody a second message.",
        )
        self.report = report


def merge(
    *,
    results: Sequence[Any],
    cell: Cell | None = None,
    kind: Literal["markdown", "text", "html"] = "markdown",
    key: str | None = None,
    doubles: bool = False,
    row: int = 0,
    rate: str | None = None,
    journal: str | None = None,
    again: str | None = None,
    connections: int | None = None,
    **mail: Any,
) -> Generator[object, None, DeliveryReport | Preview | None]:
    """Send the content to each row of the first result; ``mail`` is a :class:`~..sending.Mail`'s, its texts templates."""
    asked = Mail(**mail)
    rows, content = _read(results, cell, kind, attached=bool(asked.attach))
    connection = stored.pick(asked.target, sends=True)
    if journal is not None and key is None:
        raise WrongUsage(
            "%mailconn merge: --journal needs --key.",
            hint="A journal knows a message by the key of its row: --key customer_id",
        )

    def done() -> DeliveryReport | Preview | str:
        merged = merge_rows(
            rows,
            to=asked.to,
            subject=str(asked.subject),
            content=content,
            key=key,
            # What stays here is shown as it would be sent.
            sender=asked.sender or (sender_of(connection) if asked.stays else ""),
            attachments=asked.attach,
            table_rows=asked.rows,
            doubles=doubles,
            **asked.options(),
        )
        if asked.stays:
            merged = merged.signed(signature_of(connection))
        if asked.preview:
            return preview(_message(merged, row))
        if asked.dry_run:
            return _counted(merged)
        from ...delivery.many.send_many import send_many  # noqa: PLC0415  # only where it is sent

        over: dict[str, Any] = {} if connections is None else {"connections": connections}
        return send_many(asked.target, merged, rate=rate, journal=journal, again=again or (), **over)

    shown = yield from telling(done)
    if isinstance(shown, str):
        yield shown
        return None
    if isinstance(shown, Preview) or shown.ok:
        return shown
    yield shown
    raise NotAllAccepted(shown)


def _read(results: Sequence[Any], cell: Cell | None, kind: Any, *, attached: bool) -> tuple[Any, list[Any]]:
    """The rows, and what each message shows."""
    if not results:
        raise WrongUsage(
            "%mailconn merge: there are no rows.",
            hint="Name the table that has them: %mailconn merge NAME df --to email --subject TEXT ...",
        )
    rows, *content = results
    if cell is None:
        if not content and not attached:
            raise WrongUsage(
                "%mailconn merge: there is nothing to send.",
                hint='After the rows: "Dear {{ name }}, ..."; or a cell: %%mailconn merge ...',
            )
        return rows, content
    if content:
        raise WrongUsage(
            "%%mailconn merge takes only the rows on its line: the cell is the content.",
            hint="With one percent sign, the content is on the line: %mailconn merge NAME df --to email --subject TEXT ...",
        )
    return rows, [Template(cell.source.strip("\n"), kind)]


def _message(merged: Merge, row: int) -> MergedMessage:
    """The message of that row, of rows that come once, too."""
    message = next(islice(merged, row, None), None)
    if message is None:
        raise WrongUsage(f"%mailconn merge: there is no row {row}.", hint="The first is 0.")
    return message


def _counted(merged: Merge) -> str:
    """Of a dry run: how many messages, how large, and to whom."""
    count = size = 0
    names: list[str] = []
    for message in merged:
        count += 1
        size += len(wired(message, utf8=False, eight_bit=True))
        names += envelope_of(message, "", None)[1]
    return f"Not sent, as asked: {counted(count, 'message')}, {how_large(size)}, to {few(names)}"
