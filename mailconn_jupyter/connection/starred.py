"""A text that goes to other people, such as an error or a log, with stars in place of what looks like a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ..secret import STARS
from .expansion import names_a_secret

__all__ = ["starred"]

_WORD: Final = r"[\w-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|authorization|credential)[\w-]{0,40}"
# The value behind a word that says so: password = 'x', "token": "x", --api-key x, Authorization: Bearer x.
_SAID: Final = re.compile(
    rf"""(?<![\w-])(?P<before>(?:{_WORD}["']?\s*[=:]\s*|--{_WORD}\s+)(?:(?:bearer|basic)\s+)?)"""
    r"""(?:(?P<quote>["'])[^"'\n]*(?P=quote)|[^\s"',;)\]}]+)""",
    re.IGNORECASE,
)
# RFC 3986, 3.2.1: user and password of a URL.
_IN_URL: Final = re.compile(r"(?P<before>://[^\s:/@]*:)[^\s/@]+(?=@)")
#: Characters: what is shorter may be part of any word.
_SHORTEST: Final = 6


def starred(text: str, environ: Mapping[str, str] | None = None) -> str:
    """``text`` without passwords in URLs, without what is set to a name that says so, and without such variables' values.

    It finds what it knows by its name or its form; no text can be searched for any secret.

    >>> starred("connect(password='hunter2') to https://ana:hunter2@example.org failed", {})
    "connect(password='********') to https://ana:********@example.org failed"
    """
    environ = os.environ if environ is None else environ
    known = {value for name, value in environ.items() if len(value) >= _SHORTEST and _holds_a_secret(name)}
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, STARS)
    return _SAID.sub(_hidden, _IN_URL.sub(rf"\g<before>{STARS}", text))


@lru_cache(maxsize=1024)
def _holds_a_secret(name: str) -> bool:
    """Whether the variable's value is one, not the place of one."""
    return names_a_secret(name) and not name.upper().endswith(("_FILE", "_DIR", "_PATH", "_SOCK", "_FLOW", "_COMMAND"))


def _hidden(match: re.Match[str]) -> str:
    quote = match["quote"] or ""
    return f"{match['before']}{quote}{STARS}{quote}"
