"""``sent``: what was sent from this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from ...formatting import cut, few, how_large
from ..view import View, when_text
from ..wrong_usage import WrongUsage

if TYPE_CHECKING:
    from ...delivery.sent_log.log_entry import LogEntry

__all__ = ["sent"]

_LONGEST = 80


def sent(
    *,
    target: str | None = None,
    since: str | None = None,
    to: str = "",
    subject: str = "",
    limit: int = 20,
    off: bool = False,
    on: bool = False,
    forget: bool = False,
    again: str | None = None,
    unknown: bool = False,
    dry_run: bool = False,
) -> Iterator[object]:
    """The messages that are logged, the newest first; or log none, log them again, delete the log, send one of them again."""
    if again is None and (unknown or dry_run):
        raise WrongUsage("%mailconn sent: --unknown and --dry-run belong to --again.")
    if again is not None:
        if target or since or to or subject:
            raise WrongUsage(
                "%mailconn sent: --again takes the ID of one message; leave out NAME, --since, --to and --subject."
            )
        from ...delivery.send_again import send_again  # noqa: PLC0415  # sessions, for this flag alone
        from ..sending import telling  # noqa: PLC0415  # as above

        yield (yield from telling(partial(send_again, again, unknown=unknown, dry_run=dry_run)))
        return
    from ...delivery.sent_log import log_file, noting  # noqa: PLC0415  # the store's files, for this command alone

    if off or on:
        noting.set_keeping(on=on)
        yield (
            "What is sent is logged from now on, without its content."
            if on
            else "Nothing more is logged. %mailconn sent --forget deletes the log."
        )
        return
    if forget:
        log_file.LogFile().clear()
        yield "The log of sent mail is deleted."
        return
    from ...delivery.sent_log.sent import sent_messages  # noqa: PLC0415  # as above

    # One more than is shown, to know whether that is all.
    found = sent_messages(since=since, to=to, subject=subject, connection=target or "", limit=limit + 1)
    notes = []
    if len(found) > limit:
        notes.append(f"Older ones are not shown; --limit {limit * 5} shows more, mailconn.sent() shows all.")
    if not found:
        notes.append(
            "No sent message matches." if since or to or subject or target else "The log of sent mail is empty."
        )
    if not noting.keeps():
        notes.append("Nothing is being logged; to turn that on: %mailconn sent --on")
    if any(fate.outcome != "accepted" for entry in found[:limit] for fate in entry.fates.values()):
        notes.append("%mailconn sent --again ID sends one again, only to recipients marked refused or not sent.")
    rows = [_row(entry) for entry in found[:limit]]
    yield View(rows, header=("Sent", "Connection", "To", "Subject", "Size", "Outcome", "ID"), notes=notes)


def _row(entry: LogEntry) -> tuple[str, ...]:
    counts = Counter(fate.outcome for fate in entry.fates.values())
    if len(counts) == 1:
        (outcome,) = counts
        said = outcome if outcome == "accepted" else outcome.upper()
    else:
        said = ", ".join(f"{count} {word if word == 'accepted' else word.upper()}" for word, count in counts.items())
    if (tries := max(map(entry.tries, entry.fates), default=1)) > 1:
        said = f"{said} ({tries} tries)"
    return (
        when_text(entry.when),
        entry.connection,
        few(list(entry.fates)),
        cut(entry.subject, _LONGEST) or "(no subject)",
        how_large(entry.size),
        said,
        entry.key,
    )
