"""Tables in a message: the first rows to read, and all of them attached when there are more."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...errors import MessageError
from ...formatting import counted
from ..kinds import PANDAS, kind_of, load
from .no_content import refuse_plot_part
from .objects import render_rich
from .part import ROWS, File, Options, Part
from .plots.plot_leftovers import figure_of
from .table.cell_texts import LONGEST
from .table.export import FORMATS, table_file
from .table.fitting import COLUMNS, fitting
from .table.formulas import told
from .table.frames import ArrowFrame, Frame
from .table.grid import Grid

__all__ = ["frame_of", "render_interchange", "render_table", "rest", "rest_file"]


def render_table(value: Any, options: Options) -> Part:
    """A DataFrame or a Series, of whatever library."""
    if value in PANDAS and value.ndim == 1 and value.size and figure_of(value.iloc[0]) is not None:
        # df.groupby(...).plot() gives a Series of axes.
        refuse_plot_part(value.iloc[0], options)
    frame = frame_of(value)
    assert frame is not None
    return render_frame(frame, options)


def render_interchange(value: Any, options: Options) -> Part:
    """Anything that hands out its columns: as an Arrow stream, or by the dataframe interchange protocol."""
    frame = frame_of(value)
    if frame is None:
        return render_rich(value, options)
    return render_frame(frame, options)


def frame_of(value: Any) -> Frame | None:
    """The table that ``value`` is; None when it is none, or when no library that is installed can read it."""
    if (kind := kind_of(value)) is not None and kind.read:
        frame: Frame = load(kind.read)(value)
        return frame
    if isinstance(value, type) or not {"__arrow_c_stream__", "__dataframe__"} & set(dir(type(value))):
        return None
    try:
        # Arrow is what such objects speak; there is no reading them without it.
        arrow = import_module("pyarrow")
    except ImportError:
        return None
    try:
        if hasattr(type(value), "__arrow_c_stream__"):
            return ArrowFrame(arrow.table(value))
        return ArrowFrame(import_module("pyarrow.interchange").from_dataframe(value))
    except Exception:  # noqa: BLE001  # a stream of one column, for example, or a protocol that is not all there
        return None


def render_frame(frame: Frame, options: Options) -> Part:
    """What is shown of a table, and, when that is not all, the file that holds it all."""
    if options.table_as not in FORMATS:
        raise MessageError(
            f"There is no table format {options.table_as!r}.", hint=f"Choose one of {', '.join(FORMATS)}."
        )
    if options.rows is not None and options.rows < 0:
        raise MessageError(f"rows={options.rows!r}: the number of rows to show must be zero or more.")
    length, wide = frame.size
    wanted = min(length, ROWS if options.rows is None else options.rows)
    columns = frame.columns(wanted, COLUMNS, index=options.index)
    grid = Grid(fitting(columns, lambda column: column.wide, lambda column: column.index))
    if not grid.columns:
        return Part(f"(an empty table: {counted(length, 'row')}, no columns)")
    rows = grid.rows()
    if options.rows is None:
        rows = _that_fit(rows, options.room)
    shown = len(rows)
    cut = any(len(cell) > LONGEST for column in grid.columns if not column.safe for cell in column.cells[:shown])
    text = grid.text(shown)
    across = sum(not column.index for column in grid.columns)
    if shown == length and across == wide and not cut:
        return Part(text, grid.html(rows))
    name = options.own_name(f"table.{options.table_as}")
    file, warnings = rest_file(frame, name, options)
    said = f"{rest(shown, length, across, wide)} {name} holds all of them."
    return Part(f"{text}\n{said}", grid.html(rows, said), files=(file,), warnings=warnings)


def rest_file(frame: Frame, name: str, options: Options) -> tuple[File, tuple[str, ...]]:
    """The file of a table of which not all is shown, and what its author is told."""
    data = table_file(frame, options.table_as, index=options.index, quote=options.formulas == "quote")
    is_csv = options.table_as == "csv"
    return File(name, data, as_lines=is_csv), told(name, data) if is_csv else ()


def _that_fit(rows: list[str], room: int) -> list[str]:
    room -= 2000  # the table's head
    for number, row in enumerate(rows):
        room -= len(row) if row.isascii() else len(row.encode())
        if room < 0:
            # One row at least: a table without any says nothing.
            return rows[: max(number, 1)]
    return rows


def rest(rows: int, of_rows: int, columns: int, of_columns: int) -> str:
    """The sentence under a table of which not all is shown, up to its semicolon."""
    said = []
    if rows < of_rows:
        said.append(
            f"the first {rows} of {counted(of_rows, 'row')}" if rows else f"{counted(of_rows, 'row')}, none shown"
        )
    if columns < of_columns:
        said.append(f"the first {columns} of {of_columns} columns")
    return f"... {' and '.join(said)};" if said else "Long cells are cut;"
