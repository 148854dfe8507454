"""TLS contexts that are kept: to read the system's authorities takes longer than a handshake.

A context is made anew when a file that it was made from has changed, when the environment names others, after some
minutes (of a store of the system's nothing can be seen to have changed), and in a forked child: a thread of the
parent's may have been at work in one while the process was copied.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from ..forks import in_children
from ..paths import expanded

__all__ = ["kept", "stamp"]

_MOST = 32
_LONGEST = 600  # seconds


def stamp(path: str | None) -> tuple[int, ...]:
    """What changes when a file does; empty where there is none."""
    if not path:
        return ()
    try:
        found = expanded(path).stat()
    except (OSError, ValueError):
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


class _Place:
    """Of one context: who asks for it while it is made waits for it."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def get(self, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = make()
            return self._context


class _Kept:
    """The places of the contexts, by what these are made of."""

    def __init__(self) -> None:
        self._places: dict[object, _Place] = {}
        self._lock = threading.Lock()
        in_children(self._let_go)

    def _let_go(self) -> None:
        # Not freed: the lock of one may be held by a thread that is not here.
        self._parents: Any = self._places, self._lock
        self._places, self._lock = {}, threading.Lock()

    def get(self, key: object, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        with self._lock:
            # At the end again: that of which the last use is the longest ago goes first.
            place = self._places[key] = self._places.pop(key, _Place())
            while len(self._places) > _MOST:
                del self._places[next(iter(self._places))]
        # Not under the lock of all: it reads files, which may lie on a disk that hangs.
        return place.get(make)


_KEPT = _Kept()


def kept(made_of: object, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The context that was made of the same, of which nothing has changed since, or a new one.

    ``made_of`` has the files' stamps; those of the system's authorities are added here.
    """
    paths = ssl.get_default_verify_paths()
    system = paths.cafile, stamp(paths.cafile), paths.capath, stamp(paths.capath)
    environment = os.environ.get("SSLKEYLOGFILE"), time.monotonic() // _LONGEST
    return _KEPT.get((made_of, system, environment), make)
