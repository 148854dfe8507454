"""The header of a message that came from somewhere: its fields, split and decoded as far as they can be."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from itertools import islice
from typing import Final

from .address_list import address_list, as_read
from .charsets import text_beside
from .encoded_words import decoded
from .structured_field import StructuredField

__all__ = ["BLANK_LINE", "BYTE_ORDER_MARK", "Header", "end_of_header", "one_line"]

#: Of one field, in characters: what is more is left out.
LONGEST_FIELD: Final = 100_000
#: Of all fields of one header.
MOST_FIELDS: Final = 10_000
#: What some programs put before UTF-8, at the top of a file.
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: The end of the last line of a header, and the empty line after it.
BLANK_LINE: Final = re.compile(rb"\n\r?\n|\r\r")

# What controls a terminal, halves of surrogate pairs, and what turns the reading direction, so that "gpj.exe" reads "exe.jpg".
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# RFC 5322, 4.5.8 has a blank before the colon.
_FIELD: Final = re.compile(rb"^([!-9;-~]{1,200}+)[ \t]*+:(.*+(?:\n[ \t].*+)*+)", re.MULTILINE)
# Most headers are shorter, and cost less when they are split at once.
_USUAL: Final = 16_384
_ADDRESSES: Final = frozenset(
    {
        *("from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc"),
        *("resent-bcc", "disposition-notification-to", "mail-followup-to", "mail-reply-to"),
    }
)
_NO_FIELD: Final = StructuredField(b"")
_SHORT: Final = 200
# An address that is shown as it stands.
_PLAIN_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 _.'-]* <[\w.+-]+@[\w.-]+>|[\w.+-]+@[\w.-]+)", re.ASCII)


def one_line(text: str) -> str:
    """``text`` in one line, with a visible sign in place of what could change how the rest is shown."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line
    return _UNSEEN.sub("\ufffd", line).strip()


@lru_cache(maxsize=256)
def _short_field(raw: bytes) -> StructuredField:
    """What one mail after the other says of its type and its encoding is read once."""
    return StructuredField(raw)


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    return name.lower().encode("utf-8", "replace")


def end_of_header(raw: bytes) -> int:
    """Where the header ends, with the empty line after it; the end of ``raw`` where there is none."""
    if raw[:1] in {b"\r", b"\n"}:
        return 0
    # It is near, and found soonest by what ends the first line.
    first = raw.find(b"\n", 0, _USUAL)
    own, other = (b"\n\r\n", b"\n\n") if raw[max(first - 1, 0) : first] == b"\r" else (b"\n\n", b"\n\r\n")
    end = raw.find(own, max(first, 0), _USUAL) + 1
    if end and raw.find(other, 0, end) < 0 and raw.find(b"\r\r", 0, end) < 0:
        return end + len(own) - 1
    found = BLANK_LINE.search(raw)
    return found.end() if found else len(raw)


class Header:
    """The fields of a header; a line that is none is passed over."""

    def __init__(self, raw: bytes) -> None:
        if b"\n" not in raw:
            raw = raw.replace(b"\r", b"\n")
        self._first: dict[bytes, bytes] = {}
        self._twice: set[bytes] = set()
        self._texts: dict[str, tuple[str, str]] = {}
        raw = raw.removeprefix(BYTE_ORDER_MARK)
        fields = iter(_FIELD.findall(raw)) if len(raw) < _USUAL else map(re.Match.groups, _FIELD.finditer(raw))
        for written, value in islice(fields, MOST_FIELDS):
            name = written.lower()
            if name in self._first:
                self._twice.add(name)
            else:
                self._first[name] = value
        self._left_out = next(fields, None) is not None
        # Most headers are shorter as a whole.
        self._too_long = len(raw) > LONGEST_FIELD and any(
            field.end() - field.start() > LONGEST_FIELD for field in islice(_FIELD.finditer(raw), MOST_FIELDS)
        )

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._first

    @property
    def names(self) -> Collection[bytes]:
        """The names of its fields, in small letters."""
        return self._first.keys()

    def text(self, name: str) -> str:
        """The first field of this name, decoded, in one line; empty when there is none."""
        return self._read(name.lower())[0]

    def field(self, name: str) -> StructuredField:
        """The first field of this name, with its parameters."""
        raw = self._first.get(_key(name))
        if raw is None:
            return _NO_FIELD
        return _short_field(raw) if len(raw) < _SHORT else StructuredField(raw[:LONGEST_FIELD])

    def _read(self, name: str) -> tuple[str, str]:
        """The text of a field, and what is wrong with it."""
        if name not in self._texts:
            self._texts[name] = self._decoded(name)
        return self._texts[name]

    def _decoded(self, name: str) -> tuple[str, str]:
        raw = self._first.get(_key(name), b"")[:LONGEST_FIELD]
        if not raw:
            return "", ""
        if raw.isascii() and b"\x1b" not in raw:
            value, sound = raw.decode("ascii"), True
        else:
            value, sound = text_beside(raw, self.field("Content-Type").token("charset"))
        flaw = "" if sound else "has bytes of an unknown charset"
        value = value.strip()
        if name in _ADDRESSES and value:
            if _PLAIN_ADDRESS.fullmatch(value):
                return value, flaw
            people, wrong = address_list(value)
            return one_line(as_read(people) or value), flaw or wrong
        value, sound = decoded(value)
        return one_line(value), flaw or ("" if sound else "has an encoded word that cannot be decoded")

    def problems(self, *names: str) -> list[str]:
        """What is wrong with the header, above all with these fields of it, in sentences."""
        found = [
            f"There are several {name} headers; the first one counts." for name in names if _key(name) in self._twice
        ]
        flaws = {name: self._read(name.lower())[1] for name in names}
        found += [f"The {name} header {flaw}." for name, flaw in flaws.items() if flaw]
        if self._too_long:
            found.append(f"A header has over {LONGEST_FIELD} characters; the rest of it is left out.")
        if self._left_out:
            found.append(f"There are over {MOST_FIELDS} headers; the rest are left out.")
        return found
