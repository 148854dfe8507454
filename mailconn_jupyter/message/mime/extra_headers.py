"""The fields that a caller adds to a message, each checked and written as its kind wants it.

Free text (RFC 5322, 2.2.1) may be in any language. Identifiers, links and keywords may not be encoded (RFC 2047, 5): a
mail program that gets ``=?utf-8?q?=3Chttps...`` finds no thread and no link to unsubscribe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ...errors import MessageError
from ...formatting import did_you_mean, shown
from ..texts import one_line
from .headers import ADDRESS_FIELDS, LONGEST, address_list, checked, folded, unstructured
from .mailboxes import mailboxes

__all__ = ["custom"]

_NAME: Final = re.compile(r"[!-9;-~]{1,60}")
# compose() writes these itself; a second one would contradict the first.
_OURS: Final = {
    "subject": "the subject",
    "from": "sender=",
    "to": "to",
    "cc": "cc=",
    "bcc": "bcc=",
    "reply-to": "reply_to=",
    "mime-version": "nothing: it is always 1.0",
    "priority": "priority=",
    "x-priority": "priority=",
    "importance": "importance=",
    "sensitivity": "sensitivity=",
}
# Beside these all that begin with List-.
_STRUCTURED: Final = frozenset({
    "auto-submitted", "date", "dkim-signature", "in-reply-to", "message-id", "precedence", "received", "references",
})  # fmt: skip
# RFC 5322, 3.6. The last two hold any number of identifiers, so that a list of them is one field.
_ONCE: Final = frozenset({"date", "message-id", "sender"})
_JOINED: Final = frozenset({"in-reply-to", "references"})
_MESSAGE_ID: Final = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
# RFC 5322, 3.3, with the zones of 4.3.
_DATE: Final = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[+-][0-9]{4}|UT|GMT|[ECMP][SD]T)(?: \([ -'*-~]*\))?",
    re.IGNORECASE,
)


def custom(headers: Iterable[tuple[Any, Any]]) -> list[tuple[str, str]]:
    """The fields, as they are written: no second Subject, no Content-Type of a body that the caller did not build.

    Raises :class:`MessageError` for one that cannot be written as its readers expect it.
    """
    fields: dict[str | int, tuple[str, str]] = {}
    for number, (name, value) in enumerate(headers):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise MessageError(f"The header name {shown(name)} is not valid.", hint="A name has no space and no colon.")
        low = name.lower()
        _allowed(name, low)
        if not isinstance(value, str):
            raise MessageError(f"The header {name} needs a text, not {type(value).__name__}.")
        key = low if low in _ONCE | _JOINED else number
        if key not in fields:
            fields[key] = name, value
        elif low in _JOINED:
            first, before = fields[key]
            fields[key] = first, f"{before} {value}"
        else:
            raise MessageError(f"A message has one {name}, but headers= has several.")
    return [(name, _written(name, name.lower(), value)) for name, value in fields.values()]


def _allowed(name: str, low: str) -> None:
    if low in _OURS:
        raise MessageError(f"The header {name} is not set through headers=.", hint=f"It comes from {_OURS[low]}.")
    if low.startswith("content-"):
        raise MessageError(
            f"The header {name} follows from the content and cannot be set.{did_you_mean(name, ['Comments'])}"
        )
    if low == "return-path":
        # RFC 5321, 4.4: whoever delivers the message writes it, and drops any other.
        raise MessageError(
            "The header Return-Path is written where the message arrives, from the sender of its envelope.",
            hint="Name that sender when you send it through a session: smtp.send_message(message, from_addr=...)",
        )
    if low.startswith("resent-"):
        # The envelope of a resent message is that of these fields, and nobody in to, cc= and bcc= would get it.
        raise MessageError(
            f"The header {name} belongs to a message that is forwarded unchanged, and cannot be set through headers=.",
            hint="Set it in that message, and send it through a session: smtp.send_message(message)",
        )


def _written(name: str, low: str, value: str) -> str:
    checked(value, name)
    if low in ADDRESS_FIELDS:
        people = mailboxes(value, name)
        if not people:
            raise _empty(name)
        if low == "sender" and len(people) > 1:
            raise MessageError(f"The Sender {one_line(value)!r} names several mailboxes, but a message has one sender.")
        return address_list(people, name)
    if low not in _STRUCTURED and not low.startswith("list-"):
        return unstructured(value, name, LONGEST)
    words = value.split()
    if low == "message-id" and not (len(words) == 1 and _MESSAGE_ID.fullmatch(words[0])):
        raise MessageError(
            f"The Message-ID {one_line(value)!r} is malformed.", hint="For example: <churn.47@example.org>"
        )
    if low == "date" and not _is_date(" ".join(words)):
        raise MessageError(
            f"The Date {one_line(value)!r} is not in the format of mail.",
            hint="email.utils.format_datetime(when) writes it: Mon, 20 Nov 2023 09:00:00 +0100",
        )
    if not words:
        raise _empty(name)
    if not value.isascii():
        letter = next(character for character in value if not character.isascii())
        raise MessageError(
            f"The header {name} cannot hold {letter!r}: only ASCII is allowed there.",
            hint="Take it out; in a link it is percent-encoded (urllib.parse.quote).",
        )
    written = folded(words, len(name) + 2, LONGEST)
    if written is None:
        raise MessageError(
            f"The header {name} has a word of {max(map(len, words))} characters; a line of mail has at most {LONGEST}.",
            hint="Send a shorter one.",
        )
    return written


def _empty(name: str) -> MessageError:
    return MessageError(f"The header {name} is empty.", hint="Leave it out, or give it a value.")


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and parsedate_to_datetime(text) is not None
    except ValueError:
        return False
