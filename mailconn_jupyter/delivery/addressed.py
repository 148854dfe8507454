"""``compose()`` for who has groups, and a log: importing this lets their names stand for addresses and for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..message.compose import compose
from ..message.remembered import remembered_by
from ..store.people import people

if TYPE_CHECKING:
    from .sent_log.log_entry import LogEntry

__all__ = ["compose", "people"]


def _sent(text: str) -> LogEntry | None:
    from .sent_log.named import named  # noqa: PLC0415  # a log, for who answers what they sent

    return named(text)


remembered_by(_sent)
