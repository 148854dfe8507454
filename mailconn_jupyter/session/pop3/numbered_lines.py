"""The lines of LIST and UIDL: the number of a message, and what the server says of it (RFC 1939, 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["is_number", "numbered_lines"]

_DIGITS: Final = 18  # a server can say what it likes there, also more than int() takes


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """The number and the word behind it; a line that has not both is passed over.

    >>> list(numbered_lines([b"1 120", b"2 whqtswO00WBw418f9t5JxYwZ more", b"", b"9" * 5000 + b" 1"]))
    [(1, '120'), (2, 'whqtswO00WBw418f9t5JxYwZ')]
    """
    for line in lines:
        words = line.decode("ascii", "replace").split()
        if len(words) >= 2 and is_number(words[0]):
            yield int(words[0]), words[1]


def is_number(word: str | bytes) -> bool:
    """Whether it is a number, and one that a server may mean."""
    return word.isdigit() and len(word) <= _DIGITS
