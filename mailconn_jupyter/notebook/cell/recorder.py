"""What a cell shows while it runs, kept for a message: printed text, displayed objects, the value of the last line.

All of it is shown as usual; the recorder only listens. IPython's own ``capture_output`` would hold it back until the
cell's end, and would keep a table as the HTML of its first rows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Final, Self
from weakref import ref

from ...errors import MessageError
from ...formatting import how_large
from ...message.render.cell_outputs import WIDGET, displayed, printed
from ...message.render.plots.plot_leftovers import is_figure, is_leftover
from ...message.render.snapshot import snapshot
from ...message.texts import one_line

__all__ = ["Recorder"]

# Bytes, roughly, after which nothing more is kept: no server takes a message of that size.
_MOST: Final = 100_000_000


@dataclass
class _Shown:
    """One output: pieces of a stream's text, or a displayed object in the form that a message takes."""

    stream: str = ""
    pieces: list[str] = field(default_factory=list)
    content: Any = None
    display_id: str = ""
    figure: ref[Any] | None = None


class _Tee:
    """A stream that also tells what is written to it."""

    def __init__(self, stream: Any, heard: Callable[[str], None]) -> None:
        self._stream = stream
        self._heard = heard

    def write(self, text: str) -> Any:
        written = self._stream.write(text)
        self._heard(text)
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Recorder:
    """A context manager within which a cell runs; afterwards :meth:`content` is what the cell showed, in order.

    ``stderr``: keep what is written there, too. ``left_out`` says what cannot be sent.
    """

    def __init__(self, shell: Any, *, stderr: bool = False) -> None:
        self._shell = shell
        self._streams = ("stdout", "stderr") if stderr else ("stdout",)
        self._shown: list[_Shown] = []
        self._made: tuple[Any, Any, Any] | None = None
        self._hears = True
        self._clear_first = False
        self._at_end = False
        self._bytes = 0
        self._leftovers: list[str] = []
        self._stack = ExitStack()
        self.left_out: list[str] = []

    def content(self) -> list[Any]:
        """What the cell showed. Raises :class:`~mailconn_jupyter.errors.MessageError` when it was too much."""
        if self._bytes > _MOST:
            raise MessageError(
                f"The cell showed more than {how_large(_MOST)}, more than any mail server accepts.",
                hint="Print less, or write it to a file and send a link.",
            )
        found: list[Any] = []
        for shown in self._shown:
            if shown.stream:
                if text := printed("".join(shown.pieces)):
                    found.append(text)
            else:
                found.append(shown.content)
        return found

    def __enter__(self) -> Self:
        shell = self._shell
        for name in self._streams:
            self._replace(sys, name, _Tee(getattr(sys, name), partial(self._heard, name)))
        self._replace(sys, "displayhook", self._hook(sys.displayhook))
        self._replace(shell.display_pub, "publish", self._publish(shell.display_pub.publish))
        self._replace(shell.display_pub, "clear_output", self._clear(shell.display_pub.clear_output))
        self._replace(shell.display_formatter, "format", self._format(shell.display_formatter.format))
        self._replace(shell.events, "trigger", self._trigger(shell.events.trigger))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        if not any(shown.figure for shown in self._shown):
            # Nobody misses them beside their figure.
            self.left_out += [
                f"Parts of a Matplotlib figure ({name}) are not sent: show the figure itself."
                for name in dict.fromkeys(self._leftovers)
            ]

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        """Put ``value`` there until the end; what the class provides comes back by itself."""
        own = vars(owner).get(name)
        setattr(owner, name, value)

        def restore() -> None:
            # Somebody else may have put something over it, and will take it away.
            if vars(owner).get(name) is not value:
                return
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

        self._stack.callback(restore)

    def _heard(self, stream: str, text: str) -> None:
        if not self._hears or not text or self._full(len(text)):
            return
        self._clear_now()
        if not self._shown or self._shown[-1].stream != stream:
            self._shown.append(_Shown(stream))
        self._shown[-1].pieces.append(text)

    def _full(self, more: int) -> bool:
        self._bytes += more
        return self._bytes > _MOST

    def _clear_now(self) -> None:
        if self._clear_first:
            self._shown.clear()
        self._clear_first = False

    @contextmanager
    def _hearing(self, *, hears: bool) -> Iterator[None]:
        """A plain IPython prints what it displays: that is not heard. What an object prints meanwhile is."""
        before, self._hears = self._hears, hears
        try:
            yield
        finally:
            self._hears = before

    def _format(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def formatted(obj: Any, include: Any = None, exclude: Any = None) -> Any:
            begin = len(self._shown)
            with self._hearing(hears=True):
                data, metadata = original(obj, include=include, exclude=exclude)
            # Who asks for one form of an object gets that form.
            chosen = None if include or exclude else obj
            # What was made of other objects within is displayed, or part of this one.
            self._made = (data, metadata, chosen) if data else None
            if not data and len(self._shown) > begin and chosen is not None and (kept := snapshot(chosen)) is not None:
                # It has displayed itself, in forms of which the object can do better.
                self._shown[begin:] = [_Shown(content=kept)]
            return data, metadata

        return formatted

    def _publish(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def published(data: Any, metadata: Any = None, *rest: Any, **more: Any) -> Any:
            with self._hearing(hears=False):
                result = original(data, metadata, *rest, **more)
            display_id = str((more.get("transient") or {}).get("display_id") or "")
            self._displayed(data, metadata or {}, display_id, update=bool(more.get("update")))
            return result

        return published

    def _hook(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        def hook(value: Any) -> None:
            self._made = None
            with self._hearing(hears=False):
                original(value)
            # Nothing was made of None, nor of a line that ends with a semicolon.
            if self._made is None:
                return
            if is_leftover(value):
                self._leftovers.append(one_line(type(value).__name__, 60))
            else:
                self._displayed(self._made[0], self._made[1], "", update=False)

        return hook

    def _clear(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def clear(wait: bool = False, *rest: Any, **more: Any) -> Any:
            with self._hearing(hears=False):
                result = original(wait, *rest, **more)
            self._clear_first = True
            if not wait:
                self._clear_now()
            return result

        return clear

    def _trigger(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def triggered(event: str, *rest: Any, **more: Any) -> Any:
            before, self._at_end = self._at_end, event == "post_execute"
            try:
                return original(event, *rest, **more)
            finally:
                self._at_end = before

        return triggered

    def _is_repeat(self, shown: _Shown) -> bool:
        """Whether it is a figure that was shown already, which pyplot shows again at the cell's end if it is still open."""
        if not self._at_end or shown.figure is None:
            return False
        # References to one living object are equal.
        return any(before.figure == shown.figure and before.content == shown.content for before in self._shown)

    def _displayed(self, data: Any, metadata: Any, display_id: str, *, update: bool) -> None:
        made, self._made = self._made, None
        value = made[2] if made is not None and made[0] is data else None
        if WIDGET in data:
            name = one_line(str(data.get("text/plain", "widget")).partition("(")[0], 60)
            self.left_out.append(f"A widget ({name}) is not sent: it only works in the notebook.")
            return
        if self._full(sum(len(form) for form in data.values() if isinstance(form, str | bytes))):
            return
        content = None if value is None else snapshot(value)
        if content is None:
            name = "output" if value is None else one_line(type(value).__name__, 60)
            content = displayed(data, metadata, name)
        figure = ref(value) if value is not None and is_figure(value) else None
        shown = _Shown(content=content, display_id=display_id, figure=figure)
        if not update:
            self._clear_now()
            if not self._is_repeat(shown):
                self._shown.append(shown)
            return
        for place, before in enumerate(self._shown):
            if display_id and before.display_id == display_id:
                self._shown[place] = shown
