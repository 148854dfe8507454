"""One browser for all of Plotly's figures in a process: to start one takes seconds, to draw a figure a tenth of one.

It is kaleido's, in a thread with an event loop of its own. It ends with the process, and when nothing was drawn for a
while; one that dies is replaced, one that hangs is killed, and a forked child starts its own.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from importlib import import_module
from typing import Any, Final

from ....forks import in_children

__all__ = ["BROWSER", "Browsers"]

_LIMIT: Final = 90.0  # seconds for one figure, the browser's start among them
_IDLE: Final = 300.0  # seconds after which a browser that draws nothing ends
_ENDING: Final = 5.0  # seconds for it to end by itself

_Job = tuple[Mapping[str, Any], Mapping[str, Any], Any, "Future[bytes]"]


class _EndedError(Exception):
    """The browser is no more: it died, or it has been idle."""


class _Browser:
    """One browser, from its start to its end."""

    def __init__(self, settings: Mapping[str, Any], idle: float) -> None:
        self.settings = dict(settings)
        self._idle = idle
        self._door = threading.Lock()
        self._waiting: list[_Job] = []
        self._over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._more = asyncio.Event()
        self._asked_to_end = False
        self._kaleido: Any = None
        self._thread = threading.Thread(target=self._run, name="mailconn charts", daemon=True)
        self._thread.start()

    def draw(self, figure: Mapping[str, Any], options: Mapping[str, Any], topojson: Any, limit: float) -> bytes:
        """The figure's image; :class:`_EndedError`, :class:`TimeoutError`, or what is wrong with the figure."""
        done: Future[bytes] = Future()
        with self._door:
            if self._over:
                raise _EndedError
            self._waiting.append((figure, options, topojson, done))
            self._wake()
        return done.result(limit)

    def end(self, seconds: float) -> None:
        """Let it end by itself, or kill it."""
        with self._door:
            self._asked_to_end = True
            self._wake()
        self._thread.join(seconds)
        if self._thread.is_alive():
            self.kill()

    def kill(self) -> None:
        """End it at once; nobody who draws waits any longer."""
        self._close([])
        process = getattr(self._kaleido, "subprocess", None)
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):
                # Its own session, and all that it has started.
                os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()

    @property
    def dead(self) -> bool:
        process = getattr(self._kaleido, "subprocess", None)
        return self._over or (process is not None and process.poll() is not None)

    def _wake(self) -> None:
        # A loop that is closed wakes nobody, and has told all who waited.
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._more.set)

    def _close(self, current: list[_Job], error: BaseException | None = None) -> None:
        with self._door:
            self._over = True
            left, self._waiting = [*current, *self._waiting], []
        for *_, done in left:
            if not done.done():
                done.set_exception(error or _EndedError())

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001  # whoever waits gets it
            self._close([], error)
        self._close([])

    async def _live(self) -> None:
        with self._door:
            self._loop = asyncio.get_running_loop()
        self._kaleido = import_module("kaleido").Kaleido(n=1, **self.settings)
        try:
            await self._kaleido.open()
            while not self._asked_to_end and not self._over:
                self._more.clear()
                while self._waiting:
                    await self._answer(self._waiting.pop(0))
                if self._asked_to_end:
                    return
                try:
                    await asyncio.wait_for(self._more.wait(), self._idle)
                except TimeoutError:
                    return
        finally:
            self._close([])
            # One that died, or did not start, is no news to whoever waits for an image.
            with contextlib.suppress(Exception):
                await self._kaleido.close()

    async def _answer(self, job: _Job) -> None:
        figure, options, topojson, done = job
        try:
            image = await self._kaleido.calc_fig(figure, opts=options, topojson=topojson)
        except BaseException as error:
            if not done.done():
                done.set_exception(_EndedError() if isinstance(error, asyncio.CancelledError) else error)
            if not isinstance(error, Exception):
                raise
        else:
            if not done.done():
                done.set_result(image)


class Browsers:
    """The browser that there is now, if there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: _Browser | None = None

    def draw(
        self, figure: Mapping[str, Any], options: Mapping[str, Any], topojson: Any, settings: Mapping[str, Any]
    ) -> bytes:
        """The image that kaleido makes of the figure, within 90 seconds; raises what it raises, and :class:`TimeoutError`."""
        while True:
            browser, new = self._running(settings)
            try:
                return browser.draw(figure, options, topojson, _LIMIT)
            except TimeoutError:
                browser.kill()
                raise TimeoutError(f"The browser did not draw it within {_LIMIT:.0f} seconds.") from None
            except _EndedError:
                if new:
                    raise
            except Exception:
                if new or not browser.dead:
                    raise
            finally:
                if new:
                    # Now, and so before the end of what the browser made while it started: its folder is not deleted under it.
                    atexit.unregister(self.end)
                    atexit.register(self.end)

    def _running(self, settings: Mapping[str, Any]) -> tuple[_Browser, bool]:
        with self._lock:
            now = self._now
            if now is not None and not now.dead and now.settings == settings:
                return now, False
            if now is not None:
                now.end(0)
            self._now = _Browser(settings, _IDLE)
            return self._now, True

    def end(self) -> None:
        """End it; what is drawn later begins another."""
        with self._lock:
            now, self._now = self._now, None
        atexit.unregister(self.end)
        if now is not None:
            now.end(_ENDING)

    def forget(self) -> None:
        """In a forked child: the browser, its thread and its lock are the parent's."""
        self._lock = threading.Lock()
        self._now = None
        atexit.unregister(self.end)


BROWSER: Final = Browsers()
in_children(BROWSER.forget, lasting=True)
