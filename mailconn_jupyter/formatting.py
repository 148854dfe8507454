"""Tables for a person, as HTML and as text. Everything that goes in is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["columns", "escape", "table"]


def table(rows: Iterable[Sequence[object]], *, header: Sequence[str], caption: str = "") -> str:
    """An HTML table in the notebook's own style; the first column is the row's header."""
    head = "".join(f'<th scope="col" style="text-align:left">{escape(cell)}</th>' for cell in header)
    body = []
    for row in rows:
        first, *rest = (escape(str(cell)).replace("\n", "<br>") for cell in row)
        cells = "".join(f'<td style="text-align:left">{cell}</td>' for cell in rest)
        body.append(f'<tr><th scope="row" style="text-align:left">{first}</th>{cells}</tr>')
    title = f'<caption style="text-align:left">{escape(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def columns(rows: Iterable[Sequence[object]], *, header: Sequence[str] = ()) -> str:
    """The same as lines of text with aligned columns."""
    cells = [[str(cell) for cell in row] for row in ([header] if header else [])]
    cells += [[str(cell).replace("\n", " ") for cell in row] for row in rows]
    if not cells:
        return ""
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
