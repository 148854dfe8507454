"""An inbox and its messages for a person: as text, and as HTML in which nothing of a message can act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..formatting import columns, counted, cut, prose, table
from ..message.incoming.message_view import FAINT, MOST_CHARACTERS
from .received import Received, one_line, received_html

__all__ = ["inbox_html", "inbox_text"]

_MOST_ROWS: Final = 50
_MOST_OPENED: Final = 10


def inbox_text(messages: Sequence[Received]) -> str:
    """The list as text."""
    if not messages:
        return "Inbox: nothing has arrived yet."
    return f"Inbox: {counted(len(messages), 'message')}\n{columns(_rows(messages), header=_COLUMNS)}{_older(messages)}"


def inbox_html(messages: Sequence[Received]) -> str:
    """The list, and the newest messages to open; the newest is open."""
    if not messages:
        return f"<p>{inbox_text(messages)}</p>"
    shown = [table(_rows(messages), header=_COLUMNS, caption=f"Inbox: {counted(len(messages), 'message')}")]
    if older := _older(messages):
        shown.append(f'<p style="{FAINT}">{prose(older.strip())}</p>')
    left = MOST_CHARACTERS
    for index in range(len(messages) - 1, max(len(messages) - _MOST_OPENED, 0) - 1, -1):
        page = received_html(messages[index], most=left)
        left -= len(page)
        opened = " open" if index == len(messages) - 1 else ""
        title = f"{index}: {_subject(messages[index])}"
        shown.append(
            f'<details{opened} style="margin:.5em 0"><summary style="cursor:pointer">{prose(title)}</summary>'
            f"{page}</details>"
        )
        if left <= 0:
            break
    return "".join(shown)


_COLUMNS: Final = ("Index", "From", "To", "Subject", "Arrived")


def _rows(messages: Sequence[Received]) -> list[tuple[str, str, str, str, str]]:
    first = max(len(messages) - _MOST_ROWS, 0)
    return [
        (
            str(index),
            cut(received.header("From") or one_line(received.sender)),
            cut(_recipients(received.recipients)),
            _subject(received),
            f"{received.arrived:%H:%M:%S}",
        )
        for index, received in enumerate(messages[first:], first)
    ]


def _older(messages: Sequence[Received]) -> str:
    count = len(messages) - _MOST_ROWS
    return f"\nBefore these: {counted(count, 'message')}, inbox[0] to inbox[{count - 1}]." if count > 0 else ""


def _recipients(recipients: Sequence[str]) -> str:
    more = f" and {len(recipients) - 3} more" if len(recipients) > 3 else ""
    return f"{one_line(', '.join(recipients[:3]))}{more}"


def _subject(received: Received) -> str:
    return cut(received.subject) or "(no subject)"
