"""The marks of a message in a mailbox file, in the words of IMAP: each program writes them into a field of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["flags_of_header", "has_marks", "is_expunged"]

# Status and X-Status, a letter for each: mbox as mutt, Dovecot and Alpine write it.
_LETTERS: Final = {"R": "\\Seen", "A": "\\Answered", "F": "\\Flagged", "D": "\\Deleted", "T": "\\Draft"}
# X-Mozilla-Status, a bit for each (Thunderbird, nsMsgMessageFlags.idl).
_BITS: Final = {0x1: "\\Seen", 0x2: "\\Answered", 0x4: "\\Flagged"}
_EXPUNGED: Final = 0x8
# X-Gmail-Labels (Google Takeout), in the language of the account: where none of these is, nothing is known of the marks.
_LABELS: Final = {"Opened": "\\Seen", "Starred": "\\Flagged", "Drafts": "\\Draft", "Draft": "\\Draft"}
_ENGLISH: Final = frozenset({*_LABELS, "Unread", "Inbox", "Sent", "Archived", "Important", "Spam", "Trash", "Chat"})

_FIELDS: Final = frozenset({b"status", b"x-status", b"x-mozilla-status", b"x-gmail-labels"})

Field = Callable[[str], str]


def has_marks(names: Iterable[bytes]) -> bool:
    """Whether one of these fields is among the names of a header; most that were never in such a program hold none."""
    return not _FIELDS.isdisjoint(names)


def flags_of_header(field: Field) -> frozenset[str] | None:
    """What its fields say, each read by ``field(name)``; None where none of them is there, or none can be read."""
    letters = field("Status") + field("X-Status")
    mozilla = _mozilla(field)
    labels = frozenset(label.strip() for label in field("X-Gmail-Labels").split(","))
    found = {flag for letter, flag in _LETTERS.items() if letter in letters}
    found |= {flag for bit, flag in _BITS.items() if (mozilla or 0) & bit}
    found |= {flag for label, flag in _LABELS.items() if label in labels}
    if labels & _ENGLISH and "Unread" not in labels:
        found.add("\\Seen")
    return frozenset(found) if letters or mozilla is not None or labels & _ENGLISH else None


def is_expunged(field: Field) -> bool:
    """Whether Thunderbird has deleted it for good, and has not yet written the file anew (Compact Folders)."""
    return bool((_mozilla(field) or 0) & _EXPUNGED)


def _mozilla(field: Field) -> int | None:
    try:
        return int(field("X-Mozilla-Status"), 16)
    except ValueError:
        return None
