"""The header of a message that came from somewhere: its fields, split and decoded as far as they can be."""

from __future__ import annotations

import binascii
import email.policy
import re
import unicodedata
from itertools import pairwise
from typing import Final

from .charsets import text_of

__all__ = ["Header", "decoded", "end_of_header", "one_line"]

#: Of one field, in characters: what is more is left out.
LONGEST_FIELD: Final = 100_000
#: Of all fields of one header.
MOST_FIELDS: Final = 10_000

# They turn the reading direction, so that "gpj.exe" reads "exe.jpg".
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_END: Final = re.compile(rb"\n\r?\n|\r\r")
_FIELD: Final = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)
# RFC 2047, 2, with the language of RFC 2231, 5. Without a question mark in the text, so that none is looked for in vain.
_WORD: Final = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([BbQq])\?([^?\r\n]*)\?=")
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]+")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_ADDRESSES: Final = frozenset({"from", "to", "cc", "bcc", "sender", "reply-to"})
# An address that is shown as it stands, and the longest list that is worth the parser's time, which grows as its square.
_PLAIN_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 _.'-]* <[\w.+-]+@[\w.-]+>|[\w.+-]+@[\w.-]+)", re.ASCII)
_LONGEST_PARSED: Final = 1000


def one_line(text: str) -> str:
    """``text`` in one line, with a visible sign in place of what could change how the rest is shown."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line
    return "".join(
        "\ufffd" if character in _TURNING or unicodedata.category(character) in {"Cc", "Cs"} else character
        for character in line
    ).strip()


def end_of_header(raw: bytes) -> int:
    """Where the header ends, with the empty line after it; the end of ``raw`` where there is none."""
    if raw[:1] in {b"\r", b"\n"}:
        return 0
    found = _END.search(raw)
    return found.end() if found else len(raw)


class Header:
    """The fields of a header; a line that is none is passed over."""

    def __init__(self, raw: bytes) -> None:
        if b"\n" not in raw:
            raw = raw.replace(b"\r", b"\n")
        self._first: dict[str, bytes] = {}
        self._twice: set[str] = set()
        self._longest = 0
        self._left_out = False
        for number, field in enumerate(_FIELD.finditer(raw)):
            if number == MOST_FIELDS:
                self._left_out = True
                break
            name = field[1].decode("ascii").lower()
            if name in self._first:
                self._twice.add(name)
            else:
                self._first[name] = field[2]
            self._longest = max(self._longest, field.end() - field.start())

    def text(self, name: str) -> str:
        """The first field of this name, decoded, in one line; empty when there is none."""
        return self._read(name.lower())[0]

    def _read(self, name: str) -> tuple[str, str]:
        raw = self._first.get(name, b"")[:LONGEST_FIELD]
        if raw.isascii():
            value, flaw = raw.decode("ascii"), ""
        else:
            # RFC 6532 has UTF-8 here; what came before it has anything.
            value, sound = text_of(raw, "utf-8" if _is_utf8(raw) else "unknown-8bit")
            flaw = "" if sound else "has bytes of an unknown charset"
        value = value.strip()
        if name in _ADDRESSES and value:
            if _PLAIN_ADDRESS.fullmatch(value):
                return value, flaw
            if (people := _people(value)) is not None:
                return one_line(people), flaw
        if "=?" in value:
            value, sound = decoded(value)
            flaw = flaw or ("" if sound else "has an encoded word that cannot be decoded")
        return one_line(value), flaw

    def problems(self, *names: str) -> list[str]:
        """What is wrong with the header, above all with these fields of it, in sentences."""
        found = [
            f"There are several {name} headers; the first one counts." for name in names if name.lower() in self._twice
        ]
        flaws = {name: self._read(name.lower())[1] for name in names}
        found += [f"The {name} header {flaw}." for name, flaw in flaws.items() if flaw]
        if self._longest > LONGEST_FIELD:
            found.append(f"A header has over {LONGEST_FIELD} characters; the rest of it is left out.")
        if self._left_out:
            found.append(f"There are over {MOST_FIELDS} headers; the rest are left out.")
        return found


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _people(value: str) -> str | None:
    """Addresses as a person reads them; a name that itself looks like an address stays in quotes. None: no addresses."""
    if len(value) > _LONGEST_PARSED:
        return None
    try:
        shown = str(email.policy.default.header_factory("To", " ".join(value.split())))
    except Exception:  # noqa: BLE001  # the parser fails in its own ways on what is no list of addresses
        return None
    return shown if "@" in shown and "=?" not in shown and "\ufffd" not in shown else None


def decoded(value: str) -> tuple[str, bool]:
    """The text with its encoded words decoded (RFC 2047), and whether all could be.

    >>> decoded("=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?IGF1cw==?= Wien")
    ('Grüße aus Wien', True)
    """
    words = list(_WORD.finditer(value))
    if not words:
        return value, "=?" not in value
    shown = [value[: words[0].start()]]
    sound = True
    run = b""
    for word, after in pairwise([*words, None]):
        assert word is not None
        data, whole = _bytes(word[2], word[3])
        run += data
        end = after.start() if after else len(value)
        gap = value[word.end() : end]
        # Some programs split one character over two words, so those that belong together are decoded together.
        if after and not gap.strip() and after[1].lower() == word[1].lower():
            sound = sound and whole
            continue
        text, known = text_of(run, word[1])
        sound = sound and whole and known
        shown.append(text)
        if not after or gap.strip():
            shown.append(gap)
        run = b""
    text = "".join(shown)
    return text, sound and "=?" not in "".join(shown[0::2])


def _bytes(encoding: str, text: str) -> tuple[bytes, bool]:
    """The bytes of an encoded word, and whether they are all."""
    if encoding in "Qq":
        data = text.replace("_", " ").encode("utf-8", "replace")
        return _HEX.sub(lambda found: bytes([int(found[1], 16)]), data), True
    letters = _NO_BASE64.sub("", text)
    extra = len(letters) % 4 == 1  # a letter that is the beginning of nothing
    letters = letters[: len(letters) - extra]
    return binascii.a2b_base64(letters + "=" * (-len(letters) % 4)), not extra
