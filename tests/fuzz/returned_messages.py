"""Bounces, changed at random: whatever they are, they are read, and what they say can be shown and kept."""

from __future__ import annotations

from typing import Final

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.message.incoming.returned.notice import ACTIONS
from mailconn_jupyter.message.incoming.returned.notices import notices_in
from mailconn_jupyter.message.incoming.returned.signs import is_automatic, may_be_returned
from tests.support.bounce_formats import FORMATS

from .report import run

__all__ = ["BOUNCES", "check"]

BOUNCES: Final = [form.raw for form in FORMATS]


def check(raw: bytes) -> None:
    """Raises where something is not as it should be, whatever the message."""
    message = ParsedMessage(raw)
    may_be_returned(message.without_body())
    is_automatic(message.without_body())
    for notice in notices_in(message).notices:
        assert notice.action in ACTIONS
        assert notice.recipient
        for text in (notice.recipient, notice.final_recipient, notice.status, notice.words, notice.message_id):
            text.encode("utf-8")
            assert len(text) <= 1000
            assert not set(text) & set("\r\n\x00\x1b")


def read(raw: bytes) -> object:
    """All that it says."""
    return notices_in(ParsedMessage(raw))


if __name__ == "__main__":
    run(check, BOUNCES, "bounces", read=read)
