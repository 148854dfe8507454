"""Tables of other libraries, each read through its own methods: what their columns are called, and their cells as texts."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from typing import Any, Final

from .cell_texts import MISSING, chosen, dates, floats, is_number, labels, missing, others
from .csv_text import csv_text
from .grid import Column

__all__ = ["ArrowFrame", "Frame", "PandasFrame", "PolarsFrame"]

_PRECISION: Final = 6
_DOUBLE: Final = 8  # bytes


class Frame(ABC):
    """A table, whatever library it is from."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Rows and columns, the index not counted."""

    @abstractmethod
    def columns(self, rows: int, columns: int, *, index: bool | None) -> Iterator[Column]:
        """The first rows of the first columns, before them the index where it is shown."""

    @abstractmethod
    def records(self, *, index: bool | None) -> tuple[list[tuple[str, ...]], Iterator[tuple[Any, ...]]]:
        """The names of all columns, and all rows as Python values; None for a value that is missing."""

    @abstractmethod
    def csv(self, *, index: bool | None) -> str:
        """All of it as CSV, lines ended by CR LF (RFC 4180)."""

    @abstractmethod
    def parquet(self, *, index: bool | None) -> bytes:
        """All of it as Parquet."""


class PandasFrame(Frame):
    """A DataFrame, or a Series as a table of one column; ``hides_index``: its index is nobody's business."""

    def __init__(self, value: Any, *, hides_index: bool = False) -> None:
        self._hides_index = hides_index
        series = value.ndim == 1
        self._nameless = series and value.name is None
        self.frame = value.to_frame() if series else value

    @property
    def size(self) -> tuple[int, int]:
        rows, columns = self.frame.shape
        return int(rows), int(columns)

    def shows_index(self, wanted: bool | None) -> bool:
        """Whether the index is shown: as ``wanted``, or, where that is None, when it says something."""
        if wanted is not None or self._hides_index:
            return bool(wanted) and not self._hides_index
        index = self.frame.index
        if index.nlevels > 1 or index.name is not None:
            return True
        # Numbers from 0 say nothing; what a filter or a sort has left of them says which rows these are.
        return self.frame.size > 0 and not index.equals(sys.modules["pandas"].RangeIndex(len(index)))

    def sides(self, rows: int, columns: int, *, index: bool) -> list[bool]:
        """Whether each column stands to the right, those of an index that is shown first, judged by its first ``rows``."""
        shown = self.frame.iloc[:rows, :columns]
        levels = range(shown.index.nlevels) if index else ()
        found = [shown.index.get_level_values(level).to_series() for level in levels]
        return [_is_right(column) for column in (*found, *(shown.iloc[:, number] for number in range(shown.shape[1])))]

    def _names(self, column: int) -> tuple[str, ...]:
        if self._nameless:
            return ("",)
        name = self.frame.columns[column]
        return labels(name) if self.frame.columns.nlevels > 1 else labels([name])

    def columns(self, rows: int, columns: int, *, index: bool | None) -> Iterator[Column]:
        shown = self.frame.iloc[:rows, :columns]
        tops = () if self._nameless else labels(shown.columns.names)
        with_index = self.shows_index(index)
        owns = labels(shown.index.names) if with_index else ()
        # Both have a name: that of the index stands in a line of its own, as pandas has it.
        apart = any(tops[-1:]) and any(owns)
        if with_index:
            yield from self._index(shown, (*tops, "") if apart else tops, owns)
        elif any(tops):
            yield Column(tops, [""] * len(shown), index=True)
        for number in range(shown.shape[1]):
            cells, right, safe = _pandas_cells(shown.iloc[:, number])
            names = self._names(number)
            yield Column((*names, "") if apart else names, cells, right=right, safe=safe)

    def _index(self, shown: Any, tops: tuple[str, ...], owns: tuple[str, ...]) -> list[Column]:
        """Its columns; the corner has the names of the columns' levels over the last of them, and its own at the bottom."""
        tops = tops or ("",) * shown.columns.nlevels
        found: list[Column] = []
        for level, own in enumerate(owns):
            cells, right, safe = _pandas_cells(shown.index.get_level_values(level).to_series(index=range(len(shown))))
            over = tops if level == len(owns) - 1 else ("",) * len(tops)
            found.append(Column((*over[:-1], own or over[-1]), cells, right=right, index=True, safe=safe))
        _blank_repeats(found)
        return found

    def records(self, *, index: bool | None) -> tuple[list[tuple[str, ...]], Iterator[tuple[Any, ...]]]:
        frame = self.frame
        series = [frame.iloc[:, number] for number in range(frame.shape[1])]
        # A column that is called None has that for its name, as in Parquet; the values of a Series have none.
        names = [name if any(name) or self._nameless else ("None",) for name in map(self._names, range(frame.shape[1]))]
        if self.shows_index(index):
            levels = range(frame.index.nlevels)
            above = ("",) * (frame.columns.nlevels - 1)
            names = [(*above, labels([frame.index.names[level]])[0]) for level in levels] + names
            series = [
                frame.index.get_level_values(level).to_series(index=range(len(frame))) for level in levels
            ] + series
        lists = [
            [None if gone else value for value, gone in zip(_values(column), column.isna().tolist(), strict=True)]
            for column in series
        ]
        return names, zip(*lists, strict=True)

    def csv(self, *, index: bool | None) -> str:
        return csv_text(self.frame, index=self.shows_index(index), header=not self._nameless)

    def parquet(self, *, index: bool | None) -> bytes:
        frame = self.frame.rename(columns=str) if self.frame.columns.nlevels == 1 else self.frame
        # Without a word of the index Parquet keeps it, row numbers in a few bytes.
        # To a buffer, and not as bytes: a GeoDataFrame knows how to write itself to a file alone.
        buffer = BytesIO()
        frame.to_parquet(buffer, index=False if self._hides_index else index)
        return buffer.getvalue()


def _uncategorised(column: Any) -> Any:
    if column.dtype.name != "category":
        return column
    return column.astype(column.cat.categories.dtype) if not column.isna().any() else column.astype(object)


def _is_right(column: Any) -> bool:
    """Whether its cells stand to the right, as numbers and lengths of time do."""
    column = _uncategorised(column)
    if column.dtype.kind in "fiucmbM":
        return column.dtype.kind not in "bM"
    known = column.dropna().tolist()
    return bool(known) and all(map(is_number, known))


def _pandas_cells(column: Any) -> tuple[list[str], bool, bool]:
    """The cells as texts, whether they stand to the right, and whether they need no escaping."""
    right = _is_right(column)
    column = _uncategorised(column)
    kind = column.dtype.kind
    gone = column.isna().tolist()
    values = column.tolist()
    gaps = any(gone)
    if gaps:
        values = [value for value, absent in zip(values, gone, strict=True) if not absent]
    safe = True
    if kind == "f":
        precision, written = chosen()
        texts = floats([float(value) for value in values], precision, written)
        safe = written is None
    elif kind in "iubc":
        texts = [str(value) for value in values]
    elif kind == "M":
        texts = dates(values)
    elif kind == "m":
        texts = [str(value).removesuffix(" 00:00:00") for value in values]
    else:
        texts, safe = others(values), False
    return _with_gaps(texts, gone) if gaps else texts, right, safe


def _values(column: Any) -> Sequence[Any]:
    """The values of a Series as Python's own; of a narrow float the number that it is written as: 0.1, not 0.10000000149."""
    if column.dtype.kind == "f" and column.dtype.itemsize < _DOUBLE:
        return [None if missing(text) or text == "<NA>" else float(text) for text in column.astype(str).tolist()]
    values: list[Any] = column.tolist()
    return values


def _with_gaps(texts: list[str], gone: list[bool]) -> list[str]:
    rest = iter(texts)
    return [MISSING if absent else next(rest) for absent in gone]


def _blank_repeats(columns: list[Column]) -> None:
    """Of several index levels, the outer ones are said once, as a notebook does."""
    before: tuple[str, ...] = ()
    for row in range(len(columns[0].cells) if len(columns) > 1 else 0):
        here = tuple(column.cells[row] for column in columns)
        for level, column in enumerate(columns[:-1]):
            if before[: level + 1] != here[: level + 1]:
                break
            column.cells[row] = ""
        before = here


class _Columnar(Frame):
    """A table without an index, whose columns come as lists of Python values."""

    @abstractmethod
    def _column(self, number: int, rows: int | None) -> tuple[str, list[Any], str]:
        """Name, values and kind: ``float``, ``number``, ``date`` or anything else."""

    def columns(self, rows: int, columns: int, *, index: bool | None) -> Iterator[Column]:
        for number in range(min(columns, self.size[1])):
            name, values, kind = self._column(number, rows)
            known = [value for value in values if not missing(value)]
            texts = dates(known) if kind == "date" else self._texts(known, kind)
            if len(known) != len(values):
                texts = _with_gaps(texts, list(map(missing, values)))
            right = kind in {"float", "number"}
            yield Column((name,), texts, right=right, safe=self._plain if right else kind == "date")

    @property
    def _plain(self) -> bool:
        """Whether numbers are written in signs that need no escaping."""
        return True

    def _texts(self, values: list[Any], kind: str) -> list[str]:
        return floats(values, _PRECISION) if kind == "float" else others(values)

    def records(self, *, index: bool | None) -> tuple[list[tuple[str, ...]], Iterator[tuple[Any, ...]]]:
        columns = [self._column(number, None) for number in range(self.size[1])]
        return [(name,) for name, _, _ in columns], zip(*(values for _, values, _ in columns), strict=True)


class PolarsFrame(_Columnar):
    """A polars DataFrame or Series."""

    def __init__(self, value: Any) -> None:
        self.frame = value.to_frame() if hasattr(value, "to_frame") else value

    @property
    def size(self) -> tuple[int, int]:
        rows, columns = self.frame.shape
        return rows, columns

    def _column(self, number: int, rows: int | None) -> tuple[str, list[Any], str]:
        series = self.frame.to_series(number)
        dtype = series.dtype
        kind = "float" if dtype.is_float() else "number" if dtype.is_numeric() else "text"
        if type(dtype).__name__ == "Datetime":
            kind = "date"
        taken = series if rows is None else series.head(rows)
        if kind == "float" and type(dtype).__name__ != "Float64":
            taken = _shortest(taken)
        return series.name, taken.to_list(), kind

    @cached_property
    def _told(self) -> tuple[int | None, str, str]:
        """Decimals, and the signs between thousands and before the decimals, as polars was told (``Config``)."""
        told = sys.modules["polars"].Config.state()
        precision = told.get("set_float_precision")
        return precision, told.get("set_thousands_separator") or "", told.get("set_decimal_separator") or "."

    @property
    def _plain(self) -> bool:
        return self._told[1:] == ("", ".")

    def _texts(self, values: list[Any], kind: str) -> list[str]:
        precision, group, point = self._told
        if kind == "float" and precision is not None:
            texts = [f"{value:.{precision}f}" for value in values]
        else:
            texts = super()._texts(values, kind)
        if self._plain or kind not in {"float", "number"}:
            return texts
        return [_grouped(text, group, point) for text in texts]

    def csv(self, *, index: bool | None) -> str:
        polars = sys.modules["polars"]
        # What has no form in CSV is the text that the message shows of it, too.
        without = (polars.Object, polars.Duration, polars.Binary)
        texts = [
            polars.Series(series.name, [None if value is None else str(value) for value in series.to_list()])
            for series in self.frame
            if series.dtype.is_nested() or series.dtype in without
        ]
        text: str = self.frame.with_columns(texts).write_csv(line_terminator="\r\n")
        return text

    def parquet(self, *, index: bool | None) -> bytes:
        from io import BytesIO  # noqa: PLC0415  # beside its only use

        buffer = BytesIO()
        self.frame.write_parquet(buffer)
        return buffer.getvalue()


def _grouped(text: str, group: str, point: str) -> str:
    """A number with the separators that polars was told; one that is no row of digits as it is."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, dot, rest = digits.partition(".")
    if not whole.isdecimal():
        return text
    return f"{sign}{int(whole):,}".replace(",", group) + (f"{point}{rest}" if dot else "")


def _shortest(series: Any) -> Any:
    polars = sys.modules["polars"]
    return series.cast(polars.String).cast(polars.Float64)


class ArrowFrame(_Columnar):
    """A pyarrow Table: what everything with an Arrow stream or the dataframe protocol is read into."""

    def __init__(self, table: Any) -> None:
        self.table = table

    @property
    def size(self) -> tuple[int, int]:
        return self.table.num_rows, self.table.num_columns

    def _column(self, number: int, rows: int | None) -> tuple[str, list[Any], str]:
        column = self.table.column(number)
        kind = str(column.type)
        kind = (
            "float"
            if kind in {"double", "float", "halffloat"}
            else "number"
            if kind.startswith(("int", "uint", "decimal"))
            else "date"
            if kind.startswith("timestamp")
            else "text"
        )
        name = str(self.table.column_names[number])
        taken = column if rows is None else column.slice(0, rows)
        if str(column.type) in {"float", "halffloat"}:
            taken = taken.cast("float").cast("string").cast("double")
        return name, taken.to_pylist(), kind

    def csv(self, *, index: bool | None) -> str:
        import csv  # noqa: PLC0415  # beside its only use
        from io import StringIO  # noqa: PLC0415  # the same

        buffer = StringIO()
        writer = csv.writer(buffer)
        names, rows = self.records(index=index)
        writer.writerow([name for (name,) in names])
        writer.writerows(rows)
        return buffer.getvalue()

    def parquet(self, *, index: bool | None) -> bytes:
        from io import BytesIO  # noqa: PLC0415  # beside its only use

        import pyarrow.parquet  # noqa: PLC0415  # the table is pyarrow's

        buffer = BytesIO()
        pyarrow.parquet.write_table(self.table, buffer)
        return buffer.getvalue()
