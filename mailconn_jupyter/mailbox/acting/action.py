"""One action on messages, and the words for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from ...errors import OptionError
from ...session.line_arguments import UnsafeArgument, breaks_a_line

__all__ = ["FLAGGED", "SEEN", "Action", "flag_name", "folder_name"]

Kind = Literal["move", "copy", "delete", "expunge", "mark", "unmark"]

FLAGGED: Final = r"\Flagged"
SEEN: Final = r"\Seen"
# RFC 9051, 9: flag. \Deleted is not among those that are set by name: delete() says what is meant.
_SYSTEM: Final = {name.lower(): name for name in (r"\Answered", FLAGGED, SEEN, r"\Draft")}
_KEYWORD: Final = re.compile(r"[A-Za-z0-9$_.!&+:;<=>?@^`|~/-]{1,100}")
# What is done, and what would be.
_WORDS: Final = {
    "move": ("Moved", "Would move", "from"),
    "copy": ("Copied", "Would copy", "from"),
    "delete": ("Moved", "Would move", "from"),
    "expunge": ("Deleted", "Would delete", "from"),
}
_MARKS: Final = {
    ("mark", FLAGGED): ("Flagged", "Would flag", ""),
    ("unmark", FLAGGED): ("Removed the flag from", "Would remove the flag from", ""),
    ("mark", SEEN): ("Marked", "Would mark", " as read"),
    ("unmark", SEEN): ("Marked", "Would mark", " as unread"),
}


@dataclass(frozen=True)
class Action:
    """What is to be done; ``folder`` is where to, ``flag`` the mark. ``delete`` is a move to the trash, ``expunge`` for good."""

    kind: Kind
    folder: str = ""
    flag: str = ""
    dry_run: bool = False

    @property
    def leaves(self) -> bool:
        """Whether the message is no longer where it was."""
        return self.kind in {"move", "delete", "expunge"}

    @property
    def arrives(self) -> bool:
        """Whether it is in another folder afterwards."""
        return self.kind in {"move", "copy", "delete"}

    def sentence(self, what: str, where: str, to: str, *, pending: bool = False) -> str:
        """What was done, or would be, in a sentence; ``pending``: what is deleted has the mark for it, so far."""
        if pending and self.kind == "expunge" and not self.dry_run:
            return f"Marked {what} in {where} as deleted."
        if self.kind in _WORDS:
            done, would, preposition = _WORDS[self.kind]
            target = f" to the trash ({to})" if self.kind == "delete" else f" to {to}" if to else " for good"
            return f"{would if self.dry_run else done} {what} {preposition} {where}{target}."
        done, would, rest = _MARKS.get((self.kind, self.flag), ("Marked", "Would mark", f" with {self.flag}"))
        if self.kind == "unmark" and (self.kind, self.flag) not in _MARKS:
            done, would, rest = f"Removed {self.flag} from", f"Would remove {self.flag} from", ""
        return f"{would if self.dry_run else done} {what} in {where}{rest}."


def folder_name(given: object) -> str:
    """The name of a folder; raises for anything else, before anything is sent."""
    if not isinstance(given, str):
        raise OptionError(f"folder must be the name of a folder, not {type(given).__name__}.")
    if not given:
        raise OptionError("folder must be the name of a folder, and it is empty.")
    if any("\ud800" <= character <= "\udfff" for character in given):
        raise OptionError("folder: the name contains half a surrogate pair, which no server can be told.")
    if breaks_a_line(given.encode("utf-8", "replace")):
        raise UnsafeArgument("folder: the name contains a CR, an LF or a NUL. Nothing was sent.")
    return given


def flag_name(given: object) -> str:
    r"""A flag as it travels: one of IMAP's own (``\Flagged``), or a keyword.

    >>> flag_name(r"\FLAGGED"), flag_name("$Work")
    ('\\Flagged', '$Work')
    """
    if isinstance(given, str):
        if given.lower() in _SYSTEM:
            return _SYSTEM[given.lower()]
        if _KEYWORD.fullmatch(given):
            return given
    hint = "delete() deletes." if str(given).lower() == r"\deleted" else ""
    raise OptionError(
        rf"A flag is one of {', '.join(_SYSTEM.values())}, or a keyword of letters, digits and punctuation such as $Work.",
        hint=hint,
    )
