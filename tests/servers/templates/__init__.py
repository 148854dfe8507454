"""The servers' configuration files, with ``${name}`` where a value goes in."""

from __future__ import annotations

from pathlib import Path
from string import Template


def fill(template: str, **values: object) -> str:
    """Return the named file of this folder with its values in; a missing value is a KeyError."""
    text = Path(__file__).with_name(template).read_text(encoding="utf-8")
    return Template(text).substitute(values)
