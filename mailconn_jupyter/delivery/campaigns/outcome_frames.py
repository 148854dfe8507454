"""What became of the rows of a campaign, as tables: in pandas, and as Spark calls the kinds of its columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ...pandas_tables import dates, own_pandas
from ..journals.journal_base import Known
from ..many.many_report import Delivery

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "journal_frame", "part_frame"]

# Each with its kind in pandas and in Spark.
_PART: Final = {
    "key": ("str", "string"),
    "recipient": ("str", "string"),
    "outcome": ("str", "string"),
    "code": ("Int64", "bigint"),
    "words": ("str", "string"),
    "message_id": ("str", "string"),
    "tries": ("int64", "bigint"),
}
_JOURNAL: Final = ("key", "recipient", "outcome", "code", "words", "message_id")
#: The columns of a part, for Spark.
SCHEMA: Final = ", ".join(f"{name} {kind}" for name, (_, kind) in _PART.items())


def part_frame(rows: Iterable[tuple[str, Delivery]]) -> pd.DataFrame:
    """A row for each recipient of each message; the keys are apart."""
    rows = list(rows)
    columns = {name: [getattr(row, name) for _, row in rows] for name in _PART if name != "key"}
    return _frame({"key": [key for key, _ in rows], **columns})


def journal_frame(rows: Iterable[Known]) -> pd.DataFrame:
    """The same of all that a journal has, with the time (UTC)."""
    rows = list(rows)
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in _JOURNAL}
    columns["outcome"] = [row.settled for row in rows]
    frame = _frame(columns)
    frame["at"] = dates(datetime.fromisoformat(row.at) for row in rows)
    return frame


_CALLED: Final = "A campaign"


def _frame(columns: dict[str, list[Any]]) -> pd.DataFrame:
    pd = own_pandas(_CALLED)
    columns["code"] = [code or None for code in columns["code"]]
    return pd.DataFrame({name: pd.Series(found, dtype=_PART[name][0]) for name, found in columns.items()})
