"""From what the caller gives to messages that can be sent, one after the other; what cannot be sent is reported."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from typing import Any
from uuid import UUID

from ...errors import MailConnError, MessageError
from ...message.mime.headers import with_field
from ...message.mime.wire_format import Wire, hidden_fields
from ...message.texts import one_line
from ...scalars import plain
from ...session.smtp.envelope import Envelope, envelope_of
from ..journals.journal_base import BaseJournal, JournalError, Known
from ..returns import Returns
from .entry import Entry
from .many_report import Delivery

__all__ = ["Preparation", "row_before"]

Serialised = Callable[[Envelope, "Message[Any, Any]"], tuple[Envelope, Wire]]
Report = Callable[[list[Delivery], bool, bool], object]

_BEFORE = "an earlier batch"
# A field of today's policies that was never parsed: of such a text, parsing makes the same (it may hold no encoded word).
_SAYS_ITSELF = re.compile(r"(?!.*=\?)[!-~](?:[ -~]*[!-~])?")


class Preparation:
    """``sender`` is that of messages without a From; what the journal has settled is not sent; of what is, a copy may be kept."""

    def __init__(
        self,
        *,
        sender: str = "",
        journal: BaseJournal | None = None,
        seal: Callable[[Any], Any] | None = None,
        returns: Returns | None = None,
        copied: bool = False,
    ) -> None:
        self._copied = copied
        self._returns = returns or Returns()
        self._sender, self._journal, self._seal = sender, journal, seal
        self._keys: set[str] = set()

    def entries(self, numbered: Iterable[tuple[int, Any]], serialised: Serialised, report: Report) -> Iterator[Entry]:
        """Those that are to be sent, in their order; ``serialised`` makes a message what the server can have.

        ``report`` gets what is settled before it is sent: the rows, whether they are the whole message, whether it is new.
        Raises :class:`~mailconn_jupyter.errors.MessageError` for what is no message, or has no key where a journal needs
        one: then so have the others.
        """
        for number, item in numbered:
            key, message = keyed(item)
            if self._journal is not None:
                key = self._own_key(number, key)
            try:
                message, envelope, known = self._read(key, message)
                if not envelope.recipients:
                    raise MessageError("The message has no recipient.", hint="Name one in To, Cc or Bcc.")
                left = tuple(each for each in envelope.recipients if self._open(known.get(str(each.address))))
                doubted = frozenset(name for name, found in known.items() if found.in_doubt)
                sealed = message if self._seal is None or not left else self._seal(message)
                if len(left) < len(envelope.recipients):
                    envelope = replace(envelope, recipients=left)
                envelope, content = serialised(envelope, sealed)
                hidden = hidden_fields(message, utf8=content.international) if self._copied else None
            except JournalError:
                raise
            except Exception as error:  # noqa: BLE001  # the standard library's, of headers that it cannot read, are of any class
                said = error if isinstance(error, MailConnError) else f"It cannot be read: {error!r}"
                report(
                    [_row(number, message, _said(message, "To"), ("not sent", 0, one_line(str(said), 500)))], True, True
                )
                continue
            settled = [found for found in known.values() if not self._open(found)]
            names = _named(message)
            if rows := [row_before(number, *names, found) for found in settled]:
                report(rows, not left, False)
            if left:
                yield Entry(number, key, *names, envelope, content, doubted=doubted, hidden=hidden)

    def unsent(self, numbered: Iterable[tuple[int, Any]]) -> Iterator[Delivery]:
        """The rows of messages that the batch has not come to: not sent, or what an earlier batch made of them."""
        items: list[tuple[int, str, Message[Any, Any]]] = []
        for number, item in numbered:
            with suppress(MessageError):
                items.append((number, *keyed(item)))
        if items and self._journal is not None:
            self._journal.look_up([key for _, key, _ in items])
        for number, key, given in items:
            message, known = given, dict[str, Known]()
            try:
                message, envelope, known = self._read(key, given)
                names = [str(each.address) for each in envelope.recipients]
            except JournalError:
                raise
            except Exception:  # noqa: BLE001  # as above
                names = [_said(given, "To")]
            for name in names:
                if name in known:
                    yield row_before(number, *_named(message), known[name])
                else:
                    yield _row(number, message, name, ("not sent", 0, ""))

    def _read(self, key: str, message: Message[Any, Any]) -> tuple[Message[Any, Any], Envelope, dict[str, Known]]:
        """The message as it is to travel, its envelope, and what the journal has of those in it."""
        if "From" not in message:
            if not self._sender:
                raise MessageError(
                    "The message has no sender.", hint="Give it a From, or the connection a from_address."
                )
            message = with_field(message, "From", self._sender)
        own: Returns | None = getattr(message, "returns", None)
        envelope = self._returns.unless(own).envelope(message)
        if self._journal is None:
            return message, envelope, {}
        known = self._journal.known(key)
        # Of the headers: where bounces go may be another one the next time.
        domain = envelope_of(message, None, ())[0].rpartition("@")[2] or "localhost"
        before = next(iter(known.values()), None)
        message_id = before.message_id if before else self._journal.message_id(key, domain)
        message = with_field(message, "Message-ID", message_id)
        names = [str(each.address) for each in envelope.recipients]
        return message, envelope, {name: known[name] for name in names if name in known}

    def _own_key(self, number: int, key: str) -> str:
        if not key:
            raise MessageError(
                f"Message {number} has no key, and a journal knows a message by its key.",
                hint="Give pairs of key and message, or merge(..., key=...): a key is unique, and the same each time.",
            )
        if key in self._keys:
            raise MessageError(
                f"Message {number} has the same key as another message: {key!r}.",
                hint="A journal would take it for the same message.",
            )
        self._keys.add(key)
        return key

    def _open(self, known: Known | None) -> bool:
        """Whether it is to be sent, whatever an earlier batch made of it."""
        return known is None or self._journal is None or self._journal.is_open(known)


def keyed(item: Any) -> tuple[str, Message[Any, Any]]:
    """Key (may be empty) and message of what the caller gives: a pair, a message that has a ``key``, or a message."""
    key: Any = getattr(item, "key", None)
    if isinstance(item, tuple) and len(item) == 2:
        key, item = item
    if not isinstance(item, Message):
        raise MessageError(
            f"send_many() sends messages, not {type(item).__name__}.",
            hint="compose(...) and merge(...) make them; with a journal also pairs of key and message.",
        )
    return _key(key), item


def _key(given: Any) -> str:
    value = plain(given)
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, UUID):
        return str(value)
    try:
        if isinstance(value, bool):
            raise TypeError  # a bool is an index, too
        return str(operator.index(value))
    except TypeError:
        # 1.0 would be 1 after the next reading of the table.
        raise MessageError(
            f"Not a key: {value!r}.", hint="A key is a text or a whole number, the same each time."
        ) from None


def _named(message: Message[Any, Any]) -> tuple[str, str]:
    return _said(message, "Message-ID"), _said(message, "Subject")


def _said(message: Message[Any, Any], name: str) -> str:
    """What a header says; nothing where the standard library cannot read it."""
    written = next((value for field, value in message.raw_items() if field.lower() == name.lower()), "")
    if type(written) is str and _SAYS_ITSELF.fullmatch(written):
        return written
    with suppress(Exception):
        return str(message.get(name, ""))
    return ""


def _row(number: int, message: Message[Any, Any], recipient: str, said: tuple[Any, int, str]) -> Delivery:
    """``said``: outcome, code and words."""
    outcome, code, words = said
    return Delivery(number, *_named(message), recipient, outcome, code, words)


def row_before(number: int, message_id: str, subject: str, known: Known) -> Delivery:
    """What another batch has settled."""
    outcome: Any = known.settled
    why = "it ended before the server had answered" if known.in_doubt and not known.words else known.words
    words = f"{why} ({_BEFORE}, {known.at})".strip()
    return Delivery(number, message_id, subject, known.recipient, outcome, known.code, words)
