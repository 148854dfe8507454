"""A number of bytes, for a person."""

from __future__ import annotations

__all__ = ["how_large"]


def how_large(size: int) -> str:
    """The size in the unit that fits, of 1000 each.

    >>> how_large(20), how_large(4711), how_large(25_000_000), how_large(3 * 10**9)
    ('20 bytes', '4.7 kB', '25.0 MB', '3.0 GB')
    """
    for unit, scale in ("GB", 10**9), ("MB", 10**6), ("kB", 10**3):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
