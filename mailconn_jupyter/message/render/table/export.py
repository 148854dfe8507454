"""A whole table as a file: CSV, XLSX or Parquet. Nothing of it is lost, and no cell becomes a formula."""

from __future__ import annotations

import datetime
import decimal
import math
import re
from io import BytesIO
from typing import Any, Final

from ....errors import MailConnError, MessageError
from ...texts import mended_lines, one_line
from .formulas import quoted
from .frames import Frame

__all__ = ["FORMATS", "table_file"]

FORMATS: Final = ("csv", "xlsx", "parquet")
_MOST_ROWS: Final = 1_048_576  # of a sheet
_EXACT: Final = 10**15  # a sheet's numbers have 15 digits
# XML 1.0 has no such characters.
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST: Final = 32_767


def table_file(frame: Frame, kind: str, *, index: bool | None, quote: bool = False, called: str = "") -> bytes:
    """The table in the format ``kind``; :class:`MessageError` when it does not fit the format.

    ``quote``: in CSV, a text that a spreadsheet would compute has an apostrophe before it. ``called`` is the format that
    is made of it, in errors.
    """
    what = called or kind
    try:
        match kind:
            case "csv":
                text = mended_lines(frame.csv(index=index))
                text = quoted(text) if quote else text
                # Excel takes UTF-8 for its local code page unless a byte order mark says otherwise.
                return text.encode() if text.isascii() else text.encode("utf-8-sig")
            case "xlsx":
                return _xlsx(frame, index)
            case "parquet":
                return frame.parquet(index=index)
    except MailConnError:
        raise
    except ImportError as error:
        raise MessageError(
            f"A table cannot be written as {what}: {error}.", hint=f"pip install {_NEEDS[kind]}, or choose CSV."
        ) from error
    except Exception as error:
        raise MessageError(
            f"The table cannot be written as {what}: {one_line(str(error), 300)}", hint="Choose another format."
        ) from error
    raise MessageError(f"There is no table format {kind!r}.", hint=f"Choose one of {', '.join(FORMATS)}.")


_NEEDS: Final = {"csv": "pandas", "xlsx": "openpyxl", "parquet": "pyarrow"}


def _xlsx(frame: Frame, index: bool | None) -> bytes:
    import openpyxl  # noqa: PLC0415  # only who asks for XLSX needs it
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  # the same
    from openpyxl.styles import Font  # noqa: PLC0415  # the same

    names, rows = frame.records(index=index)
    depth = max((len(name) for name in names), default=1)
    if frame.size[0] + depth > _MOST_ROWS:
        raise MessageError(f"The table has {frame.size[0]} rows; a sheet holds {_MOST_ROWS}.", hint="Choose CSV.")
    # All of it is looked at first: a sheet that is half written cannot be left.
    cells = [[_for_sheet(entry) for entry in row] for row in rows]
    longest = max((len(value) for row in cells for value in row if isinstance(value, str)), default=0)
    if longest > _LONGEST:
        raise MessageError(
            f"A text in the table has {longest} characters; a cell of a sheet holds {_LONGEST}.",
            hint="Choose CSV or Parquet.",
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("table")
    sheet.freeze_panes = f"A{depth + 1}"

    def text_cell(value: str, *, bold: bool = False) -> Any:
        cell = WriteOnlyCell(sheet, _ILLEGAL.sub("\ufffd", value))
        # A text that begins with = is a text: the sheet must not compute, or fetch, what a value says.
        cell.data_type = "s"
        if bold:
            cell.font = Font(bold=True)
        return cell

    for level in range(depth):
        sheet.append([text_cell(name[level] if level < len(name) else "", bold=True) for name in names])
    for row in cells:
        sheet.append([text_cell(value) if isinstance(value, str) else value for value in row])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _for_sheet(value: Any) -> Any:
    """The value as a sheet can hold it, else as text."""
    if type(value).__module__ == "numpy":
        value = value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < _EXACT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case decimal.Decimal():
            return value if value.is_finite() and len(value.as_tuple().digits) <= 15 else str(value)
        case datetime.datetime():
            # A sheet knows no time zones, and nothing finer than a millisecond.
            if value.tzinfo is not None or value.microsecond % 1000 or getattr(value, "nanosecond", 0):
                return str(value)
            return datetime.datetime(*value.timetuple()[:6], microsecond=value.microsecond)  # noqa: DTZ001  # it has none
        case datetime.date() | datetime.time():
            return value
        case datetime.timedelta() if not getattr(value, "nanoseconds", 0):
            return datetime.timedelta(value.days, value.seconds, value.microseconds)
        case _:
            return str(value)
