"""How much memory a process took at the most."""

from __future__ import annotations

import sys

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # asked for below

__all__ = ["peak_megabytes"]


def peak_megabytes() -> float:
    """Of this process, so far; ``nan`` where the system does not tell."""
    if resource is None:
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)  # bytes there, KiB elsewhere
