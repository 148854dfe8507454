"""A JSON object whose values have the types that its program writes; what it says of a wrong one names the key alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..formatting import shown
from .import_draft import InterchangeError

__all__ = ["flag", "json_object", "text_of"]


def json_object(text: str) -> dict[str, Any]:
    """The object; anything else is an :class:`InterchangeError`, which does not repeat it."""
    found, problem = None, ""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"It is not JSON (line {error.lineno}, column {error.colno}: {error.msg})."
    except (ValueError, RecursionError):
        problem = "It is not readable JSON."
    # Outside: those errors hold the text, and a password may be in it.
    if problem:
        raise InterchangeError(problem)
    if not isinstance(found, dict):
        raise InterchangeError("It is not a JSON object.")
    return found


def text_of(said: Mapping[str, Any], key: str) -> str:
    """A text, or a number as one; empty where there is none."""
    value = said.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InterchangeError(f"{shown(key)} is not text.")
    return f"{value}"


def flag(said: Mapping[str, Any], key: str, *, default: bool = False) -> bool:
    """True or false, also in quotes; the default where it is not there."""
    value = said.get(key)
    if value is None:
        return default
    if isinstance(value, str) and value.strip().casefold() in {"true", "false", "y", "n", ""}:
        return value.strip().casefold() in {"true", "y"}
    if not isinstance(value, bool):
        raise InterchangeError(f"{shown(key)} is neither true nor false.")
    return value
