"""From a message to the notices in it: whose mail could not be delivered, is late, or has arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from ..parsed import ParsedMessage
from .delivery_status import STATUS_TYPES, delivery_status
from .notice import Notice
from .older_formats import known_formats
from .original import answered_id, id_in, returned_id
from .plain_bounce import named_in_sentence, notices_about, plain_notices, with_reasons, without_copy
from .signs import from_a_server, may_be_returned

__all__ = ["Found", "notices_in"]

# Reports on another message that are no bounces: that it was read (RFC 8098), that somebody called it spam (RFC 5965).
_OTHER_REPORTS: Final = frozenset(
    {"message/disposition-notification", "message/global-disposition-notification", "message/feedback-report"}
)


class Found(NamedTuple):
    """What a message says. ``more``: its format may be one that flufl.bounce knows, which is not installed."""

    notices: tuple[Notice, ...] = ()
    more: bool = False


def notices_in(message: ParsedMessage) -> Found:
    r"""Read a message, of which everything must be there. It does not raise, whatever the message holds.

    >>> notices_in(ParsedMessage(b"Subject: Hello\n\nHello.")).notices
    ()
    """
    parts = message.attachments
    if any(part.content_type in _OTHER_REPORTS for part in parts):
        return Found()
    notices: list[Notice] = []
    original = ""
    for part in parts:
        if part.content_type in STATUS_TYPES:
            found, told = delivery_status(part.data)
            notices += found
            original = original or id_in(told)
    text = without_copy(message.text)
    if notices:
        found_id = returned_id(message) or original or answered_id(message, message.text)
        return Found(_dated(message, with_reasons(notices, text), found_id))
    if not may_be_returned(message):
        return Found()
    # An automatic reply has no sender in its envelope either, and it may name people to turn to.
    notices = plain_notices(message, text) if from_a_server(message) else []
    more = False
    if not notices:
        others = known_formats(message)
        more = others is None
        notices = notices_about(message, text, *(others or ((), ())))
    if not notices and from_a_server(message):
        notices = named_in_sentence(message, text)
        more = more and not notices
    return Found(_dated(message, notices, returned_id(message) or answered_id(message, message.text)), more)


def _dated(message: ParsedMessage, notices: Iterable[Notice], original: str) -> tuple[Notice, ...]:
    return tuple(replace(notice, message_id=original, date=message.date) for notice in notices)
