"""Whether something has changed in the store: in this form, another one, the magic, or another kernel altogether.

One thread looks at the dates of the files while a form is open; that costs about a millisecond each time, and sends
nothing to the front end, so an idle kernel stays idle.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...store import connections, last_tests

__all__ = ["Watch", "watch"]

_SECONDS: Final = 1.0


class Watch:
    """Calls every subscriber, from a thread of its own, within ``seconds`` of a change in the folders."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._subscribers: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` from now on."""
        with self._lock:
            self._subscribers.append(changed)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, args=(_seen(),), name="mailconn-watch", daemon=True)
                self._thread.start()

    def unsubscribe(self, changed: Callable[[], None]) -> None:
        """No longer; without subscribers the thread ends."""
        with self._lock, suppress(ValueError):
            self._subscribers.remove(changed)
        self.nudge()

    def nudge(self) -> None:
        """Look now: somebody here has just changed something."""
        self._wake.set()

    def _run(self, before: frozenset[tuple[str, int, int]]) -> None:
        while True:
            self._wake.wait(self._seconds)
            self._wake.clear()
            with self._lock:
                subscribers = list(self._subscribers)
                if not subscribers:
                    self._thread = None
                    return
            now = _seen()
            if now != before:
                before = now
                for changed in subscribers:
                    # One form that fails must not keep the others from hearing.
                    with suppress(Exception):
                        changed()


def _seen() -> frozenset[tuple[str, int, int]]:
    """Every file of the store and of the tests' outcomes, with its date and size."""
    found: set[tuple[str, int, int]] = set()
    for folder in (connections.folder, *connections.layers, last_tests.folder()):
        found |= _files(folder)
    return frozenset(found)


def _files(folder: Path) -> set[tuple[str, int, int]]:
    found: set[tuple[str, int, int]] = set()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                about = entry.stat()
                if entry.name.endswith(".json"):
                    found.add((entry.path, about.st_mtime_ns, about.st_size))
    return found


watch = Watch()
"""The one of this kernel."""
