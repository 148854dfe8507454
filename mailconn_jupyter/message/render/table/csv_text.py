"""A DataFrame as CSV: pandas writes it, or, where it is numbers alone, Arrow makes the texts, several times faster."""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["csv_text"]

_END: Final = "\r\n"  # RFC 4180
#: A text takes about 70 bytes; pandas makes and forgets those of a larger table piece by piece.
_MOST_CELLS: Final = 500_000


def csv_text(frame: Any, *, index: bool, header: bool) -> str:
    """The table, lines ended by CR LF. Every number reads back as it was, in one of its shortest forms."""
    arrow = sys.modules.get("pyarrow")
    # An empty line for a cell that is missing would be no row, so one column alone is not joined.
    if arrow and not index and frame.shape[1] > 1 and 0 < frame.size <= _MOST_CELLS and all(map(_plain, frame.dtypes)):
        columns = [_texts(frame.iloc[:, number].to_numpy(), arrow) for number in range(frame.shape[1])]
        head: str = frame.iloc[:0].to_csv(index=False, header=header, lineterminator=_END)
        return head + _END.join([*map(",".join, zip(*columns, strict=True)), ""])
    text: str = frame.to_csv(index=index, header=header, lineterminator=_END)
    return text


def _plain(dtype: Any) -> bool:
    """Whether its values are NumPy's own integers or doubles, in this machine's order of bytes."""
    own = type(dtype).__module__.startswith("numpy") and dtype.isnative
    return own and (dtype.kind in "iu" or dtype == "float64")


def _texts(values: Any, arrow: Any) -> list[str]:
    texts = arrow.array(values, from_pandas=True).cast(arrow.string()).fill_null("").to_pylist()
    if values.dtype.kind == "f" and (values == values.round()).any():
        # Arrow writes 3.0 as 3, which would read back as an integer.
        return [text if "." in text or "e" in text or "n" in text or not text else f"{text}.0" for text in texts]
    return list(texts)
