"""Received messages, changed at random: whatever they are, they are read, and what is read can be shown and kept."""

from __future__ import annotations

from datetime import UTC, datetime

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.sandbox import Received
from tests.message.test_parsed import everything

from .corpus import MESSAGES
from .report import run

__all__ = ["check"]

_MOST_SHOWN = 1_100_000


def check(raw: bytes) -> None:
    """Raises where something is not as it should be, whatever the message."""
    message = ParsedMessage(raw)
    assert str(everything(message)).encode("utf-8")
    assert sum(len(each.data) for each in message.attachments) <= 2 * len(raw)
    for attachment in message.attachments:
        assert attachment.name
        assert not set(attachment.name) & set("/\\\r\n\x00")
    end = len(raw) - len(raw.partition(b"\n\n")[2])
    alone = ParsedMessage(raw[:end], complete=False)
    everything(alone)
    page = Received("ana@example.org", ("bob@example.org",), raw, datetime(2026, 11, 22, tzinfo=UTC))._repr_html_()
    assert len(page) < _MOST_SHOWN
    page.encode("utf-8")


def read(raw: bytes) -> object:
    """All that can be asked of a message."""
    return everything(ParsedMessage(raw))


if __name__ == "__main__":
    run(check, MESSAGES, "received messages", read=read)
