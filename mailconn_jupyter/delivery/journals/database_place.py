"""Where a journal in a database is: its URL, which goes along with a campaign, and so holds no password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ...errors import OptionError
from ...extras import install
from .database_journal import DatabaseJournal
from .journal_base import BaseJournal, JournalError

__all__ = ["database_of"]

_SECRETS: Final = {"password", "sslpassword"}
# Seconds for the link, and for a statement; libpq's and PostgreSQL's own words.
_LINK: Final = {"connect_timeout": 10, "tcp_user_timeout": 30_000, "options": "-c statement_timeout=60s"}
_LIBPQ: Final = {"psycopg", "psycopg2"}


@dataclass(frozen=True)
class _Database:
    campaign: str
    url: str

    @contextmanager
    def opened(self, again: frozenset[str], run: str) -> Iterator[BaseJournal]:
        sqlalchemy = _library()
        url = sqlalchemy.engine.make_url(self.url)
        try:
            engine = sqlalchemy.create_engine(
                url,
                pool_size=1,
                max_overflow=0,
                connect_args=_LINK | dict(url.query) if url.get_driver_name() in _LIBPQ else {},
            )
        except ImportError as error:
            raise JournalError(
                f"The journal at {self.shown} needs the package {error.name}, which is not installed here.",
                hint=f"Run: pip install {error.name}",
            ) from error
        journal = DatabaseJournal(engine, self.shown, self.campaign, again, run)
        try:
            yield journal
        finally:
            journal.close()

    @property
    def shown(self) -> str:
        return self.url


def database_of(given: str, campaign: str) -> _Database:
    """The database of that URL; raises :class:`~mailconn_jupyter.errors.OptionError` for one that cannot be it."""
    sqlalchemy = _library()
    # An error of its own would have the whole URL, and there may be a password in it.
    url: Any = None
    try:
        url = sqlalchemy.engine.make_url(given)
        dialect = url.get_dialect()
    except (sqlalchemy.exc.SQLAlchemyError, ValueError, ImportError):
        dialect = None
    if url is not None and (url.password is not None or _SECRETS & set(url.query)):
        raise OptionError(
            "The URL of the journal contains a password, which would travel with the campaign.",
            trait="journal",
            hint="Leave it out: each worker takes it from PGPASSWORD, or from the file that PGPASSFILE names.",
        )
    if dialect is None or dialect.name != "postgresql" or getattr(dialect, "is_async", False):
        raise OptionError(
            "The journal of a campaign is a file, or a PostgreSQL database by its URL.",
            trait="journal",
            hint='For example: journal="postgresql+psycopg://user@host/name"',
        )
    return _Database(campaign, url.render_as_string())


def _library() -> Any:
    try:
        import sqlalchemy  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise OptionError(
            "A journal in a database needs SQLAlchemy, which is not installed.",
            trait="journal",
            hint=f"Run: {install('campaign')}",
        ) from error
    return sqlalchemy
