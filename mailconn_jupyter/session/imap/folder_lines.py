"""The answers to LIST and LSUB (RFC 9051, 7.3.1), read in a time that does not grow faster than they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

__all__ = ["FolderLine", "folder_lines", "unquoted"]

_LINE: Final = re.compile(
    rb'\(([^()]*)\) (?:NIL|"((?:[^"\\]|\\.)*)") (?:"((?:[^"\\]|\\.)*)"|(\{[0-9]+\}\Z)|([^ "]+))',
    re.IGNORECASE | re.DOTALL,
)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)


class FolderLine(NamedTuple):
    """What the server says of a folder: ``name`` is in modified UTF-7, ``delimiter`` None where names have no levels."""

    flags: tuple[str, ...]
    delimiter: str | None
    name: bytes


def folder_lines(answers: Iterable[Any]) -> Iterator[FolderLine]:
    """Each as ``imaplib`` has it: a text, or a text and the literal that is the name. What is none is passed over."""
    for answer in answers:
        line, literal = answer if isinstance(answer, tuple) else (answer, b"")
        if not isinstance(line, bytes) or not (match := _LINE.match(line)):
            continue
        said, delimiter, quoted, announced, atom = match.groups()
        yield FolderLine(
            tuple(said.decode("ascii", "replace").split()),
            None if delimiter is None else unquoted(delimiter).decode("ascii", "replace"),
            literal if announced else unquoted(quoted) if quoted is not None else atom,
        )


def unquoted(text: bytes) -> bytes:
    """What is between quotes, without the backslashes that are no part of it."""
    return _ESCAPED.sub(rb"\1", text)
