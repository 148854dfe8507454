"""Names and their values as a table of two columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .part import Part
from .table.cell_texts import is_number, others
from .table.grid import Column, Grid

__all__ = ["table_of_pairs"]


def table_of_pairs(named: Mapping[Any, Any], most: int) -> Part | None:
    """A table of names and values, without a header; None where it would have more than ``most`` characters."""
    names, values = others(list(named)), others(list(named.values()))
    if sum(map(len, (*names, *values))) > most:
        return None
    grid = Grid(
        [
            Column(("",), names, index=True, most=most),
            Column(("",), values, right=all(map(is_number, named.values())), most=most),
        ],
        header=False,
    )
    return Part(grid.text(len(names)), grid.html(grid.rows()))
