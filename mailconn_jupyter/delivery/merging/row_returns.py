"""What is to come back of the message of a row, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...errors import MessageError, OptionError
from ..returns import Returns
from .row_fields import Given, constant, people, words

__all__ = ["Returning", "returning"]

Returning = Callable[[Given], Returns | None]


def returning(
    columns: Sequence[str], bounce_to: Any, notify: str | Iterable[str], ret: str | None, envid: Any
) -> Returning:
    """A function of the row; ``bounce_to`` is written as recipients are, ``envid`` as a subject is.

    Raises :class:`~mailconn_jupyter.errors.OptionError` for what is wrong with it whatever the rows are.
    """
    # An iterator would be used up by the first row.
    when = notify if isinstance(notify, str) else tuple(notify)
    same = Returns.of(None, when, ret)
    if bounce_to is None and envid is None:
        request = None if same.request is None else same
        return lambda _: request
    back = constant([bounce_to]) if bounce_to in (None, "", "<>") else people(bounce_to, "bounce_to", columns)
    name = constant(None) if envid is None else words(envid, "envid", columns)

    def returns(given: Given) -> Returns:
        found = back(given)
        if len(found) != 1:
            raise MessageError(f"bounce_to gives {len(found)} addresses; bounces go to exactly one.")
        try:
            return Returns.of(found[0], when, ret, name(given))
        except OptionError as error:
            raise MessageError(error.message, hint=error.hint) from error

    return returns
