"""The rows of a merge, whatever they are from: each the names of its columns with their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import fields, is_dataclass
from decimal import Decimal
from itertools import chain, islice
from typing import Any, Final

from ...errors import MessageError
from ...message.kinds import PANDAS
from ...message.render.table.cell_texts import missing
from ...message.render.tables import frame_of
from ...message.texts import one_line
from ...scalars import plain

__all__ = ["Row", "Rows", "rows_of"]

# Larger whole numbers are not exact as floats.
_EXACT: Final = 2**53


class Row(Mapping[str, Any]):
    """One row, as a function in a merge gets it: ``row["First name"]``, or ``row.email`` where the name allows it.

    A value that is missing in whatever way (NaN, NaT, <NA>) is None.
    """

    __slots__ = ("_cells",)

    def __init__(self, cells: dict[str, Any]) -> None:
        self._cells = cells

    def __getitem__(self, name: str) -> Any:
        return self._cells[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._cells:
            raise AttributeError(f"The row has no {name!r}.")
        return self._cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __repr__(self) -> str:
        return f"Row({self._cells!r})"


class Rows:
    """The rows in their order. ``once``: they come only once, as those of a generator or of a query.

    ``names`` are the columns: those of a table, else of the first row; empty where there is no row to tell.
    """

    def __init__(self, given: Iterable[Any], names: Sequence[str] = (), *, once: bool) -> None:
        self.once = once
        self._given = given
        # A cursor's rows are nameless, and it has their names.
        self._described = tuple(names)
        first = next(iter(self), None) if not once else self._peeked()
        self.names: Sequence[str] = tuple(first) if first is not None else self._described

    def _peeked(self) -> Row | None:
        given = iter(self._given)
        taken = list(islice(given, 1))
        self._given = chain(taken, given)
        return self._row(0, taken[0]) if taken else None

    def __iter__(self) -> Iterator[Row]:
        return (self._row(number, value) for number, value in enumerate(self._given))

    def __len__(self) -> int:
        if not isinstance(self._given, Sized):
            raise TypeError("The number of rows is not known until they have all been read.")
        return len(self._given)

    def at(self, number: int) -> Row:
        """The row of that number, from 0; below 0 from the end."""
        if self.once:
            raise TypeError("These rows can be read only once, in order: make a list of them to look at one.")
        if isinstance(self._given, Sequence):
            return self._row(number, self._given[number])
        if number < 0:
            number += len(self)
        row = next(islice(self, max(number, 0), None), None) if number >= 0 else None
        if row is None:
            raise IndexError(f"There is no row {number}.")
        return row

    def _row(self, number: int, value: Any) -> Row:
        names, values = _named(number, value, self._described)
        if len(set(names)) < len(names):
            raise twice(names)
        return Row(dict(zip(names, map(_cell, values), strict=True)))


def rows_of(given: Any) -> Rows:
    """The rows of a DataFrame, of dicts, of a query; :class:`~mailconn_jupyter.errors.MessageError` for what has none."""
    if isinstance(given, Mapping | str | bytes) or not (hasattr(given, "__iter__") or frame_of(given) is not None):
        raise MessageError(
            f"Rows must be a table or several dicts, not {one_line(type(given).__name__)}.",
            hint="A DataFrame, a list of dicts, or the result of a query; for a file: pandas.read_csv(...)",
        )
    if (frame := frame_of(given)) is not None:
        labels, rows = frame.records(index=None)
        # An index without a name is nothing that a template could ask for.
        names = ["_".join(filter(None, label)) for label in labels]
        own = [place for place, name in enumerate(names) if name]
        if len({names[place] for place in own}) < len(own):
            raise twice([names[place] for place in own])
        columns: list[Sequence[Any]] = [list(column) for column in zip(*rows, strict=True)] or [()] * len(names)
        if given in PANDAS:
            columns = list(map(_without_gaps_marks, columns))
        taken = list(zip(*(columns[place] for place in own), strict=True))
        return Rows(taken, [names[place] for place in own], once=False)
    # PEP 249
    described = [str(column[0]) for column in getattr(given, "description", None) or ()]
    return Rows(given, described, once=hasattr(type(given), "__next__"))


def _without_gaps_marks(column: Sequence[Any]) -> Sequence[Any]:
    """Whole numbers again of a column that pandas keeps as floats because of its gaps: customer 1001, not 1001.0."""
    known = [value for value in column if value is not None]
    if len(known) == len(column) or not all(
        type(value) is float and value.is_integer() and abs(value) < _EXACT for value in known
    ):
        return column
    return [None if value is None else int(value) for value in column]


def _named(number: int, value: Any, described: Sequence[str]) -> tuple[Sequence[str], Iterable[Any]]:
    if isinstance(value, Mapping):
        return [str(name) for name in value], value.values()
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return names, [getattr(value, name) for name in names]
    if callable(getattr(value, "keys", None)):  # sqlite3.Row, a Series
        return [str(name) for name in value.keys()], list(value)  # noqa: SIM118  # no mappings
    # Those of a namedtuple, and of SQLAlchemy's rows.
    names = [str(name) for name in getattr(value, "_fields", described)]
    if names and isinstance(value, Sized) and isinstance(value, Iterable) and len(names) == len(value):
        return names, value
    raise MessageError(
        f"Row {number} is a {one_line(type(value).__name__)}, whose values have no names.",
        hint="Give dicts or namedtuples; for sqlite3: connection.row_factory = sqlite3.Row",
    )


def twice(names: Sequence[str]) -> MessageError:
    """The error for two columns of one name, of which nobody knows which is meant."""
    name, count = Counter(names).most_common(1)[0]
    return MessageError(f"The rows have {count} columns {name!r}.", hint="Rename all but one.")


def _cell(value: Any) -> Any:
    if type(value) is str:
        return value
    own = plain(value)
    return None if missing(own) or (isinstance(own, Decimal) and own.is_nan()) else value
