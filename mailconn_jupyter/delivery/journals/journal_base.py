"""What a journal is, wherever it is kept: what it has of each message, who may send one, and what is on the disk when."""

from __future__ import annotations

import hashlib
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ...errors import MailConnError

__all__ = ["COLUMNS", "INTENT", "SETTLING", "TAKING", "BaseJournal", "Intent", "JournalError", "Known"]

INTENT: Final = "begun"
#: As they stand in the table of every journal, in this order.
COLUMNS: Final = "key, recipient, message_id, outcome, code, words, at, batch"
#: What a row does to the one that is there, of an intent.
TAKING: Final = (
    "DO UPDATE SET message_id = excluded.message_id, outcome = excluded.outcome, code = excluded.code, "
    "words = excluded.words, at = excluded.at, batch = excluded.batch"
)
#: The same of an outcome: who was accepted stays so, whatever another batch says of it later.
SETTLING: Final = f"{TAKING} WHERE {{table}}.batch = excluded.batch OR excluded.outcome = 'accepted'"


class JournalError(MailConnError):
    """The journal of a batch cannot be used; ``report`` (may be None) is of what was sent before that."""

    report: Any = None


class Known(NamedTuple):
    """What the journal has of one message for one recipient; ``at`` is the time (ISO 8601, UTC).

    ``batch`` is who wrote it: the run, a slash, and which of the run's batches.
    """

    key: str
    recipient: str
    message_id: str
    outcome: str
    code: int
    words: str
    at: str
    batch: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether it may have arrived: nobody knows."""
        return self.outcome in {"unknown", INTENT}

    @property
    def settled(self) -> str:
        """The outcome; what was begun, and not ended, is unknown."""
        return "unknown" if self.in_doubt else self.outcome


class Intent(NamedTuple):
    """A message that is about to be sent."""

    key: str
    message_id: str
    recipients: Sequence[str]


class BaseJournal(ABC):
    """The rows of one journal, as one batch sees them; threads may share it, and other batches may use it meanwhile.

    What has an intent alone may have arrived: an intent is on the disk before the content leaves. Of two batches that want
    to send the same message to somebody, one gets it. ``id`` is the journal's own, ``run`` that of whoever sends.
    """

    id = ""

    def __init__(self, again: Iterable[str] = (), run: str = "") -> None:
        self.again, self.run = frozenset(again), run or secrets.token_hex(8)
        self.batch = f"{self.run}/{secrets.token_hex(8)}"
        self._later: list[Known] = []
        self._noting = threading.Lock()
        self._looked_up: dict[str, dict[str, Known]] = {}

    def message_id(self, key: str, domain: str) -> str:
        """The Message-ID of the message of that key: the same each time, and another one in every other journal."""
        return f"<{hashlib.sha256(f'{self.id} {key}'.encode()).hexdigest()[:40]}@{domain}>"

    def is_open(self, known: Known) -> bool:
        """Whether what it has of a message leaves it to be sent; what another run has settled may be sent again."""
        passing = known.outcome == "refused" and 400 <= known.code < 500
        other_run = known.batch.partition("/")[0] != self.run
        return passing or known.outcome == "not sent" or (other_run and known.settled in self.again)

    def known(self, key: str) -> dict[str, Known]:
        """What it had of the message of that key when it was looked at first, by recipient."""
        return self._looked_up[key] if key in self._looked_up else self._found([key]).get(key, {})

    def look_up(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Known]]:
        """What it has now of the messages of these keys; so it is :meth:`known` of them from then on, and of these alone."""
        found = self._found(keys)
        self._looked_up = {key: found.get(key, {}) for key in keys}
        return self._looked_up

    def _found(self, keys: Sequence[str]) -> dict[str, dict[str, Known]]:
        found: dict[str, dict[str, Known]] = {}
        for row in self._rows(keys):
            found.setdefault(row.key, {})[row.recipient] = row
        return found

    def intend(self, *intents: Intent) -> dict[str, dict[str, Known]]:
        """Have on the disk that the messages are about to be sent; with it, what :meth:`settle` was told.

        Returns, by key and recipient, what is not this batch's to send: another one has it, or has settled it.
        """
        at = _now()
        wanted = [
            Known(intent.key, recipient, intent.message_id, INTENT, 0, "", at, self.batch)
            for intent in intents
            for recipient in intent.recipients
        ]
        return self._write(wanted)

    def settle(self, key: str, message_id: str, outcomes: Mapping[str, tuple[str, int, str]]) -> None:
        """Note outcome, code and words for each recipient; they are on the disk with the next intent, or :meth:`flush`."""
        at = _now()
        rows = [
            Known(key, recipient, message_id, outcome, code, words, at, self.batch)
            for recipient, (outcome, code, words) in outcomes.items()
        ]
        with self._noting:
            self._later += rows

    def flush(self) -> None:
        """Write through to the disk what was noted; after an error it is still noted."""
        self._write([])

    def _write(self, wanted: Sequence[Known]) -> dict[str, dict[str, Known]]:
        with self._working():
            # All that came while another thread's transaction was written.
            with self._noting:
                noted, self._later = self._later, []
            if not noted and not wanted:
                return {}
            try:
                taken = self._transact(noted, wanted)
            except BaseException:
                with self._noting:
                    self._later = noted + self._later
                raise
        lost: dict[str, dict[str, Known]] = {}
        for row in taken:
            lost.setdefault(row.key, {})[row.recipient] = row
        return lost

    def not_mine(self, there: Iterable[Known]) -> list[Known]:
        """Of the rows that are there for what this batch wants to send, those that keep it from that."""
        return [row for row in there if row.batch != self.batch and not self.is_open(row)]

    @abstractmethod
    def _working(self) -> AbstractContextManager[object]:
        """One thread at a time works with it; what fails is a :class:`JournalError`."""

    @abstractmethod
    def _rows(self, keys: Sequence[str]) -> list[Known]:
        """All that it has of these keys."""

    @abstractmethod
    def _transact(self, noted: Sequence[Known], wanted: Sequence[Known]) -> list[Known]:
        """In one transaction: write what was ``noted``, take what is ``wanted``, and return what is :meth:`not_mine`."""

    @abstractmethod
    def every(self) -> list[Known]:
        """All of it, the latest last."""

    @abstractmethod
    def sent(self) -> int:
        """How many messages were accepted, for whomever."""

    @abstractmethod
    def turns(self, count: int, interval: float) -> float:
        """Take the next ``count`` turns of all who send by this journal, so many seconds apart; seconds until the first."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
