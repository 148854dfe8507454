"""What a journal has, for those who only look at it."""

from __future__ import annotations

from os import PathLike

from ...errors import MailConnError
from ...formatting import did_you_mean
from ...paths import is_file
from .journal import Journal, Known, journal_names, journal_path

__all__ = ["recorded"]


def recorded(name: str | PathLike[str]) -> list[Known]:
    """All that the journal of that name or path has, the latest last; raises where there is none."""
    path = journal_path(name)
    if not is_file(path):
        raise MailConnError(
            f"There is no journal {str(name)!r}.{did_you_mean(str(name), journal_names())}",
            hint="%mailconn journal lists those there are.",
        )
    found = Journal(path, shared=True)
    try:
        return found.every()
    finally:
        found.close()
