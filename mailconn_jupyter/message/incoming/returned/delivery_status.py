"""The part of a notification that is for programs: message/delivery-status (RFC 3464) and its UTF-8 form (RFC 6533).

It is read as it comes: with groups run together, fields missing, addresses in brackets or of no type; each byte a few times
at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..charsets import text_beside
from ..encoded_words import decoded
from ..header import one_line
from .notice import ACTIONS, Action, Notice
from .status_code import sharpened, status_of

__all__ = ["LONGEST_WORDS", "STATUS_TYPES", "address_in", "delivery_status"]

#: The content types of such a part.
STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
#: Characters of a server's words that are kept.
LONGEST_WORDS: Final = 500

_MOST_BYTES: Final = 4 * 2**20
_MOST_RECIPIENTS: Final = 10_000
_LONGEST_FIELD: Final = 10_000
_LONGEST_ADDRESS: Final = 320
# A field with its continuations, or an empty line, which ends a group.
_LINE: Final = re.compile(rb"^(?:([!-9;-~]{1,100})[ \t]*+:(.*(?:\n[ \t]++[^\s].*)*)|[ \t\r]*+$)", re.MULTILINE)
_TYPE: Final = re.compile(r"\s*([A-Za-z][\w-]{0,30})\s*;\s*", re.ASCII)
_ANGLE: Final = re.compile(r"<([^<>\s]{1,320})>")
# RFC 6533, 3: a character that the way back could not carry. RFC 3461, 4: the two that an ORCPT never has as they are.
_UNITEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_XTEXT: Final = re.compile(r"\+(2B|3D)")
_BY_CLASS: Final[dict[str, Action]] = {"2": "delivered", "4": "delayed", "5": "failed"}

Group = dict[str, str]


def delivery_status(data: bytes) -> tuple[list[Notice], str]:
    """What it says for each recipient, and the Message-ID of the original where it tells that, too."""
    original = ""
    notices: dict[str, Notice] = {}
    for group in _groups(data[:_MOST_BYTES]):
        original = original or group.get("x-original-message-id", "") or group.get("original-message-id", "")
        notice = _notice(group)
        if notice is not None:
            notices.setdefault(notice.recipient.casefold(), notice)
            if len(notices) == _MOST_RECIPIENTS:
                break
    return list(notices.values()), original


def _groups(data: bytes) -> Iterator[Group]:
    """The groups of fields; one ends with an empty line, or where another recipient begins."""
    group: Group = {}
    for line in _LINE.finditer(data if b"\n" in data else data.replace(b"\r", b"\n")):
        if line[1] is None:
            if group:
                yield group
            group = {}
            continue
        name = line[1].decode("ascii").lower()
        if name == "final-recipient" and name in group:
            yield group
            group = {}
        group.setdefault(name, _text(line[2]))
    if group:
        yield group


def _text(raw: bytes) -> str:
    return one_line(decoded(text_beside(raw[:_LONGEST_FIELD], "")[0])[0])


def _notice(group: Group) -> Notice | None:
    original = _XTEXT.sub(lambda found: chr(int(found[1], 16)), address_in(group.get("original-recipient", "")))
    final = address_in(group.get("final-recipient", ""))
    recipient = original if "@" in original else final or original
    if not recipient:
        return None
    diagnosis = group.get("diagnostic-code", "")
    kind = _TYPE.match(diagnosis)
    words = diagnosis[kind.end() :] if kind else diagnosis
    said = group.get("status", "")
    status = sharpened(status_of(said), words)
    # RFC 3464, 2.3.3: more may stand behind the word.
    word = (group.get("action", "").lower().split() or [""])[0].rstrip(".,;(")
    action = ACTIONS.get(word) or _BY_CLASS.get(status[:1], "failed")
    notice = Notice(recipient, action, status, final_recipient=final or recipient)
    return replace(notice, words=(words or said.removeprefix(status).strip(" ()"))[:LONGEST_WORDS])


def address_in(value: str) -> str:
    """The address of a field that has a type before it, or should have."""
    kind = _TYPE.match(value)
    text = value[kind.end() :] if kind else value
    if kind and kind[1].lower() == "utf-8":
        text = _UNITEXT.sub(lambda found: _character(int(found[1], 16)), text)
    if found := _ANGLE.search(text):
        text = found[1]
    words = text.split()
    text = words[0] if words and "@" in words[0] else text
    return one_line(text.removeprefix("mailto:"))[:_LONGEST_ADDRESS]


def _character(number: int) -> str:
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number < 0xE000 else "\ufffd"
