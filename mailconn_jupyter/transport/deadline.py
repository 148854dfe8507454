"""How long a series of steps may take, and whether somebody has called it off."""

from __future__ import annotations

import math
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from .transport_errors import TransportError

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["READ", "SLOWEST", "WRITE", "Limit", "in_thread"]

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

#: Bytes a second of a message: less than any link has that people read or send mail over.
SLOWEST = 4096
# For one socket: epoll and kqueue are descriptors of their own, to be opened and closed. Windows has no poll().
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)

# How soon a wait notices that it was cancelled, in seconds.
_TICK = 0.1

T = TypeVar("T")


class Limit:
    """A deadline over a whole series of waits (``seconds``; none when infinite), and a way to cancel it.

    A timeout of each single read can be stretched by a server that sends a byte a second; this cannot. Look at
    :meth:`left` whether or not anything has to be waited for: a server that never stops talking leaves nothing to wait
    for.
    """

    def __init__(
        self, seconds: float = math.inf, *, cancel: threading.Event | None = None, within: Limit | None = None
    ) -> None:
        self.seconds = seconds
        #: When it ends, by :func:`time.monotonic`.
        self.end = time.monotonic() + seconds
        self._cancel = cancel
        self._within = within
        self.extend(0)

    def within(self, seconds: float) -> Limit:
        """A limit of so many seconds that also ends when this one does."""
        return Limit(seconds, cancel=self._cancel, within=self)

    def without_end(self) -> Limit:
        """A limit without a deadline that can still be cancelled."""
        return Limit(cancel=self._cancel)

    def extend(self, seconds: float) -> None:
        """Give so many seconds more, as far as the limit that this one is within has them."""
        self.end += seconds
        if self._within is not None and self._within.end < self.end:
            self.end, self.seconds = self._within.end, self._within.seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Not to count while a person is asked something."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.extend(time.monotonic() - started)

    def left(self) -> float:
        """Seconds that are left, more than zero; raises when there are none, or when it was cancelled."""
        if self._cancel is not None and self._cancel.is_set():
            raise TransportError("It was cancelled.", cause="cancelled")
        left = self.end - time.monotonic()
        if left <= 0:
            raise TransportError(f"There was no answer within {self.seconds:.3g} seconds.", cause="no-answer")
        return left

    def step(self) -> float | None:
        """How long to wait at once (None: without end), so that a cancel is noticed soon."""
        left = self.left()
        if self._cancel is not None:
            return min(left, _TICK)
        return None if math.isinf(left) else left

    def sleep(self, seconds: float) -> None:
        """Let so many seconds go by; raises as :meth:`left`, as soon as there are none left or it was cancelled."""
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            step = self.step()
            time.sleep(remaining if step is None else min(remaining, step))
        self.left()

    def wait(self, sock: FileDescriptorLike, events: int) -> int:
        """Wait until the socket is ready, and return for what; raises as :meth:`left`."""
        with _Selector() as selector:
            selector.register(sock, events)
            while not (ready := selector.select(self.step())):
                pass
        return ready[0][1]


def in_thread(action: Callable[[], T], limit: Limit) -> T:
    """The result of a call that cannot be interrupted (a look-up of a name), awaited no longer than the limit.

    The thread is left to end by itself when the time is up: there is no way to stop it.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:  # noqa: BLE001  # handed to the caller below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="mailconn-wait")
    try:
        thread.start()
    except RuntimeError:
        # The interpreter ends (Python 3.12 and later), or there are too many threads.
        run()
    while thread.is_alive():
        thread.join(limit.step())
    if errors:
        raise errors[0]
    return results[0]
