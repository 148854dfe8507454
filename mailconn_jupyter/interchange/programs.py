"""The programs whose connections are read and written, by the words of ``source=`` and ``to=``."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["SOURCES", "TARGETS", "Source", "Target"]

Source = Literal["hop", "url", "django", "msmtp", "airflow", "autoconfig"]
Target = Literal["hop", "url", "msmtp", "airflow"]

SOURCES: Final[tuple[Source, ...]] = get_args(Source)
TARGETS: Final[tuple[Target, ...]] = get_args(Target)
