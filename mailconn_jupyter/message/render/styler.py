"""A pandas Styler: its own HTML, with the colours and formats that its author chose, and its styles inlined."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from html import escape
from typing import Any, Final

from ...errors import MessageError
from ...extras import install
from .html.plain_text import plain_text
from .html.sanitise import can_sanitise, module, sanitised
from .part import ROWS, Options, Part
from .styled.styled_html import InlineTemplate
from .styled.styler_rows import showing
from .styled.styler_view import part_lengths, parts_of, visible
from .table.fitting import COLUMNS, columns_that_fit
from .table.frames import PandasFrame
from .table.grid import placed
from .table.table_html import looking_alike
from .table.text_table import table_text
from .tables import rest, rest_file

__all__ = ["render_styler"]

# What pandas puts at the end of each row of which it leaves columns out, beside the index's name an empty cell; the line
# below the table says it.
_DOTS: Final = re.compile(r"<t[dh][^<>]*>(?:\.\.\.|&nbsp;)</t[dh]>\s*(?=</tr>)")
_DISPLAYS: Final = (
    "_display_funcs",
    "_display_funcs_index",
    "_display_funcs_columns",
    "_display_funcs_index_names",
    "_display_funcs_column_names",
)


def render_styler(styler: Any, options: Options) -> Part:
    """The first rows with their styles (computed over all rows), and the data attached when there are more."""
    if not can_sanitise() or module("css_inline") is None:
        raise MessageError(
            "A styled table cannot be sent: css-inline and nh3, which put its styles into its cells, are not installed.",
            hint=f"{install('report')}, or pass the DataFrame: styler.data",
        )
    lengths = part_lengths(styler)
    frame = visible(styler)
    length, wide = frame.size
    # Every style stands in each of its cells: what 50 plain rows take, so many styled ones may not.
    rows = min(max(lengths), ROWS if options.rows is None else options.rows)
    index = frame.shows_index(options.index)
    across = min(wide, COLUMNS)
    table, warnings = _page(styler, frame, rows, across, index=index)
    if (fitting := columns_that_fit(table, across)) < across:
        across = fitting
        table, warnings = _page(styler, frame, rows, across, index=index)
    if options.rows is None and len(table) > options.room and rows > 1:
        rows = max(int(rows * (options.room - 2000) / len(table) * 0.95), 1)
        table, warnings = _page(styler, frame, rows, across, index=index)
    text = table_text(table) or plain_text(table)
    # Of each Styler that stands under another one as many rows are shown.
    shown = sum(min(rows, count) for count in lengths)
    if shown == length and across == wide:
        return Part(text, placed(table), warnings=warnings)
    name = options.own_name(f"table.{options.table_as}")
    file, told = rest_file(frame, name, options)
    left = rest(shown, length, across, wide)
    said = (
        f"{left if len(lengths) == 1 else left.replace('the first ', '')} {name} holds all of them, without the styles."
    )
    return Part(f"{text}\n{said}", placed(table, said), files=(file,), warnings=warnings + told)


def _page(styler: Any, frame: PandasFrame, rows: int, columns: int, *, index: bool) -> tuple[str, tuple[str, ...]]:
    copied = _escaping(styler)
    # A mail has no pointer to hold over a cell, and what is left of a tip without it is a black box.
    copied.tooltips = None
    if not index:
        copied.hide(axis="index")
    if not rows:
        # None as a number would be pandas' own.
        for part in parts_of(copied):
            part.hidden_rows = list(range(len(part.data)))
    usual = getattr(copied, "template_html", None)
    if hasattr(usual, "render"):
        copied.template_html = InlineTemplate(usual)
    result = sanitised(showing(copied, rows).to_html(max_rows=rows or None, max_columns=columns))
    before, opens, inner = result.html.partition("<table")
    if columns < styler.data.shape[1]:
        inner = _DOTS.sub("", inner)
    html = f"{before}{looking_alike('', inner, frame.sides(rows, columns, index=index))}" if opens else result.html
    # The indentation of the source is a third of it.
    html = "\n".join(stripped for line in html.split("\n") if (stripped := line.strip()))
    return html, tuple(result.warnings)


def _escaping(styler: Any) -> Any:
    """A copy that shows texts as texts. A Styler puts values into its HTML as they are unless its author asked.

    Only what a value itself says is escaped; markup that a formatter adds (links, bold) stays, and is sanitised. Where
    a version of pandas keeps its formatters elsewhere, the sanitiser alone stands guard: safe, but ``a<b`` is cut.
    """
    copied = copy.copy(styler)
    for name in _DISPLAYS:
        functions = getattr(copied, name, None)
        if isinstance(functions, dict):
            setattr(copied, name, _Escaping(functions))
    if not hasattr(copied, _DISPLAYS[-1]):
        # Before pandas 3, no formatter writes the names of the index and of the columns.
        copied.data = copied.data.copy(deep=False)
        for labels in ("index", "columns"):
            names = [escape(name) if isinstance(name, str) else name for name in getattr(copied.data, labels).names]
            setattr(copied.data, labels, getattr(copied.data, labels).set_names(names))
    if isinstance(getattr(copied, "caption", None), str):
        copied.caption = escape(copied.caption)
    if getattr(copied, "concatenated", None):
        copied.concatenated = [_escaping(other) for other in copied.concatenated]
    return copied


class _Escaping(dict[Any, Any]):
    """A Styler's formatters by cell, each made to escape what the value says."""

    def __init__(self, functions: dict[Any, Any]) -> None:
        super().__init__()
        self._functions = functions
        self._made: dict[int, Callable[[Any], Any]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> _Escaping:
        # to_html copies all it has, and then only reads: of many thousand formatters that is a third of its time.
        return self

    def __missing__(self, key: Any) -> Callable[[Any], Any]:
        function = self._functions[key]
        made = self._made.get(id(function))
        if made is None:
            made = self._made[id(function)] = _escaping_function(function)
        self[key] = made
        return made


def _escaping_function(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def shown(value: Any) -> Any:
        text = function(value)
        if isinstance(text, int | float):
            return text
        said = str(text)
        own = said if text is value else str(value)
        safe = escape(own)
        return said.replace(own, safe) if safe != own else said

    return shown
