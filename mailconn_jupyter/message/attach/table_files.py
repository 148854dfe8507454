"""The formats that a table can be attached in, by the suffix of the file's name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Final

from ...errors import MessageError
from ..render.part import Options
from ..render.table.export import FORMATS, table_file
from ..render.table.frames import Frame
from .json_text import json_bytes, json_lines, records, table_entries

__all__ = ["SEPARATORS", "TABLE_FILES"]

TableWriter = Callable[[Frame, Options], bytes]

# A cell of a CSV file in quotes, one without, or what stands between two.
_PIECE: Final = re.compile(r'"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]++|,')
_IN_QUOTES: Final = re.compile(r'[\t"\r\n]|^$')


def _exported(kind: str, frame: Frame, options: Options) -> bytes:
    return table_file(frame, kind, index=options.index, quote=options.formulas == "quote")


def _tsv(frame: Frame, options: Options) -> bytes:
    """The cells of the CSV, with tabs between them."""
    # Not by the csv module, which reads no cell of more than 131,072 characters.
    return _PIECE.sub(_with_tabs, _exported("csv", frame, options).decode()).encode()


def _with_tabs(found: re.Match[str]) -> str:
    piece = found[0]
    if piece == ",":
        return "\t"
    cell = piece[1:-1] if piece.startswith('"') else piece
    if not _IN_QUOTES.search(cell):
        return cell
    return piece if piece.startswith('"') else f'"{cell}"'


def _json(frame: Frame, options: Options) -> bytes:
    return json_bytes(table_entries(frame, options.index))


def _jsonl(frame: Frame, options: Options) -> bytes:
    return json_lines(records(frame, options.index))


def _feather(frame: Frame, options: Options) -> bytes:
    """What Parquet keeps of a table, as Arrow's own file, which is Feather's version 2."""
    try:
        import pyarrow as arrow  # noqa: PLC0415  # only who asks for Feather needs it
        from pyarrow import feather, parquet  # noqa: PLC0415  # the same
    except ImportError as error:
        raise MessageError(
            f"A table cannot be written as Feather: {error}.", hint="pip install pyarrow, or choose CSV."
        ) from error
    buffer = BytesIO()
    table = parquet.read_table(arrow.BufferReader(table_file(frame, "parquet", index=options.index, called="Feather")))
    feather.write_feather(table, buffer)
    return buffer.getvalue()


#: By suffix.
TABLE_FILES: Final[dict[str, TableWriter]] = {
    **{kind: partial(_exported, kind) for kind in FORMATS},
    "tsv": _tsv,
    "json": _json,
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "feather": _feather,
    "arrow": _feather,
}

#: Between the cells of those that a spreadsheet reads as texts, and computes.
SEPARATORS: Final = {"csv": ",", "tsv": "\t"}
