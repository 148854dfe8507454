"""What a forked child must not share with the process that it came from: a link, a place in a file, a lock.

``multiprocessing`` forks by default on Linux before Python 3.14, and so do joblib and Dask. Two processes that speak over
one link mix their commands, and over TLS use one key and one record number for different bytes.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

__all__ = ["in_children"]

# Not WeakMethod: at the end of the interpreter it complains when it goes before its object does.
_known: dict[int, tuple[weakref.ref[Any], Callable[[Any], None]]] = {}
_numbers = count()
_lasting: list[Callable[[], None]] = []


def in_children(let_go: Callable[[], None], *, lasting: bool = False) -> None:
    """Have a bound method called in each child that is forked from now on, as long as its object lives.

    It lets go of what is the parent's, without a word to anybody; it is called before anything else of the child runs.
    ``lasting``: for as long as the process lives; it may be any function.
    """
    if lasting:
        _lasting.append(let_go)
    else:
        number, method = next(_numbers), let_go.__func__  # type: ignore[attr-defined]  # of a bound method
        _known[number] = weakref.ref(let_go.__self__, lambda _: _known.pop(number, None)), method  # type: ignore[attr-defined]


def _forked() -> None:
    for let_go in _lasting:
        let_go()
    for owner, method in list(_known.values()):
        if (alive := owner()) is not None:
            method(alive)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forked)
