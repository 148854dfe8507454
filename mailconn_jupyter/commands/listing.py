"""Looking at what is kept: ``list``, ``show``, ``default``, ``journal``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ..errors import MailConnError
from ..store import atomic_files, connections
from .connection_views import connection_view, connections_view
from .view import View, when_text
from .wrong_usage import WrongUsage

if TYPE_CHECKING:
    from ..delivery.following.followed import FollowUp
    from ..delivery.many.journal import Known

__all__ = ["default", "journal", "list_", "show"]

_MOST_ROWS: Final = 50


def list_() -> Iterator[View]:
    """Every connection in a table."""
    yield connections_view(connections)


def show(*, target: str | None = None) -> Iterator[View]:
    """One connection in words; never a secret."""
    yield connection_view(connections, connections.pick(target))


def default(*, target: str | None = None, unset: bool = False) -> Iterator[str]:
    """Choose the connection that is meant when none is named, or say which it is."""
    if unset and target is not None:
        raise WrongUsage("%mailconn default: a NAME and --unset contradict each other.")
    if unset:
        connections.default = None
    elif target is not None:
        connections.default = target
    known = [connections[name] for name in connections.defaults if name in connections]
    said = [f"{each.name!r} for {'sending' if each.sends else 'reading'}" for each in known]
    yield f"The default connection is {' and '.join(said)}." if said else "There is no default connection."


def journal(*, name: str | None = None, follow_up: str | None = None) -> Iterator[object]:
    """All journals, or of one who has no message, or perhaps has none; or what has come back to a mailbox."""
    if name is None and follow_up is not None:
        raise WrongUsage("%mailconn journal: --follow-up is about one journal; name it.")
    if name is not None and follow_up is not None:
        yield _followed(name, follow_up)
        return
    if name is not None:
        yield _one(name)
        return
    from ..delivery.many.journal import journal_names  # noqa: PLC0415  # SQLite, for this command alone

    names = journal_names()
    if not names:
        yield View(notes=['There is no journal. mailconn.send_many(..., journal="NAME") keeps one.'])
        return
    yield View(map(_row, names), header=("Journal", "Recipients", "Outcomes", "Last"))


def _followed(name: str, target: str) -> FollowUp:
    from ..delivery.following.follow_up import follow_up  # noqa: PLC0415  # as above

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
    from ..delivery.many.journal import journal_path  # noqa: PLC0415  # as above

    rows = _known(name)
    open_ = [row for row in rows if row.outcome != "accepted"]
    notes = []
    if len(open_) > _MOST_ROWS:
        notes.append(f"And {len(open_) - _MOST_ROWS:,} more: {_counted(open_[_MOST_ROWS:])}.")
    if any(row.in_doubt for row in open_):
        notes.append(
            "Unknown: it may have arrived, and is not sent again but with "
            f'mailconn.send_many(..., journal={name!r}, again="unknown").'
        )
    notes.append(f"The file: {atomic_files.show(journal_path(name))}")
    people = f"{len(rows):,} {'recipient' if len(rows) == 1 else 'recipients'}"
    caption = f"Journal {name!r}, {people}: {_counted(rows) or 'nothing yet'}"
    shown = [(row.key, row.recipient, row.settled, _words(row), _when(row.at)) for row in open_[:_MOST_ROWS]]
    return View(
        shown, header=("Key", "Recipient", "Outcome", "The server's words", "When"), caption=caption, notes=notes
    )


def _known(name: str) -> list[Known]:
    from ..delivery.many.recorded import recorded  # noqa: PLC0415  # as above

    return recorded(name)


def _words(row: Known) -> str:
    return f"{row.code or ''} {row.words}".strip()


def _counted(rows: list[Known]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in Counter(row.settled for row in rows).most_common())


def _when(at: str) -> str:
    return when_text(datetime.fromisoformat(at))
