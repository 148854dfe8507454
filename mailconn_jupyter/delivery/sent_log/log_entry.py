"""An entry of the log: one message, through which connection, to whom, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, get_args

from ..report import Word

__all__ = ["Fate", "LogEntry", "merged"]

_WORDS: Final = frozenset(get_args(Word))
_LONGEST_TEXT: Final = 1000  # characters
_LONGEST_WORDS: Final = 200
_LENGTH_OF_KEY: Final = 7  # of two hundred thousand, hardly two have the same


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of it for one recipient; as in :class:`~mailconn_jupyter.delivery.report.Outcome`."""

    outcome: Word
    code: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message. ``connection`` is empty for a session that belongs to none; ``size`` are bytes; ``fates`` by recipient.

    ``again`` counts the tries beyond the first, by recipient, where there were any.
    """

    when: datetime
    connection: str
    subject: str
    message_id: str
    size: int
    fates: Mapping[str, Fate]
    again: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What a person calls it by, in place of its Message-ID; empty where it has none.

        >>> LogEntry(datetime.now(UTC), "ops", "Churn", "<47@example.org>", 1, {}).key
        'da57c95'
        """
        return hashlib.sha256(self.message_id.encode()).hexdigest()[:_LENGTH_OF_KEY] if self.message_id else ""

    def tries(self, recipient: str) -> int:
        """How often it was sent to this recipient, or was to be."""
        return self.again.get(recipient, 0) + 1

    def line(self) -> bytes:
        """The entry as a line of the file."""
        fates = {
            name: [fate.outcome, *([fate.code, fate.words[:_LONGEST_WORDS]] if fate.outcome != "accepted" else [])]
            for name, fate in self.fates.items()
        }
        content = {
            "when": self.when.astimezone(UTC).isoformat(timespec="seconds"),
            "connection": self.connection,
            "subject": self.subject[:_LONGEST_TEXT],
            "message_id": self.message_id[:_LONGEST_TEXT],
            "size": self.size,
            "to": fates,
        }
        return json.dumps(content, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> LogEntry | None:
        """The entry of a line; None where it is none: it was cut by a crash, or is somebody else's."""
        try:
            found: Any = json.loads(line)
            when = datetime.fromisoformat(found["when"])
            fates = {str(name): _fate(*said) for name, said in found["to"].items()}
            connection, subject, message_id = found["connection"], found["subject"], found["message_id"]
            size = found["size"]
            texts = all(isinstance(text, str) for text in (connection, subject, message_id))
            if when.tzinfo is None or not texts or not isinstance(size, int):
                return None
            return cls(when, connection, subject, message_id, size, fates)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def _fate(outcome: Any, code: Any = 0, words: Any = "") -> Fate:
    if outcome not in _WORDS or not isinstance(code, int) or not isinstance(words, str):
        raise ValueError(outcome)
    return Fate(outcome, code, words)


def merged(entries: list[LogEntry]) -> list[LogEntry]:
    """An entry a message, the oldest first: what was said of a recipient last is what counts.

    Of one message there are several where it went to some later than to others.
    """
    found: dict[tuple[str, str], LogEntry] = {}
    for number, entry in enumerate(entries):
        # What has no Message-ID is a message of its own.
        key = (entry.message_id, "" if entry.message_id else str(number))
        before = found.get(key)
        found[key] = entry if before is None else _joined(before, entry)
    return list(found.values())


def _joined(before: LogEntry, after: LogEntry) -> LogEntry:
    again = {name: before.tries(name) for name in after.fates if name in before.fates}
    return replace(
        before, connection=after.connection, fates={**before.fates, **after.fates}, again={**before.again, **again}
    )
