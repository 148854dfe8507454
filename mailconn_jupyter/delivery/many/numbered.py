"""The messages that somebody gives, one after the other, each with its place: what was taken, and what is left."""

from __future__ import annotations

import itertools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any

__all__ = ["Numbered"]


class Numbered:
    """The caller's messages with their places."""

    def __init__(self, messages: Iterable[Any]) -> None:
        #: How many are left; None where nobody knows.
        self.left = len(messages) if isinstance(messages, Sized) else operator.length_hint(messages) or None
        # Those that are made can be looked at before it is their turn.
        self._made = messages if isinstance(messages, list | tuple) else ()
        self._held: deque[tuple[int, Any]] = deque(maxlen=1)
        self._told: set[int] = set()
        #: Is given the keys of the next messages, before they are made; of a merge alone they are known then.
        self.foretold: Callable[[Sequence[str]], object] = bool
        # Rows that come only once are neither waited for, a hundred of them, nor gone through again.
        self._foretelling: Callable[..., Iterator[Any]] | None = (
            getattr(messages, "foretelling", None) if isinstance(messages, Sized) else None
        )
        self._come = 0
        self._messages: Iterator[tuple[int, Any]] = enumerate(messages) if self._foretelling is None else self._from(0)

    def _from(self, start: int) -> Iterator[tuple[int, Any]]:
        """Those of a merge from that row on."""
        assert self._foretelling is not None
        return enumerate(self._foretelling(self._tell, start), start)

    def _tell(self, keys: Sequence[str]) -> None:
        self.foretold(keys)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return self

    def __next__(self) -> tuple[int, Any]:
        if self._held:
            self._come = self._held[0][0] + 1
        self._held.clear()
        # In one step: an interrupt comes before it or after it, and no message is lost in between.
        self._held.extend(itertools.islice(self._messages, 1))
        if not self._held:
            raise StopIteration
        return self._held[0]

    def rest(self, told: set[int]) -> list[tuple[int, Any]]:
        """Those that are known and not among those ``told``, in this batch or in an earlier one."""
        known = enumerate(self._made) if self._made else iter(self._held)
        return [each for each in known if each[0] not in told and each[0] not in self._told]

    def take_up(self, told: set[int]) -> None:
        """Come once more, for another batch: those that were not told."""
        left, new = self.rest(told), told - self._told
        self._told |= new
        if self._foretelling is not None:
            # What was interrupted, or has failed, within a message gives no more.
            self._messages = self._from(self._held[0][0] + 1 if self._held else self._come)
        self._messages = iter(left) if self._made else itertools.chain(left, self._messages)
        if self.left is not None:
            self.left = len(left) if self._made else max(self.left - len(new), 0)
