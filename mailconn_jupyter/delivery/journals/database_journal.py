"""A journal in a PostgreSQL database, for workers on any number of machines.

A message goes to whoever inserts its row first, or finds it open under the row's lock. What is written twice, because nobody
knows whether the first time was the one that counted, is the same: so a link to the database that broke is tried again.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...forks import in_children
from ...message.texts import one_line
from .journal_base import COLUMNS, INTENT, SETTLING, BaseJournal, JournalError, Known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine

__all__ = ["DatabaseJournal"]

T = TypeVar("T")

# Seconds before each further try, where the database is restarted, or two batches stood in each other's way.
_PAUSES: Final = (0.1, 1.0, 5.0, 15.0)
_MOST_KEYS: Final = 1000  # in one question
#: Of the lock under which the tables are made.
_MAKING: Final = 0x6D636A31
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS mailconn_deliveries (
        campaign TEXT NOT NULL, key TEXT NOT NULL, recipient TEXT NOT NULL, message_id TEXT NOT NULL,
        outcome TEXT NOT NULL, code INTEGER NOT NULL, words TEXT NOT NULL, at TEXT NOT NULL, batch TEXT NOT NULL,
        PRIMARY KEY (campaign, key, recipient)
    )""",
    """CREATE TABLE IF NOT EXISTS mailconn_campaigns (
        name TEXT PRIMARY KEY, id TEXT NOT NULL, next DOUBLE PRECISION NOT NULL
    )""",
)
_GIVEN: Final = """
    SELECT :campaign, given.* FROM unnest(CAST(:key AS text[]), CAST(:recipient AS text[]), CAST(:message_id AS text[]),
    CAST(:outcome AS text[]), CAST(:code AS integer[]), CAST(:words AS text[]), CAST(:at AS text[]), CAST(:batch AS text[]))
    AS given (key, recipient, message_id, outcome, code, words, at, batch)"""
# In one order everywhere, so that no two wait for each other.
_INSERT: Final = f"""INSERT INTO mailconn_deliveries (campaign, {COLUMNS}) {_GIVEN} ORDER BY key, recipient
    ON CONFLICT (campaign, key, recipient)"""  # fixed
_SETTLE: Final = f"{_INSERT} {SETTLING.format(table='mailconn_deliveries')}"
_TAKE: Final = f"{_INSERT} DO NOTHING RETURNING key, recipient"
_LOCK: Final = f"""SELECT {COLUMNS} FROM mailconn_deliveries WHERE campaign = :campaign AND (key, recipient) IN
    (SELECT * FROM unnest(CAST(:key AS text[]), CAST(:recipient AS text[]))) ORDER BY key, recipient FOR UPDATE"""  # noqa: S608  # fixed
_AGAIN: Final = f"""UPDATE mailconn_deliveries SET message_id = given.message_id, outcome = '{INTENT}', code = 0, words = '',
    at = given.at, batch = given.batch FROM ({_GIVEN}) AS given WHERE mailconn_deliveries.campaign = :campaign
    AND mailconn_deliveries.key = given.key AND mailconn_deliveries.recipient = given.recipient"""  # noqa: S608  # fixed
_TURNS: Final = """UPDATE mailconn_campaigns SET next = GREATEST(next, EXTRACT(EPOCH FROM clock_timestamp())) + :span
    WHERE name = :campaign RETURNING next - :span - EXTRACT(EPOCH FROM clock_timestamp())"""


class DatabaseJournal(BaseJournal):
    """The rows of one campaign in a database, through an ``engine`` of its own; ``shown`` says where that is."""

    def __init__(self, engine: Engine, shown: str, campaign: str, again: Iterable[str] = (), run: str = "") -> None:
        super().__init__(again, run)
        self._engine, self._shown, self._campaign = engine, shown, campaign
        self._lock = threading.RLock()
        in_children(self._let_go)
        self.id = ""
        self.id = self._tried(self._open)

    def _let_go(self) -> None:
        # Not a word to the server: the link is the parent's.
        self._lock = threading.RLock()
        self._engine.dispose(close=False)

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            yield

    def _tried(self, work: Callable[[Connection], T]) -> T:
        """What it does in a transaction, which is tried again where the database is not there, or asks for that."""
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415  # an extra

        pauses = iter(_PAUSES)
        # Of a link that cannot be made no more is known; nobody waits long for a server that may never have been there.
        linking = iter(_PAUSES if self.id else _PAUSES[:2])
        with self._lock:
            while True:
                try:
                    with self._engine.begin() as connection:
                        return work(connection)
                except DBAPIError as error:
                    pause = next(pauses, None) if _may_be_tried_again(error) else None
                    if pause is None and not _state(error):
                        pause = next(linking, None)
                    if pause is None:
                        raise self._failure(error) from None
                    time.sleep(pause)
                except SQLAlchemyError as error:
                    raise self._failure(error) from None

    def _failure(self, error: Exception) -> JournalError:
        reason = one_line(str(getattr(error, "orig", None) or error), 300).rstrip(".")
        return JournalError(
            f"The journal of the campaign {self._campaign!r} at {self._shown} cannot be used: {reason}.",
            hint="Its record of earlier batches is unchanged. The password is taken from PGPASSWORD, or from the file that PGPASSFILE names.",
        )

    def _do(self, connection: Connection, statement: str, **values: Any) -> Any:
        from sqlalchemy import text  # noqa: PLC0415  # as above

        return connection.execute(text(statement), values | {"campaign": self._campaign})

    def _open(self, connection: Connection) -> str:
        if self._do(connection, "SELECT to_regclass('mailconn_campaigns')").scalar() is None:
            self._do(connection, "SELECT pg_advisory_xact_lock(:making)", making=_MAKING)
            for statement in _SCHEMA:
                self._do(connection, statement)
        made = "INSERT INTO mailconn_campaigns VALUES (:campaign, :id, 0) ON CONFLICT DO NOTHING"
        self._do(connection, made, id=secrets.token_hex(16))
        return str(self._do(connection, "SELECT id FROM mailconn_campaigns WHERE name = :campaign").scalar_one())

    def _rows(self, keys: Sequence[str]) -> list[Known]:
        def look(connection: Connection) -> list[Known]:
            found: list[Known] = []
            for start in range(0, len(keys), _MOST_KEYS):
                question = f"SELECT {COLUMNS} FROM mailconn_deliveries WHERE campaign = :campaign AND key = ANY(:keys)"  # noqa: S608  # fixed
                found += map(Known._make, self._do(connection, question, keys=list(keys[start : start + _MOST_KEYS])))
            return found

        return self._tried(look)

    def every(self) -> list[Known]:
        """All of it, the latest last."""
        question = f"SELECT {COLUMNS} FROM mailconn_deliveries WHERE campaign = :campaign ORDER BY at, key, recipient"  # noqa: S608  # fixed
        return self._tried(lambda connection: list(map(Known._make, self._do(connection, question))))

    def sent(self) -> int:
        question = (
            "SELECT count(DISTINCT key) FROM mailconn_deliveries WHERE campaign = :campaign AND outcome = 'accepted'"
        )
        return self._tried(lambda connection: int(self._do(connection, question).scalar_one()))

    def _transact(self, noted: Sequence[Known], wanted: Sequence[Known]) -> list[Known]:
        # One statement writes a row once: the latest counts.
        settled = list({(row.key, row.recipient): row for row in noted}.values())

        def write(connection: Connection) -> list[Known]:
            if settled:
                self._do(connection, _SETTLE, **_columns(settled))
            return self._take(connection, wanted) if wanted else []

        return self._tried(write)

    def _take(self, connection: Connection, wanted: Sequence[Known]) -> list[Known]:
        asked = {(row.key, row.recipient): row for row in wanted}
        for key, recipient in self._do(connection, _TAKE, **_columns(list(asked.values()))):
            del asked[key, recipient]
        if not asked:
            return []
        there = list(
            map(Known._make, self._do(connection, _LOCK, **_columns(list(asked.values()), "key", "recipient")))
        )
        taken = self.not_mine(there)
        for row in taken:
            del asked[row.key, row.recipient]
        if asked:
            self._do(connection, _AGAIN, **_columns(list(asked.values())))
        return taken

    def turns(self, count: int, interval: float) -> float:
        """By the clock of the database."""

        def take(connection: Connection) -> float:
            # A turn that is lost with the power is no harm.
            self._do(connection, "SET LOCAL synchronous_commit = off")
            return max(0.0, float(self._do(connection, _TURNS, span=count * interval).scalar_one()))

        return self._tried(take)

    def close(self) -> None:
        """Close the link."""
        self._engine.dispose()


def _columns(rows: Sequence[Known], *names: str) -> dict[str, list[Any]]:
    """The values by column; PostgreSQL has no text with a NUL in it."""
    columns = {name: [getattr(row, name) for row in rows] for name in names or COLUMNS.split(", ")}
    if "words" in columns:
        columns["words"] = [words.replace("\0", "\ufffd") for words in columns["words"]]
    return columns


def _may_be_tried_again(error: Any) -> bool:
    """The link broke, the server is ending or starting, or a transaction was ended for another one's sake."""
    return bool(error.connection_invalidated) or _state(error)[:2] in {"08", "57", "40"}


def _state(error: Any) -> str:
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")
