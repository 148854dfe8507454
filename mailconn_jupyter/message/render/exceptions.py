"""An exception, for somebody who was not there: what it says first, then where it came from."""

from __future__ import annotations

import re
import traceback
from html import escape
from typing import Final

from ...errors import MailConnError
from ..texts import clean
from .part import Options, Part
from .words import PARAGRAPH, preformatted

__all__ = ["render_exception"]

_MOST: Final = 20_000
_MOST_SAID: Final = 2_000
_MARKS: Final = re.compile(r"^[ |]+[~^]+\n", re.MULTILINE)
# Frames of the notebook's own machinery, above the cell; nobody's error is there.
_MACHINERY: Final = ("/IPython/core/", "/ipykernel/", "\\IPython\\core\\", "\\ipykernel\\")


def render_exception(error: BaseException, options: Options) -> Part:
    """Its type and text in one line, then the traceback without the frames of IPython itself. No local is shown."""
    if isinstance(error, MailConnError):
        text = f"{type(error).__name__}: {error}"
        return Part(clean(text), _head(text))
    lines = traceback.format_exception_only(error)
    # Of a syntax error the line is shown below, where its marks stand right.
    said = clean("".join(lines[-1:] if isinstance(error, SyntaxError) else lines).strip())
    if len(said) > _MOST_SAID:
        said = f"{said[:_MOST_SAID]}…"
    report = traceback.TracebackException.from_exception(error)
    _trim(report)
    # Marks under a line say nothing once a mail program has wrapped it.
    whole = clean("".join(_MARKS.sub("", line) for line in report.format()).strip("\n"))
    most = max(min(_MOST, options.room), 2 * _MOST_SAID)
    if len(whole) > most:
        whole = f"{whole[: most // 2]}\n  ...\n{whole[-most // 2 :]}"
    return Part(f"{said}\n\n{whole}", f"{_head(said)}\n{preformatted(whole)}")


def _head(text: str) -> str:
    shown = escape(clean(text)).replace("\n", "<br>")
    return f'<p style="{PARAGRAPH};color:#a01515;background:#ffffff"><b>{shown}</b></p>'


def _trim(report: traceback.TracebackException | None) -> None:
    seen: set[int] = set()
    while report is not None and id(report) not in seen:
        seen.add(id(report))
        while report.stack and any(mark in report.stack[0].filename for mark in _MACHINERY):
            del report.stack[0]
        report = report.__cause__ or report.__context__
