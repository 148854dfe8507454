"""Who a message is from and to: addresses with the names that people read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...errors import MessageError
from ...formatting import shown, unfit
from ..addresses import Address, envelope_address

__all__ = ["Mailbox", "domain_of", "mailboxes", "named_by"]

# A name with a comma, unquoted, before one address: nothing in it could be an address of its own.
_WITH_COMMA: Final = re.compile(r'[^<>@";]*,[^<>@";]*<[^<>",;]*>')
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


_groups: Final[list[Callable[[str], Sequence[str] | None]]] = []


@dataclass(frozen=True)
class Mailbox:
    """An address, strictly checked, and the name before it (in any language, may be empty)."""

    name: str
    address: Address


def mailboxes(given: Any, what: str) -> list[Mailbox]:
    """The mailboxes of one text (``Ana <ana@example.org>, bob@example.org``) or of several texts, each address once.

    A name with a comma stands in quotation marks, except in a text of a list that is one mailbox alone. ``what`` names
    the field in errors. Raises :class:`MessageError` for anything that is not an address.
    """
    if given is None:
        return []
    if isinstance(given, str):
        texts = _split(given, what)
    elif isinstance(given, Iterable) and not isinstance(given, bytes | dict) and not hasattr(given, "columns"):
        texts = []
        for entry in given:
            if not isinstance(entry, str):
                raise MessageError(
                    f"The {what} {shown(entry)} is not an address.", hint="An address is text: ana@example.org"
                )
            texts.extend([entry] if _WITH_COMMA.fullmatch(entry) else _split(entry, what))
    elif hasattr(given, "columns"):
        raise MessageError(f"The {what} is a whole table.", hint='Name the column of its addresses: df["email"]')
    else:
        raise MessageError(f"The {what} {shown(given)} is not an address.", hint="An address is text: ana@example.org")
    found: dict[str, Mailbox] = {}
    for text in _each_member(texts):
        mailbox = _mailbox(text, what)
        found.setdefault(mailbox.address.key, mailbox)
    return list(found.values())


def named_by(members: Callable[[str], Sequence[str] | None]) -> None:
    """Let a word without an @ be the name of a group, where ``members`` gives its addresses and not None."""
    _groups[:] = [members]


def _each_member(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        members = _groups[0](text) if _groups and "@" not in text and "<" not in text and not unfit(text) else None
        yield from [text] if members is None else members


def _split(text: str, what: str) -> list[str]:
    """The text cut at its commas, but not at those inside quotes."""
    pieces = list(_pieces(text, what))
    for number, piece in enumerate(pieces, 1):
        if "@" not in piece and any("<" in later for later in pieces[number:]):
            raise MessageError(
                f"The {what} {shown(piece)} is not a valid mail address.",
                hint='A name with a comma goes in quotation marks: "Smith, Ana" <ana@example.org>',
            )
    return pieces


def _pieces(text: str, what: str) -> Iterator[str]:
    start = 0
    quoted = escaped = False
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            if piece := text[start:place].strip(" "):
                yield piece
            start = place + 1
    if quoted:
        raise MessageError(f"The {what} {shown(text)} has a quotation mark that is not closed.")
    if piece := text[start:].strip(" "):
        yield piece


def _mailbox(text: str, what: str) -> Mailbox:
    if unfit(text):
        raise MessageError(f"The {what} {shown(text)} contains a line break or another control character.")
    try:
        return _read(text.strip(" "), what)
    except MessageError as error:
        if ";" in _QUOTED.sub("", text):
            raise MessageError(error.message, hint="Separate addresses by commas, not by semicolons.") from error
        raise


def _read(text: str, what: str) -> Mailbox:
    name, bracket, rest = text.rpartition("<")
    if not bracket:
        return Mailbox("", envelope_address(text, what=what))
    if not rest.endswith(">"):
        raise MessageError(
            f"The {what} {shown(text)} is not a valid mail address.", hint="For example: Ana <ana@example.org>"
        )
    name = name.strip(" ")
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = _QUOTED_PAIR.sub(r"\1", name[1:-1])
    elif name.strip("'").casefold() == rest[:-1].strip(" ").casefold():
        # An address that is its own name, as Outlook and others write it.
        name = ""
    elif "@" in name or "<" in name or ">" in name:
        # Two addresses run together: which one was meant is not ours to guess.
        raise MessageError(
            f"The {what} {shown(text)} is not a valid mail address.", hint="Separate addresses by commas."
        )
    return Mailbox(name, envelope_address(rest[:-1], what=what))


def domain_of(mailbox: Mailbox | None) -> str:
    """The domain for the Message-ID: the sender's, or, with none yet, one that is nobody's (RFC 2606)."""
    domain = mailbox.address.text.rpartition("@")[2] if mailbox is not None else ""
    return domain if domain and not domain.startswith("[") else "mailconn.invalid"
