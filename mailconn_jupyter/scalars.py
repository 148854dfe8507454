"""Numbers as a notebook has them: those of NumPy, and so of pandas, are as good as Python's own."""

from __future__ import annotations

from typing import Any

__all__ = ["count_of", "plain"]


def plain(value: Any) -> Any:
    """A number, truth value or text of NumPy as Python's own; anything else as it is. Nothing is imported for it."""
    # Its scalars, and arrays of no dimension; what other libraries subclass from them stays theirs.
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    return value


def count_of(value: Any) -> int | None:
    """The whole number, zero or more, that ``value`` is; None for anything else."""
    number = plain(value)
    return number if type(number) is int and number >= 0 else None
