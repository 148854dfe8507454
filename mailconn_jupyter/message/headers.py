"""Header fields as they are written: folded, and in ASCII for every language (RFC 2047, RFC 2231, RFC 5322).

:mod:`email` folds most texts rightly, but which ones depends on the Python version, and it takes a text that looks like an
encoded word for one. These functions write the field themselves; ``set_raw`` of a message keeps it as it is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

from ..options import did_you_mean
from .failure import MessageError
from .people import Mailbox
from .texts import one_line, unfit

__all__ = ["address_list", "custom", "parameter", "unstructured"]

_LINE: Final = 76  # RFC 2047, 2: a line that holds an encoded word
_FOLD: Final = "\n "
_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\- ]+")
# What RFC 2047, 5 (3) leaves as it is inside a phrase; it serves everywhere else too.
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_TOKEN: Final = re.compile(r"[!-9;-~]+")
# compose() writes these itself; a second one would contradict the first.
_OURS: Final = {
    "subject": "the subject",
    "from": "sender=",
    "to": "to",
    "cc": "cc=",
    "bcc": "bcc=",
    "reply-to": "reply_to=",
    "mime-version": "nothing: it is always 1.0",
    "x-priority": "priority=",
    "importance": "importance=",
    "sensitivity": "sensitivity=",
}


def unstructured(text: str, name: str) -> str:
    """The value of a field that holds free text, such as the subject."""
    if unfit(text):
        raise MessageError(
            f"The {name} {one_line(text)!r} holds a line break or another control character.",
            hint="Take it out of the text.",
        )
    used = len(name) + 2
    plain = text.isascii() and "=?" not in text and text == text.strip() and "  " not in text
    if plain and (folded := _folded(text.split(" "), used)) is not None:
        return folded
    return _FOLD.join(_words(text, used))


def _folded(words: Iterable[str], used: int) -> str | None:
    """The words with a fold wherever a line would grow too long; None when one alone does."""
    lines: list[str] = []
    line = ""
    for word in words:
        if len(word) + 1 > _LINE - (used if not lines else 0):
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
        if chunk and length + size > most:
            yield _word("".join(chunk), as_q)
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


def address_list(mailboxes: Iterable[Mailbox], name: str) -> str:
    """The value of To, From and their kin: each mailbox with its name, folded between them."""
    lines = []
    used = len(name) + 2
    mailboxes = list(mailboxes)
    for number, mailbox in enumerate(mailboxes, 1):
        comma = "," if number < len(mailboxes) else ""
        lines.append(f"{_mailbox(mailbox, used)}{comma}")
        used = 1
    return _FOLD.join(lines)


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


def custom(headers: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    """Fields that the caller adds, checked: no second Subject, no Content-Type of a body that it did not build."""
    for name, value in headers:
        if not isinstance(name, str) or not _TOKEN.fullmatch(name) or len(name) > 60:
            raise MessageError(f"The header name {name!r} is not one.", hint="A name has no space and no colon.")
        low = name.lower()
        if low in _OURS:
            raise MessageError(f"The header {name} is not set through headers=.", hint=f"It comes from {_OURS[low]}.")
        if low.startswith("content-"):
            raise MessageError(
                f"The header {name} follows from the content and cannot be set.{did_you_mean(name, ['Comments'])}"
            )
        if not isinstance(value, str):
            raise MessageError(f"The header {name} needs a text, not {type(value).__name__}.")
        yield name, unstructured(value, name)
