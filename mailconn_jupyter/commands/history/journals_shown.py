"""``journal``: the journals of batches, and what has come back of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ...errors import MailConnError
from ...formatting import counted
from ...store import atomic_files, connections
from ..view import View, when_text
from ..wrong_usage import WrongUsage

if TYPE_CHECKING:
    from ...delivery.following.followed import FollowUp
    from ...delivery.journals.journal import Known

__all__ = ["journal"]

_MOST_ROWS: Final = 50


def journal(*, name: str | None = None, follow_up: str | None = None) -> Iterator[object]:
    """All journals, or of one who has no message, or perhaps has none; or what has come back to a mailbox."""
    if name is None and follow_up is not None:
        raise WrongUsage("%mailconn journal: --follow-up needs the NAME of a journal.")
    if name is not None and follow_up is not None:
        yield _followed(name, follow_up)
        return
    if name is not None:
        yield _one(name)
        return
    from ...delivery.journals.journal import journal_names  # noqa: PLC0415  # SQLite, for this command alone

    names = journal_names()
    if not names:
        yield View(notes=['There is no journal. mailconn.send_many(..., journal="NAME") keeps one.'])
        return
    yield View(map(_row, names), header=("Journal", "Recipients", "Outcomes", "Last"))


def _followed(name: str, target: str) -> FollowUp:
    from ...delivery.following.follow_up import follow_up  # noqa: PLC0415  # as above

    try:
        return follow_up(name, connections[target], progress=True)
    except KeyboardInterrupt as interrupt:
        raise MailConnError(f"Reading {target!r} was interrupted.") from interrupt


def _row(name: str) -> tuple[str, str, str, str]:
    try:
        rows = _known(name)
    except MailConnError as error:
        return name, "", error.message, ""
    return name, f"{len(rows):,}", _counted(rows), _when(rows[-1].at) if rows else ""


def _one(name: str) -> View:
    from ...delivery.journals.journal import journal_path  # noqa: PLC0415  # as above

    rows = _known(name)
    open_ = [row for row in rows if row.outcome != "accepted"]
    notes = []
    if len(open_) > _MOST_ROWS:
        notes.append(f"And {len(open_) - _MOST_ROWS:,} more: {_counted(open_[_MOST_ROWS:])}.")
    if any(row.in_doubt for row in open_):
        notes.append(
            "Unknown: it may have arrived, and is sent again only with "
            f'mailconn.send_many(..., journal={name!r}, again="unknown").'
        )
    notes.append(f"The file: {atomic_files.show(journal_path(name))}")
    caption = f"Journal {name!r}, {counted(len(rows), 'recipient')}: {_counted(rows) or 'nothing yet'}"
    shown = [(row.key, row.recipient, row.settled, _words(row), _when(row.at)) for row in open_[:_MOST_ROWS]]
    return View(
        shown, header=("Key", "Recipient", "Outcome", "The server's words", "When"), caption=caption, notes=notes
    )


def _known(name: str) -> list[Known]:
    from ...delivery.journals.recorded import recorded  # noqa: PLC0415  # as above

    return recorded(name)


def _words(row: Known) -> str:
    return f"{row.code or ''} {row.words}".strip()


def _counted(rows: list[Known]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in Counter(row.settled for row in rows).most_common())


def _when(at: str) -> str:
    return when_text(datetime.fromisoformat(at))
