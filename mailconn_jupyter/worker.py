"""Work in a thread of its own, so that a notebook goes on: one piece at a time, called off and waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Worker"]


class Worker:
    """``lock`` guards what the work and its owner both change; ``cancel`` is set when what runs is to end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.cancel = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return self._thread is not None

    def start(self, work: Callable[[threading.Event], None]) -> bool:
        """Begin ``work(cancel)`` and return at once; while something is under way, do nothing but say so (False)."""
        with self.lock:
            if self.running:
                return False
            self.cancel = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(work, self.cancel), name=self.name, daemon=True)
            self._thread.start()
            return True

    def _run(self, work: Callable[[threading.Event], None], cancel: threading.Event) -> None:
        try:
            work(cancel)
        finally:
            with self.ending():
                pass

    @contextmanager
    def ending(self) -> Iterator[None]:
        """The last that the work does to what is shared: nothing runs from here on, and nothing new begins within."""
        with self.lock:
            if self._thread is threading.current_thread():
                self._thread = None
            yield

    def stop(self) -> None:
        """Call off what runs; it ends within a moment."""
        self.cancel.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for what runs, if anything does (seconds; None: as long as it takes); whether it has ended."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
            return not thread.is_alive()
        return True
