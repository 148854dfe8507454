"""Header fields as they are written: folded, and in ASCII for every language (RFC 2047, RFC 2231, RFC 5322).

:mod:`email` folds most texts rightly, but which ones depends on the Python version, and it takes a text that looks like an
encoded word for one. These functions write the field themselves; ``set_raw`` of a message keeps it as it is.
"""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any, Final, Self
from urllib.parse import quote

from ...errors import MessageError
from ...formatting import unfit
from ..texts import one_line
from .mailboxes import Mailbox

__all__ = [
    "ADDRESS_FIELDS",
    "LONGEST",
    "AddressField",
    "address_list",
    "checked",
    "folded",
    "parameter",
    "unstructured",
    "with_field",
]

#: The fields whose value is a list of addresses, which may need SMTPUTF8; Bcc does not travel.
ADDRESS_FIELDS: Final = frozenset({
    "cc", "disposition-notification-to", "errors-to", "from", "mail-followup-to", "mail-reply-to", "reply-to",
    "resent-cc", "resent-from", "resent-sender", "resent-to", "return-receipt-to", "sender", "to",
})  # fmt: skip
LONGEST: Final = 998  # RFC 5322, 2.1.1: characters of any line
_LINE: Final = 76  # RFC 2047, 2: a line that holds an encoded word
_FOLD: Final = "\n "
_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\- ]+")
# What RFC 2047, 5 (3) leaves as it is inside a phrase; it serves everywhere else too.
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def checked(text: str, name: str) -> str:
    """The text; raises :class:`MessageError` when it is none that a field can hold."""
    if unfit(text):
        raise MessageError(
            f"The {name} {one_line(text)!r} contains a line break or another control character.",
            hint="Remove it from the text.",
        )
    return text


def unstructured(text: str, name: str, longest: int = _LINE) -> str:
    """The value of a field that holds free text, such as the subject.

    A word of ASCII that has no more than ``longest`` characters stays as it is, others are encoded.
    """
    checked(text, name)
    used = len(name) + 2
    plain = text.isascii() and "=?" not in text and text == text.strip() and "  " not in text
    if plain and (lines := folded(text.split(" "), used, longest)) is not None:
        return lines
    return _FOLD.join(_words(text, used))


def folded(words: Iterable[str], used: int, longest: int = _LINE) -> str | None:
    """The words with a fold wherever a line would grow too long; None when one alone is over ``longest``.

    The first line has ``used`` characters already.
    """
    lines: list[str] = []
    line = ""
    for word in words:
        if len(word) > longest - (1 if lines or line else used):
            return None
        if line and len(line) + 1 + len(word) > _LINE - (used if not lines else 1):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return _FOLD.join([*lines, line])


def _words(text: str, used: int) -> Iterator[str]:
    """Encoded words (RFC 2047), none splitting a character; the first line has ``used`` characters already."""
    data = text.encode()
    as_q = sum(1 if byte in _KEPT or byte == 0x20 else 3 for byte in data) <= len(data) * 4 / 3
    room = _LINE - max(used, 1)
    chunk: list[str] = []
    length = 0
    for character in text:
        encoded = character.encode()
        size = sum(1 if byte in _KEPT or byte == 0x20 else 3 for byte in encoded) if as_q else len(encoded)
        most = room - len("=?utf-8?q??=") if as_q else (room - len("=?utf-8?b??=")) // 4 * 3
        if length + size > most:
            # Beside the name of a long field there may be no room for a single character.
            yield _word("".join(chunk), as_q) if chunk else ""
            chunk, length, room = [], 0, _LINE - 1
        chunk.append(character)
        length += size
    yield _word("".join(chunk), as_q)


def _word(text: str, as_q: bool) -> str:
    data = text.encode()
    if not as_q:
        return f"=?utf-8?b?{base64.b64encode(data).decode()}?="
    shown = "".join("_" if byte == 0x20 else chr(byte) if byte in _KEPT else f"={byte:02X}" for byte in data)
    return f"=?utf-8?q?{shown}?="


class AddressField(str):
    """The value of a field that we wrote, with its addresses beside it: read back from the text, some would be others."""

    __slots__ = ("addresses",)

    addresses: tuple[str, ...]

    def __new__(cls, text: str, addresses: Iterable[str]) -> Self:
        made = super().__new__(cls, text)
        made.addresses = tuple(addresses)
        return made

    def __getnewargs__(self) -> tuple[str, tuple[str, ...]]:  # type: ignore[override]  # a copy, and a pickle, has both
        return str(self), self.addresses


def address_list(mailboxes: Iterable[Mailbox], name: str) -> AddressField:
    """The value of To, From and their kin: each mailbox with its name, folded between them."""
    lines = []
    used = len(name) + 2
    mailboxes = list(mailboxes)
    for number, mailbox in enumerate(mailboxes, 1):
        comma = "," if number < len(mailboxes) else ""
        lines.append(f"{_mailbox(mailbox, used)}{comma}")
        used = 1
    return AddressField(_FOLD.join(lines), (mailbox.address.text for mailbox in mailboxes))


def _mailbox(mailbox: Mailbox, used: int) -> str:
    name, address = mailbox.name, mailbox.address.text
    if not name:
        return address
    if name.isascii() and "=?" not in name and len(name) <= 60 and name == name.strip() and "  " not in name:
        if not _ATOM.fullmatch(name):
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            name = f'"{escaped}"'
    else:
        name = _FOLD.join(_words(name, used))
    last = name.rpartition("\n")[2]
    gap = " " if len(last) + len(address) + 4 <= _LINE - (used if "\n" not in name else 0) else _FOLD
    return f"{name}{gap}<{address}>"


def with_field(message: Message[Any, Any], name: str, value: str) -> Message[Any, Any]:
    """A copy of the message with this field in the place of all of its name; the one that was given stays as it is."""
    message = copy.copy(message)
    # Deleting gives the copy a list of fields of its own, also where there is nothing to delete.
    del message[name]
    if value.isascii() and value.isprintable() and len(name) + len(value) < _LINE:
        # It is one line as it stands: to set it would be to parse it.
        message.set_raw(name, value)
    else:
        message[name] = value
    return message


def parameter(name: str, value: str) -> str:
    """``; name="value"``, a parameter of Content-Type or Content-Disposition, by RFC 2231 where it must be."""
    if value.isascii() and len(value) <= 60 and not any(mark in value for mark in '\\"') and "=?" not in value:
        return f';{_FOLD}{name}="{value}"'
    encoded = quote(value, safe="!#$&+-.^_`{}~")
    if len(encoded) + len(name) <= _LINE - 12:
        return f";{_FOLD}{name}*=utf-8''{encoded}"
    pieces = []
    rest = f"utf-8''{encoded}"
    while rest:
        cut = min(len(rest), 60)
        # A continuation must not split %E4.
        while cut < len(rest) and "%" in rest[cut - 2 : cut]:
            cut -= 1
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return "".join(f";{_FOLD}{name}*{number}*={piece}" for number, piece in enumerate(pieces))
