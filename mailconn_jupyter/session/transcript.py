"""What was said in a session: the last lines, with stars for every secret and a count for every message."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import overload

from ..transport.transport_errors import readable

__all__ = ["Transcript"]

_MOST = 1000  # lines that are kept
_LONGEST = 500  # characters of one that are shown


class Transcript(Sequence[str]):
    r"""The lines, each after ``C:`` (this side) or ``S:`` (the server), the oldest first; the last 1000 are kept.

    >>> transcript = Transcript()
    >>> transcript.note("S", b"220 mail.example.org\r\n")
    >>> list(transcript)
    ['S: 220 mail.example.org']
    """

    def __init__(self) -> None:
        # As they came: to make words of each line of a long answer would cost more than to receive it.
        self._lines: deque[tuple[str, bytes | str]] = deque(maxlen=_MOST)

    def note(self, who: str, said: bytes | str, *, aloud: bool = False) -> None:
        """Keep a line, in which secrets are stars already; ``aloud`` prints it to standard error too."""
        self._lines.append((who, said[:_LONGEST]))
        if aloud:
            print(self[-1], file=sys.stderr)  # noqa: T201  # the debug levels of the standard library ask for it

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [_line(*line) for line in list(self._lines)[index]]
        return _line(*self._lines[index])

    def __iter__(self) -> Iterator[str]:
        return iter(self[:])

    def __len__(self) -> int:
        return len(self._lines)

    def __repr__(self) -> str:
        return f"<transcript of {len(self)} lines>"

    def __str__(self) -> str:
        return "\n".join(self[:])


def _line(who: str, said: bytes | str) -> str:
    return f"{who}: {readable(said, _LONGEST)}"
