"""A Styler that styles the rows that are shown, and no others, with the same outcome for those.

pandas computes the style of every cell and looks each up by its labels: for the 50 rows that a message shows of thousands
that is nearly all of the time. A style that depends on its own cell or row alone is computed for the shown rows; one that
needs its whole column is computed over all of it, but kept for the shown rows.
"""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["last_shown", "showing"]

_GRADIENT: Final = ("pandas.io.formats.style", "_background_gradient")


def showing(styler: Any, rows: int) -> Any:
    """``styler``, changed so that it styles its first ``rows`` visible rows; give it a copy of the user's own."""
    kind = type(styler)
    last, following = last_shown(styler, rows), last_shown(styler, rows + 1)
    # The methods are pandas' own and private: where a version has others, they are not called, and it styles all rows.
    styler.__class__ = type(kind.__name__, (_Shown, kind), {"_last": last, "_following": following})
    return styler


def last_shown(styler: Any, rows: int) -> int:
    """How many rows stand up to the last one that is shown, hidden ones among them."""
    hidden = sorted(set(getattr(styler, "hidden_rows", ())))
    last = rows
    for row in hidden:
        if row >= last:
            break
        last += 1
    return min(last, len(styler.data))


class _Shown:
    """What a Styler does when it computes its styles: see ``Styler._compute`` of pandas."""

    _last: int
    _following: int
    data: Any
    index: Any
    columns: Any
    ctx: Any

    def _map(self, func: Any, subset: Any = None, **options: Any) -> Any:
        above: Any = super()
        if not _of_all_rows(subset):
            return above._map(func, subset, **options)  # noqa: SLF001  # the method that this one stands before
        return self._of_first(self._last, above._map, func, subset, **options)  # noqa: SLF001  # the same

    def _apply(self, func: Any, axis: Any = 0, subset: Any = None, **options: Any) -> Any:
        above: Any = super()
        if _of_all_rows(subset):
            if axis in {1, "columns"}:
                return self._of_first(self._last, above._apply, func, axis, subset, **options)  # noqa: SLF001  # the same
            if _named(func) == _GRADIENT and options.get("gmap") is None:
                func = _Gradient(func, self._last)
        return above._apply(func, axis, subset, **options)  # noqa: SLF001  # the same

    def _translate_body(self, *arguments: Any, **options: Any) -> Any:
        above: Any = super()
        # One row more, which becomes the dots below the others.
        return self._of_first(self._following, above._translate_body, *arguments, **options)  # noqa: SLF001  # the same

    def _of_first(self, rows: int, compute: Any, *arguments: Any, **options: Any) -> Any:
        whole = self.data
        self.data = whole.iloc[:rows]
        try:
            return compute(*arguments, **options)
        finally:
            self.data = whole

    def _update_ctx(self, attrs: Any) -> None:
        above: Any = super()
        parse = getattr(sys.modules["pandas.io.formats.style_render"], "maybe_convert_css_to_tuples", None)
        if parse is None or not (self.index.is_unique and self.columns.is_unique):
            above._update_ctx(attrs)  # noqa: SLF001  # the same; labels that are not unique are its error
            return
        rows = self.index.get_indexer(attrs.index)
        shown = (rows < self._last).nonzero()[0]
        rows, attrs = rows[shown].tolist(), attrs.iloc[shown]
        known: dict[str, Any] = {}
        for number, column in enumerate(self.columns.get_indexer(attrs.columns).tolist()):
            for row, css in zip(rows, attrs.iloc[:, number].tolist(), strict=True):
                if not css or css != css:  # noqa: PLR0124  # NaN, where nothing was said of a cell
                    continue
                if (pairs := known.get(css)) is None:
                    pairs = known[css] = parse(css)
                self.ctx[row, column].extend(pairs)


def _named(function: Any) -> tuple[Any, Any]:
    return getattr(function, "__module__", None), getattr(function, "__name__", None)


class _Gradient:
    """pandas' own gradient, whose colours depend on the least and the greatest of all values."""

    def __init__(self, colour: Any, last: int) -> None:
        self._colour = colour
        self._last = last
        self.__name__ = colour.__name__

    def __call__(self, data: Any, *, vmin: float | None = None, vmax: float | None = None, **options: Any) -> Any:
        numpy = sys.modules["numpy"]
        values = data.to_numpy(dtype=float, na_value=numpy.nan)
        vmin = numpy.nanmin(values) if vmin is None else vmin
        vmax = numpy.nanmax(values) if vmax is None else vmax
        shown = data.iloc[: self._last]
        styles = self._colour(shown, vmin=vmin, vmax=vmax, **options)
        return sys.modules["pandas"].Series(styles, index=shown.index) if data.ndim == 1 else styles


def _of_all_rows(subset: Any) -> bool:
    """Whether a style's ``subset`` names columns alone, as pandas reads it."""
    if isinstance(subset, tuple):
        return bool(subset) and isinstance(subset[0], slice) and subset[0] == slice(None)
    if isinstance(subset, slice):
        return subset == slice(None)
    return subset is None or isinstance(subset, str | list) or getattr(subset, "ndim", 0) == 1
