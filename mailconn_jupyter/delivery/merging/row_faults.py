"""What is wrong with the rows of a merge, told with the row, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ...errors import MessageError
from ...message.texts import one_line
from .letter import Letter
from .row_fields import Given

__all__ = ["Fault", "MergeError", "Watch"]

_MOST_WORDS: Final = 10
_MOST_ROWS: Final = 3


@dataclass(frozen=True)
class Fault:
    """Why the row of this number (from 0, as in ``merge(...)[0]``) gives no message; ``key`` where it has one."""

    row: int
    key: str | None
    words: str

    def __str__(self) -> str:
        return f"{self._where}: {self.words}"

    @property
    def _where(self) -> str:
        return f"row {self.row}" if self.key is None else f"row {self.row} (key {one_line(self.key, 40)!r})"


class MergeError(MessageError):
    """Rows of a merge give no message that could be sent; ``faults`` has each of them."""

    def __init__(self, faults: Iterable[Fault], rows: int | None, *, hint: str = "") -> None:
        self.faults = tuple(faults)
        alike: dict[str, list[Fault]] = {}
        for fault in self.faults:
            alike.setdefault(fault.words, []).append(fault)
        lines = [_line(words, found) for words, found in list(alike.items())[:_MOST_WORDS]]
        if (left := len(alike) - _MOST_WORDS) > 0:
            lines.append(f"and {left} more")
        if rows is None:
            (said,) = lines
            super().__init__(
                f"The merge stopped at {said.removesuffix('.')}. The rows before it have already been handed out.",
                hint=hint,
            )
            return
        bad = len({fault.row for fault in self.faults})
        head = f"{bad} of {rows} rows cannot be sent, so nothing was."
        super().__init__("\n".join([head, *lines]), hint=hint)


def _line(words: str, found: list[Fault]) -> str:
    shown = ", ".join(fault._where for fault in found[:_MOST_ROWS])  # noqa: SLF001  # its own
    more = f" and {len(found) - _MOST_ROWS} more" if len(found) > _MOST_ROWS else ""
    return f"{shown}{more}: {words}"


class Watch:
    """Whom the rows so far are to, and what their keys are; ``faults`` are those of one row after the other."""

    def __init__(self, letter: Letter, *, doubles: bool) -> None:
        self._letter, self._doubles = letter, doubles
        self._keys: dict[str, int] = {}
        self._people: dict[str, int] = {}
        self.hint = ""

    def faults(self, number: int, given: Given) -> Iterator[Fault]:
        key: str | None = None
        steps: tuple[Callable[[], Any], ...] = (
            lambda: self._letter.key(given),
            lambda: self._once(number, self._letter.recipients(given)),
            lambda: self._letter.check(given),
        )
        for step in steps:
            try:
                result = step()
                if step is steps[0] and result is not None:
                    key = result
                    if (before := self._keys.setdefault(result, number)) != number:
                        raise MessageError(f"Row {before} has the same key.")
            except MessageError as error:
                self.hint = self.hint or error.hint
                yield Fault(number, key, one_line(error.message, 300))

    def _once(self, number: int, recipients: Iterable[str]) -> None:
        for address in () if self._doubles else recipients:
            # A server may tell Ana@ from ana@; hardly any does, and nobody wants the same mail twice.
            if (before := self._people.setdefault(address.casefold(), number)) != number:
                raise MessageError(
                    f"{address} is also the recipient of row {before}.", hint="If that is intended: doubles=True"
                )
