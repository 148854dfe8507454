"""What was sent, to whom and when, as a report or the journal of a batch tells it to who follows it up."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, Protocol, runtime_checkable

from ...domains import ascii_domain

__all__ = ["Followable", "Sent", "SentRow", "address_key"]

# What Amazon SES answers to a message: the name that it gives it, in place of its Message-ID
# (docs.aws.amazon.com/ses: headers that Amazon SES overwrites).
_BY_SES: Final = re.compile(r"(?:Ok )?([0-9a-f]{16}-[0-9a-f-]{36}-[0-9]{6})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SentRow:
    """One message for one recipient; ``key`` is the journal's, or the message's place among all."""

    key: str
    message_id: str
    subject: str
    recipient: str
    outcome: str
    words: str = ""


def address_key(address: str) -> str:
    """What addresses are compared by here: without regard to case, the domain in its ASCII form.

    >>> address_key("Ana@B\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example")
    'ana@xn--bcher-kva.example'
    """
    local, at, domain = address.strip().rpartition("@")
    with suppress(UnicodeError):
        domain = ascii_domain(domain)
    return f"{local}{at}{domain}".casefold()


def _id_key(message_id: str) -> str:
    return message_id.strip().strip("<>")


@dataclass
class Sent:
    """The rows of what was sent; ``since`` is when the first of them was sent, None where nobody knows."""

    rows: list[SentRow]
    since: datetime | None
    _places: dict[str, dict[str, int]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows):
            for name in _names(row):
                self._places.setdefault(name, {}).setdefault(address_key(row.recipient), place)

    def ids(self) -> list[str]:
        """The Message-IDs, without their brackets."""
        return list(self._places)

    def people(self, message_id: str) -> dict[str, int]:
        """The recipients of the message of that Message-ID, each with the place of its row; none where it is not ours."""
        key = _id_key(message_id)
        return self._places.get(key) or self._places.get(key.partition("@")[0], {})

    def has_recipient(self, addresses: Iterable[str]) -> bool:
        """Whether one of them is a recipient of any message."""
        return any(address_key(address) in self._everybody for address in addresses)

    @cached_property
    def _everybody(self) -> set[str]:
        return {address_key(row.recipient) for row in self.rows}


def _names(row: SentRow) -> Iterable[str]:
    """The Message-ID that the message travelled with, and the one that a server may have given it."""
    if key := _id_key(row.message_id):
        yield key
    if row.outcome == "accepted" and (found := _BY_SES.fullmatch(row.words)):
        yield found[1]


@runtime_checkable
class Followable(Protocol):
    """What can be followed up: a report of ``send()`` or of ``send_many()``."""

    @abstractmethod
    def as_sent(self) -> Sent:
        """What was sent."""
