"""Running the cell below a ``%%mailconn``: it shows what it shows, and an error of its own stays its error.

The traceback is held back until the mail is on its way, and shown once, as it was when the cell failed: IPython would
show it at once, and again when the error is raised anew.
"""

from __future__ import annotations

import asyncio
import sys
import time
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from ..usage_error import UsageError
from .recorder import Recorder

__all__ = ["CellRun", "NotebookCell", "duration", "run_cell"]


@dataclass
class CellRun:
    """How a cell ended: after how many seconds, with which error, and what it showed, where that was recorded."""

    shell: Any
    seconds: float
    error: BaseException | None = None
    traceback: list[str] | None = None
    recorder: Recorder | None = None

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped it."""
        return isinstance(self.error, KeyboardInterrupt)

    @property
    def ended(self) -> str:
        """How it ended, in words: ``finished after 3.2 s``."""
        how = "was interrupted" if self.interrupted else "FAILED" if self.error is not None else "finished"
        return f"{how} after {duration(self.seconds)}"

    @property
    def left_out(self) -> list[str]:
        """What it showed that cannot be sent, in sentences."""
        return [] if self.recorder is None else self.recorder.left_out

    def content(self) -> list[Any]:
        """What it showed. Raises :class:`~mailconn_jupyter.errors.MessageError` when it was too much."""
        return [] if self.recorder is None else self.recorder.content()

    def fail(self) -> NoReturn:
        """Raise the cell's own error, which shows as it did then."""
        assert self.error is not None
        shell, own = self.shell, self.traceback
        if own is None:
            raise self.error
        original = shell._showtraceback  # noqa: SLF001  # where every front end shows its tracebacks

        def show_once(kind: Any, value: Any, traceback: Any) -> None:
            _take_back(shell, "_showtraceback")
            original(kind, value, own if value is self.error else traceback)

        shell._showtraceback = show_once  # noqa: SLF001  # the same
        raise self.error


@dataclass
class NotebookCell:
    """A cell of the notebook whose first line is ours (:class:`~mailconn_jupyter.commands.cell_mail.Cell`)."""

    shell: Any
    source: str

    def run(self, *, record: bool, stderr: bool = False) -> CellRun:
        """Run it; ``record``: keep what it shows, with ``stderr`` what is written there, too."""
        return run_cell(self.shell, self.source, Recorder(self.shell, stderr=stderr) if record else None)


def run_cell(shell: Any, cell: str, recorder: Recorder | None = None) -> CellRun:
    """Run the cell as if the magic were not there, with ``recorder`` listening."""
    _refuse_await(shell, cell)
    held: list[tuple[Any, Any, Any]] = []
    start = time.perf_counter()
    with recorder or nullcontext(), _semicolon_heeded(shell, cell), _tracebacks_held(shell, held):
        result = shell.run_cell(cell, store_history=False)
    run = CellRun(
        shell, time.perf_counter() - start, result.error_before_exec or result.error_in_exec, recorder=recorder
    )
    for kind, value, traceback in held:
        if value is run.error:
            run.traceback = traceback
        else:
            # Such as that of an object whose repr fails, which fails no cell.
            shell._showtraceback(kind, value, traceback)  # noqa: SLF001  # where it was on its way to
    return run


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(0.04), duration(75), duration(3 * 3600 + 59)
    ('0.0 s', '1 min 15 s', '3 h 0 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def _semicolon_heeded(shell: Any, cell: str) -> Iterator[None]:
    """IPython looks for the semicolon that silences a cell at the end of the cell around this one."""
    hook = sys.displayhook
    # What is no Python is told when it runs.
    with suppress(tokenize.TokenError, SyntaxError):
        if shell.displayhook.semicolon_at_end_of_expression(cell):
            sys.displayhook = lambda _value: None
    try:
        yield
    finally:
        sys.displayhook = hook


@contextmanager
def _tracebacks_held(shell: Any, held: list[tuple[Any, Any, Any]]) -> Iterator[None]:
    show = shell.showtraceback

    def show_unless_a_group(*arguments: Any, **options: Any) -> None:
        # IPython prints a group past the place where tracebacks are held; it is shown when it is raised anew.
        if not _has_group(sys.exc_info()[1]):
            show(*arguments, **options)

    held_back = {
        "showtraceback": show_unless_a_group,
        "show_usage_error": lambda _error: None,
        "_showtraceback": lambda *found: held.append(found),
    }
    for name, function in held_back.items():
        setattr(shell, name, function)
    try:
        yield
    finally:
        for name in held_back:
            _take_back(shell, name)


def _take_back(shell: Any, name: str) -> None:
    """What the shell's class provides is there again."""
    with suppress(AttributeError):
        delattr(shell, name)


def _has_group(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, BaseExceptionGroup):
            return True
        error = error.__context__
    return False


def _refuse_await(shell: Any, cell: str) -> None:
    """A kernel's event loop runs already, and cannot run a cell within the cell."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    if shell.should_run_async(cell, transformed_cell=shell.transform_cell(cell)):
        raise UsageError(
            "A cell with await outside a function cannot be used under %%mailconn.",
            hint="Await in one cell, and send its results in the next: %mailconn send NAME --to ... result",
        )
