"""Tables of the user's pandas, which is imported where one is made, and never required."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .errors import MailConnError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dates", "own_pandas"]


def dates(given: Iterable[datetime | None]) -> pd.Series[Any]:
    """A column of dates in UTC; missing where there is none, or one that pandas does not know."""
    pd = own_pandas("This")
    # Before it is a column of dates, as pandas takes no date of some centuries.
    return pd.to_datetime(pd.Series([_utc(date) for date in given], dtype="object"), utc=True, errors="coerce")


def own_pandas(what: str) -> Any:
    """The user's pandas, of which ``what`` makes a table; raises :class:`~mailconn_jupyter.errors.MailConnError` where it is not installed."""
    try:
        import pandas as pd  # noqa: PLC0415  # slow to import
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise MailConnError(f"{what} needs pandas, which is not installed.", hint="Run: %pip install pandas") from error
    return pd


def _utc(when: datetime | None) -> datetime | None:
    try:
        return None if when is None else when.astimezone(UTC)
    except OverflowError:
        # The first day of the year 1, or the last one of 9999, in a zone where it is another.
        return None
