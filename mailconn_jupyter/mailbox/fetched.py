"""What an IMAP server says of messages, put together: FETCH data are updates of what is known (RFC 9051, 7.5.2).

A server may say it in one answer or in several, in any order, also unasked, and without the UID.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

from ..session.imap.commands_imap import Part
from ..session.imap.errors import Refused
from .body_structure import structure_of

__all__ = ["Fetched", "Records"]

_NUMBER: Final = re.compile(rb"([0-9]{1,10}) \(")
_UID: Final = re.compile(rb"\bUID ([0-9]{1,10})\b", re.IGNORECASE)
_FLAGS: Final = re.compile(rb"\bFLAGS \(([^()]*)\)", re.IGNORECASE)
_ARRIVED: Final = re.compile(rb'\bINTERNALDATE "([^"]*)"', re.IGNORECASE)
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE ([0-9]{1,18})\b", re.IGNORECASE)
_RAW: Final = rb"\b(?:BODY\[[^\[\]]*+\](?:<[0-9]+>)?|RFC822(?:\.HEADER)?) "
_LITERAL: Final = re.compile(_RAW + rb"\{[0-9]+\}\Z", re.IGNORECASE)
_QUOTED: Final = re.compile(_RAW + rb'"((?:[^"\\]|\\.)*)"', re.IGNORECASE)
# What servers say as a rule, in the order that they like: read at once, as there may be very many.
_USUAL: Final = re.compile(
    rb"[0-9]{1,10} \((?:(?:UID ([0-9]{1,10})|FLAGS \(([^()]*+)\)|RFC822\.SIZE ([0-9]{1,18})"
    rb"|BODY\[[^\[\]]*+\](?:<[0-9]++>)? (\{)[0-9]++\}\Z) ?)++"
)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)


class Fetched(NamedTuple):
    """What is known of a message, each None where nobody has said it, or why the server does not give it."""

    uid: int | None = None
    flags: tuple[str, ...] | None = None
    size: int | None = None
    arrived: str | None = None
    raw: bytes | None = None
    has_file: bool | None = None
    refusal: Refused | None = None

    @classmethod
    def of(cls, parts: list[Part]) -> Self:
        """What one answer says."""
        first = parts[0]
        if len(parts) == 2 and isinstance(first, tuple) and parts[1] == b")" and (usual := _USUAL.fullmatch(first[0])):
            uid, flags, size, literal = usual.groups()
            return cls(_number(uid), _flags(flags), _number(size), None, first[1] if literal else None)
        said, has_file = structure_of(parts)
        raw = next((part[1] for part in parts if isinstance(part, tuple) and _LITERAL.search(part[0])), None)
        if raw is None and (quoted := _QUOTED.search(said)):
            raw = _ESCAPED.sub(rb"\1", quoted[1])
            said = said.replace(quoted[0], b"")
        uid, flags, size, arrived = (
            found[1] if (found := each.search(said)) else None for each in (_UID, _FLAGS, _SIZE, _ARRIVED)
        )
        when = None if arrived is None else arrived.decode("ascii", "replace")
        return cls(_number(uid), _flags(flags), _number(size), when, raw, has_file)

    def updated(self, later: Fetched) -> Fetched:
        """The same, with what was said later; what was not said again stays."""
        return self._replace(**{name: said for name, said in later._asdict().items() if said is not None})


def _number(said: bytes | None) -> int | None:
    return None if said is None else int(said)


def _flags(said: bytes | None) -> tuple[str, ...] | None:
    return None if said is None else tuple(said.decode("utf-8", "replace").split())


class Records:
    """What the answers to FETCH say, ``by_uid``, of the messages in ``asked``; of others nothing is kept."""

    def __init__(self) -> None:
        self.by_uid: dict[int, Fetched] = {}
        self.asked: set[int] = set()
        # What was said of a message by its number alone, and whose number it is.
        self._unnamed: dict[int, Fetched] = {}
        self._uids: dict[int, int] = {}

    def add(self, parts: list[Part]) -> None:
        """Take one answer in."""
        first = parts[0][0] if isinstance(parts[0], tuple) else parts[0]
        match, said = _NUMBER.match(first), Fetched.of(parts)
        number = int(match[1]) if match else 0
        uid = self._uids.get(number) if said.uid is None else said.uid
        if uid is None:
            self._unnamed[number] = self._unnamed.get(number, Fetched()).updated(said)
            return
        self._uids[number] = uid
        if uid not in self.asked:
            return
        for known in (self._unnamed.pop(number, None), self.by_uid.get(uid)):
            # Of most messages nothing was said before.
            said = said if known is None else known.updated(said)
        self.by_uid[uid] = said if said.uid is not None else said._replace(uid=uid)

    def take(self, uid: int) -> Fetched | None:
        """What is known of a message, which is forgotten."""
        self.asked.discard(uid)
        return self.by_uid.pop(uid, None)

    def forget(self) -> None:
        """Keep nothing, and nothing of what is still to come."""
        self.asked.clear()
        self.by_uid.clear()

    def moved(self) -> None:
        """Numbers mean other messages from now on, as one was expunged."""
        self._unnamed.clear()
        self._uids.clear()
