"""Testing stored connections side by side, in threads, so that the kernel stays free for other cells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from ...errors import MailConnError
from ...session.check import CheckReport, check
from ...worker import Worker

__all__ = ["Rounds"]

_AT_ONCE: Final = 16
# With hundreds of tests a front end need not hear of each.
_BETWEEN: Final = 0.2


class Rounds:
    """One round of tests at a time, of one connection or many; ``on_change`` hears, from a thread, that it goes on."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._worker = Worker("mailconn-tests")
        self._waiting: set[str] = set()
        self._ended: list[tuple[str, CheckReport | None, str]] = []
        self._count = 0
        self._told = 0.0

    @property
    def running(self) -> bool:
        """Whether a round is under way."""
        return self._worker.running

    def is_testing(self, name: str) -> bool:
        """Whether the test of ``name`` has not ended yet."""
        return name in self._waiting

    def start(self, names: Sequence[str]) -> None:
        """Begin a round; returns at once. While one is under way it does nothing."""
        with self._worker.lock:
            if self.running or not names:
                return
            self._waiting = set(names)
            self._ended = []
            self._count = len(names)
            self._worker.start(partial(self._run, list(names)))

    def _run(self, names: list[str], cancel: threading.Event) -> None:
        self._tell(at_once=True)
        with ThreadPoolExecutor(min(len(names), _AT_ONCE), thread_name_prefix="mailconn-test") as pool:
            list(pool.map(partial(self._one, cancel), names))
        with self._worker.ending():
            pass
        self._tell(at_once=True)

    def _one(self, cancel: threading.Event, name: str) -> None:
        report, said = None, ""
        if not cancel.is_set():
            try:
                report = check(name, cancel=cancel, ask=False)
            except MailConnError as error:
                said = error.in_one_line
            except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
                said = f"The test failed: {type(error).__name__}."
        with self._worker.lock:
            self._waiting.discard(name)
            self._ended.append((name, report, said))
        self._tell()

    def _tell(self, *, at_once: bool = False) -> None:
        with self._worker.lock:
            now = time.monotonic()
            if not at_once and now - self._told < _BETWEEN:
                return
            self._told = now
        self._on_change()

    def state(self) -> tuple[str, str]:
        """How far the round is, or how it ended: the kind of message, and the sentence."""
        with self._worker.lock:
            ended = list(self._ended)
            running = self.running
        failed = [name for name, report, said in ended if said or (report is not None and not report.ok)]
        bad = f", {len(failed)} failed" if failed else ""
        if running:
            return "note", f"Testing: {len(ended)} of {self._count} finished{bad} …"
        if self._worker.cancel.is_set():
            return "note", "The tests were cancelled."
        if self._count == 1 and ended:
            return _one_ended(*ended[0])
        if failed:
            return "bad", f"{len(failed)} of {len(ended)} tests failed. Choose one of them to see why."
        return "good", f"All {len(ended)} tests passed."

    def stop(self) -> None:
        """Call the tests off; those that run end within a moment."""
        self._worker.stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the round that runs, if one does; whether it has ended."""
        return self._worker.wait(seconds)


def _one_ended(name: str, report: CheckReport | None, said: str) -> tuple[str, str]:
    if report is None or report.failed is None:
        return ("bad", f"{name}: {said}") if report is None else ("good", f"{report.summary}.")
    # What failed stands beside the connection, with its last test.
    return "bad", f"The test of {name} failed. {report.failed.hint}".strip()
