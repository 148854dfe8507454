"""Entries of the log of sent mail; a process of its own makes some, too, so little is imported here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailconn_jupyter.delivery.sent_log.log_entry import Fate, LogEntry

__all__ = ["entry"]


def entry(number: int = 0, *, days: float = 0, **fates: str) -> LogEntry:
    """One that was sent so many days ago."""
    when = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
    found = {f"{name}@example.org": Fate(word) for name, word in (fates or {"ana": "accepted"}).items()}  # type: ignore[arg-type]  # the test's own words
    return LogEntry(when, "ops", f"Report {number}", f"<{number}@example.org>", 1000 + number, found)
