"""Whether an error holds the password: in its words, its causes, its frames, or IPython's Verbose traceback of it."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType

import pytest
from IPython.core.ultratb import VerboseTB

from mailconn_jupyter.errors import CredentialError


def password() -> str:
    """A function: a traceback with locals would print a constant of the test as well."""
    return "correct-horse-battery"


def caught(action: Callable[[], object]) -> CredentialError:
    """The error, after a look at every frame below this one and at IPython's Verbose traceback of it."""
    try:
        action()
    except CredentialError as error:
        shows_no_password(error)
        return error
    pytest.fail("no CredentialError")


def shows_no_password(error: BaseException, *, room: str = "credentials") -> None:
    """``room`` is in the names of the frames that must be among those that were looked at."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        exception = todo.pop()
        if exception is None or exception in seen:
            continue
        seen.append(exception)
        todo += [exception.__cause__, exception.__context__]
        assert password() not in repr(exception.args) + str(exception) + repr(vars(exception))
        trace = exception.__traceback__
        while trace is not None:
            holds_no_password(trace.tb_frame)
            trace = trace.tb_next
    verbose = VerboseTB().text(type(error), error, error.__traceback__)
    assert room in verbose
    assert password() not in verbose


def holds_no_password(frame: FrameType) -> None:
    for name, value in frame.f_locals.items():
        assert password() not in repr(value), f"{name} in {frame.f_code.co_qualname}"


def holds_no_text(error: BaseException, text: str) -> None:
    """Look for ``text`` in the frames of the package that an error came through, and in those of what led to it."""
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        trace = link.__traceback__ if link is not None else None
        while trace is not None:
            frame = trace.tb_frame
            if "mailconn_jupyter" in frame.f_code.co_filename:
                held = [name for name, value in frame.f_locals.items() if text in repr(value)]
                assert held == [], f"in {frame.f_code.co_qualname}"
            trace = trace.tb_next
        links += [link.__cause__, link.__context__] if link is not None else []
