"""A connection's name: how two are compared, what its file is called, and how it is written in a magic's line.

One rule each, for the store, the secrets, the form and every line that a person is told to run.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

__all__ = ["decode", "encode", "fold", "quote"]

_KEPT: Final = re.compile(r"[^a-z0-9_ -]")
# Windows opens a device by these names, whatever the ending.
_DEVICE: Final = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
# File systems allow 255 bytes; the ending, and what a tool for backups adds, must fit too.
_LONGEST: Final = 180
# Elsewhere a dash begins a flag, an equals sign may follow a password's name, a question mark asks IPython for help, and a
# backslash goes on in the next line.
_PLAIN: Final = re.compile(r"[\w.@${}][\w.@${}:/%+~,-]*")


def fold(name: str) -> str:
    """The form in which two names are the same connection: without regard to case, in Unicode's form NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def encode(name: str) -> str:
    """The file name, without its ending, of a connection called ``name``.

    Small ASCII letters, digits, ``-``, ``_`` and inner spaces stand for themselves, all else as percent-encoded UTF-8.
    What would be too long for a file system is cut and ends in ``~`` and a hash of the whole.

    >>> encode("Ops"), encode("a/b..c"), encode("CON")
    ('ops', 'a%2Fb%2E%2Ec', '%63on')
    """
    folded = fold(name)
    stem = _KEPT.sub(lambda found: _percent(found.group()), folded)
    if _DEVICE.fullmatch(stem):
        stem = _percent(stem[0]) + stem[1:]
    if len(stem) > _LONGEST:
        # ~ is never kept as it is, so no other name can be encoded like this.
        cut = re.sub(r"%[0-9A-F]?$", "", stem[: _LONGEST - 33])
        stem = f"{cut}~{hashlib.sha256(stem.encode()).hexdigest()[:32]}"
    return stem


def _percent(text: str) -> str:
    # A name with half a surrogate is refused when it is saved; asking for one must not fail in its own way.
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def decode(stem: str) -> str:
    """The name that a file's stem says; a file made by hand may have any stem.

    >>> decode("a%2Fb%2E%2Ec"), decode("100% sure")
    ('a/b..c', '100% sure')
    """
    return unquote(stem)


def quote(text: str, mark: str = "") -> str:
    """``text`` as an argument of a magic's line, which reads it back as it is; ``mark`` asks for that kind of quotes.

    >>> quote("ops"), quote("big mail"), quote("5$ {a}")
    ('ops', '"big mail"', '"5$$ {{a}}"')
    """
    doubled = re.sub(r"[${}]", lambda found: found.group() * 2, text)
    if not mark and _PLAIN.fullmatch(doubled):
        return doubled
    mark = mark or '"'
    if mark in text:
        mark = "'" if mark == '"' else '"'
    # Who has both kinds in one name closes the one and goes on in the other.
    other = "'" if mark == '"' else '"'
    return mark + doubled.replace(mark, f"{mark}{other}{mark}{other}{mark}") + mark
