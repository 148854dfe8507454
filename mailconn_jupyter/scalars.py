"""Numbers and times as a notebook has them: those of NumPy and pandas are as good as Python's own."""

from __future__ import annotations

from typing import Any

__all__ = ["count_of", "plain"]


def plain(value: Any) -> Any:
    """A number, truth value, text or time of NumPy or pandas as Python's own (to the microsecond; NaT is None).

    Anything else as it is. Nothing is imported for it.
    """
    module = type(value).__module__
    if module == "builtins":
        return value
    # Its scalars, and arrays of no dimension; what other libraries subclass from them stays theirs.
    if module == "numpy" and getattr(value, "ndim", None) == 0:
        if value.dtype.kind in "mM" and isinstance(value.item(), int):
            # In a unit that Python's own have not.
            return value.astype(f"{value.dtype.kind}8[us]").item()
        return value.item()
    if module.partition(".")[0] == "pandas":
        if hasattr(value, "to_pydatetime"):
            return value.to_pydatetime(warn=False) if value == value else None  # noqa: PLR0124  # not so NaT
        if hasattr(value, "to_pytimedelta"):
            return value.to_pytimedelta()
    return value


def count_of(value: Any) -> int | None:
    """The whole number, zero or more, that ``value`` is; None for anything else."""
    number = plain(value)
    return number if type(number) is int and number >= 0 else None
