"""What an extra of this package brings, by the names that any index knows."""

from __future__ import annotations

import re

__all__ = ["install"]


def install(extra: str) -> str:
    """The command that installs what an extra brings, from the metadata of this package.

    It names the packages themselves: this one may have come from a clone or a wheel, and be on no index.

    >>> install("sandbox")
    'pip install "aiosmtpd>=1.4.6"'
    """
    from importlib.metadata import PackageNotFoundError, requires  # noqa: PLC0415  # 5 ms that %load_ext must not cost

    try:
        lines = requires("mailconn-jupyter") or ()
    except PackageNotFoundError:
        lines = ()
    found = [re.fullmatch(rf"""([^;]+?) *; *extra == ["']{extra}["']""", line) for line in lines]
    names = [match[1] for match in found if match] or [f"mailconn-jupyter[{extra}]"]
    return " ".join(["pip install", *(f'"{name}"' for name in names)])
