"""The message that another one answers, in whatever form a notebook has it: its thread (RFC 5322, 3.6.4) and its subject."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias

from ..errors import MessageError, warn
from ..formatting import shown
from .incoming.header import one_line
from .incoming.parsed import ParsedMessage
from .remembered import Identified, remembered

__all__ = ["Answered", "answering", "parent_of", "prefixed", "subject_of_answer", "threaded"]

# Identifiers of a thread: RFC 5322, 3.6.4 wants all of them, and a sender can name thousands.
_MOST_REFERENCES: Final = 30
_MESSAGE_ID: Final = re.compile(r"<[!-;=?A-~]{1,250}@[!-;=?A-~]{1,250}>")
#: Characters of an identifier, and of a subject, that are looked at.
_LONGEST: Final = 2000
# What other languages' programs put before a subject: German, Swedish, Dutch, Italian, Polish.
_REPLIED: Final = re.compile(r"(?:re|aw|sv|antw|r|odp)(?:\[[0-9]{1,3}\])? ?: ?", re.IGNORECASE)
_READ: Final = frozenset({"message-id", "references", "in-reply-to", "subject"})
_ANY: Final = "Give a message that was read, a row of mailconn.sent(), or a Message-ID: <churn.47@example.org>"


class Row(Protocol):
    """A row of ``sent()``, and a message of Python's own: either has its values by their names."""

    def __getitem__(self, name: str, /) -> Any: ...


#: What a message can be said to answer.
Answered: TypeAlias = "Identified | Row | str"


def answering(given: Answered, subject: str) -> tuple[str, dict[str, str]]:
    """The subject of an answer, where it has none of its own, and its In-Reply-To and References.

    Warns where the answer will be in no thread. Raises :class:`MessageError` for what is no message, and for one of
    which no subject is known.
    """
    parent = parent_of(given)
    fields = threaded(parent)
    if "In-Reply-To" not in fields:
        warn("The message that is answered has no valid Message-ID, so the answer will not appear in its thread.")
    return subject if subject.strip() else subject_of_answer(parent), fields


def subject_of_answer(given: Answered) -> str:
    """What an answer is called where its author does not say. Raises :class:`MessageError` as :func:`answering`."""
    return prefixed(one_line(parent_of(given).subject[:_LONGEST]))


def prefixed(subject: str, prefix: str = "Re: ", known: re.Pattern[str] = _REPLIED) -> str:
    """The subject with the prefix, unless it has one already.

    >>> prefixed("Churn"), prefixed("AW: Churn"), prefixed("")
    ('Re: Churn', 'AW: Churn', 'Re:')
    """
    return subject if known.match(subject) else f"{prefix}{subject}".rstrip()


def threaded(message: ParsedMessage | _Named | _Noted, *, answers: bool = True) -> dict[str, str]:
    """In-Reply-To and References, of the identifiers that are any."""
    own = _MESSAGE_ID.findall(message.message_id[:_LONGEST])[:1]
    before = _MESSAGE_ID.findall(message.header("References"))
    if not before and len(replied := _MESSAGE_ID.findall(message.header("In-Reply-To"))) == 1:
        before = replied
    thread = [*dict.fromkeys(one for one in before if one not in own), *own]
    if len(thread) > _MOST_REFERENCES:
        # The first one names the thread, the last ones its branch.
        thread = [thread[0], *thread[1 - _MOST_REFERENCES :]]
    fields = {"In-Reply-To": own[0]} if own and answers else {}
    return fields | ({"References": " ".join(thread)} if thread else {})


class _Unread:
    """A message of which no header is known but what its class says."""

    def header(self, _name: str) -> str:
        return ""


@dataclass(frozen=True)
class _Noted(_Unread):
    """A message by what somebody has noted of it."""

    message_id: str
    subject: str


class _Named(_Unread):
    """A message by its name; the log of what was sent is looked into only where that does not say enough."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        bare = f"<{self._text}>"
        self._exact = next((one for one in (self._text, bare) if _MESSAGE_ID.fullmatch(one)), "")

    @cached_property
    def _sent(self) -> Identified | None:
        return remembered(self._exact or self._text)

    @property
    def message_id(self) -> str:
        if not self._exact and self._sent is None:
            raise MessageError(
                f"{shown(self._text, 80)} is not a Message-ID, nor the ID of a message in the log of sent mail.",
                hint=_ANY,
            )
        return self._exact or (self._sent.message_id if self._sent is not None else "")

    @property
    def subject(self) -> str:
        if self._sent is None:
            raise MessageError(
                f"The subject of {self.message_id} is not known: it is not in the log of sent mail.",
                hint="Give the subject, or the message itself, as it was read.",
            )
        return self._sent.subject


def parent_of(given: Answered) -> ParsedMessage | _Named | _Noted:
    """The message that is meant. Raises :class:`MessageError` for what is none."""
    if isinstance(given, ParsedMessage | _Named | _Noted):
        return given
    if isinstance(given, str):
        return _Named(given)
    if isinstance(given, Message):
        return _read(given)
    if not hasattr(given, "columns"):
        found = [_value(given, name) for name in ("message_id", "subject")]
        if all(isinstance(text, str) for text in found):
            return _Noted(*found)
    raise MessageError(
        f"{shown(given, 80)} is not a message.",
        hint="Name one row of the table: table.iloc[0]" if hasattr(given, "columns") else _ANY,
    )


def _value(given: Any, name: str) -> Any:
    try:
        return getattr(given, name) if hasattr(given, name) else given[name]
    except (TypeError, KeyError, IndexError, AttributeError):
        return None


def _read(message: Message[Any, Any]) -> ParsedMessage:
    """Its header, as it is written: Python's own parser may raise for what a sender has put there."""
    lines = [f"{name}: {value}\n" for name, value in message.raw_items() if name.lower() in _READ]
    return ParsedMessage("".join(lines).encode("utf-8", "surrogateescape"), complete=False)
