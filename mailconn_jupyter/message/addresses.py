"""Envelope addresses, read strictly: what is accepted is exactly one mailbox, and nothing rides along.

``<a@example.org> ORCPT=...`` smuggles a parameter into the command, a line break a whole command; some versions of
:mod:`smtplib` cut such an address to another one. Here anything but one mailbox (RFC 5321, 4.1.2; RFC 6531) is refused.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.errors import InvalidHeaderDefect
from email.header import Header
from email.headerregistry import HeaderRegistry
from itertools import pairwise
from typing import Any, Final

from ..domains import ascii_domain
from ..errors import MessageError, NoDomain
from ..formatting import shown, unfit

__all__ = ["Address", "envelope_address", "header_addresses", "listed_addresses", "once", "plain_addresses"]

# RFC 5322 atext, and RFC 6532 beyond ASCII.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
# Of RFC 5321's quoted strings those that need no quoting inside; a space in one is refused with every other space.
_QUOTED = re.compile(r'"[!#-\[\]-~]+"')
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?")
# A comma or a semicolon outside quotes would be a second address, which must not be lost in silence.
_WITH_NAME = re.compile(r'(?:[^<>",;]|"(?:[^<>"\\]|\\.)*")*<([^<>]*)>')
_MOST_MAILBOX = 4_000  # characters
# Within a word of Persian or of an Indian script they tell one from another.
_JOINERS = frozenset("\u200c\u200d")
_DOTTED = re.compile(r"^\.|\.\.|\.$")
_MOST_LOCAL, _MOST_DOMAIN = 64, 255  # octets, RFC 5321, 4.5.3.1

# An address that is its own name, as Outlook and others write it. It is looked for from the beginning of each word alone.
_TWICE = re.compile(r"""(?<![^\s<>"',;:()])(['"]?)([^\s<>"',;:()@]++@[^\s<>"',;:()@]++)\1 *<\2>""", re.IGNORECASE)
_QUOTED_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)')
# Of what the standard library says of a list's flaws: an address was not read, or is taken for a part of something else.
_OF_LOSS: Final = ("invalid", "comment", "quoted string")
_IN_ONE_LINE: Final = policy.default.clone(max_line_length=0)

# A list as most are written: names of ASCII words, in quotation marks or encoded, and addresses without any.
_PLAIN_WORD = r"(?:[A-Za-z0-9]+|=\?utf-8\?[bq]\?[A-Za-z0-9!*+/=_\-]*\?=)"
_PLAIN_ADDRESS = r"([A-Za-z0-9_+\-]+(?:\.[A-Za-z0-9_+\-]+)*@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*)"
_PLAIN: Final = re.compile(
    rf'(?:(?:{_PLAIN_WORD}(?:\n? {_PLAIN_WORD})*|"[A-Za-z0-9 .,;@\'\-]*")\n? <{_PLAIN_ADDRESS}>|{_PLAIN_ADDRESS})(?:,\n? |\Z)'
)


@dataclass(frozen=True)
class Address:
    """One mailbox, as the envelope carries it; ``international`` when only SMTPUTF8 can (RFC 6531)."""

    text: str
    international: bool

    @property
    def key(self) -> str:
        """What addresses are compared by: only the server knows whether Ana@ and ana@ are one mailbox."""
        local, _, domain = self.text.rpartition("@")
        return f"{local}@{domain.lower()}"

    def __str__(self) -> str:
        return self.text


def envelope_address(given: str, *, what: str = "recipient", empty: bool = False, local: bool = False) -> Address:
    """The mailbox that ``given`` names, alone or as ``Ana <ana@example.org>``; the domain in its ASCII form.

    ``empty`` allows ``""`` and ``<>``, the sender of a bounce; ``local`` a name without a domain, which a local relay
    completes. Raises :class:`MessageError` for everything that is not exactly one mailbox; of its kind
    :class:`~mailconn_jupyter.errors.NoDomain` for such a name where it is not allowed.

    >>> envelope_address("Ana <ana@bücher.example>").text
    'ana@xn--bcher-kva.example'
    """
    if not isinstance(given, str):
        raise MessageError(f"The {what} {shown(given)} is not an address.", hint="An address is text: ana@example.org")
    if unfit(given):
        raise MessageError(f"The {what} {shown(given)} contains a line break or another control character.")
    text = given.strip(" ")
    if "<" in text or ">" in text:
        match = _WITH_NAME.fullmatch(text)
        if match is None:
            raise _not_one(given, what)
        text = match.group(1)
    if not text and empty:
        return Address("", international=False)
    name, at, domain = text.rpartition("@") if "@" in text else (text, "", "")
    if not (_LOCAL.fullmatch(name) or (at and _QUOTED.fullmatch(name))):
        raise _not_one(given, what)
    if not name.isprintable() or " " in name or _quotes(name[0]) or _quotes(name[-1]):
        raise _not_one(given, what)
    if not domain.isprintable() and any(not sign.isprintable() and sign not in _JOINERS for sign in domain):
        # They would be left out of the name, and what was pasted there is not to be guessed.
        raise _not_one(given, what)
    if len(name.encode()) > _MOST_LOCAL:
        raise MessageError(f"The {what} {shown(given)} has over {_MOST_LOCAL} bytes before the @.")
    if at:
        return Address(f"{name}@{_domain(domain, given, what)}", international=not name.isascii())
    if "@" in unicodedata.normalize("NFKC", name):
        # A full-width sign in place of the one that was meant.
        raise _not_one(given, what)
    if not local:
        raise NoDomain(f"The {what} {shown(given)} is not a valid mail address.", name=name)
    return Address(name, international=not name.isascii())


def once(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Each mailbox once, as it was named first: a domain is the same in whatever case."""
    found: dict[str, Address] = {}
    for address in addresses:
        found.setdefault(address.key, address)
    return tuple(found.values())


def _domain(domain: str, given: str, what: str) -> str:
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        try:
            if literal.casefold().startswith("ipv6:") and "%" not in literal:  # anything could follow that
                ipaddress.IPv6Address(literal[5:])
            else:
                ipaddress.IPv4Address(literal)
        except ValueError:
            raise _not_one(given, what) from None
        return domain
    try:
        name = ascii_domain(domain)
    except UnicodeError:
        raise _not_one(given, what) from None
    if len(name) > _MOST_DOMAIN or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _not_one(given, what)
    return name


def _quotes(character: str) -> bool:
    """Whether it is a quotation mark as word processors set them."""
    return unicodedata.category(character) in {"Pi", "Pf"}


def _not_one(given: str, what: str) -> MessageError:
    hint = "For example: ana@example.org"
    for character in given[:_MOST_MAILBOX]:
        if _quotes(character) or (character != " " and unicodedata.category(character) in {"Cf", "Zs"}):
            sign = f"{character} (" if _quotes(character) else "("
            name = unicodedata.name(character, "a sign without a name").lower()
            hint = f"It contains {sign}U+{ord(character):04X}, {name}), as pasted text often does: type it again."
            break
    return MessageError(f"The {what} {shown(given)} is not a valid mail address.", hint=hint)


def header_addresses(value: Any) -> list[str]:
    """The addresses of one header, parsed before anything in it is decoded: a comma in a name is no second address.

    Not by :func:`email.utils.getaddresses`, which on older versions finds addresses where there are none
    (CVE-2023-27043).
    """
    return _texts(_parsed(value))


def listed_addresses(name: str, value: Any) -> list[str]:
    """The addresses of the header ``name``, of which a message is to be sent to each.

    What a parser leaves out would be lost without a word (``a@example.org; b@example.org``): raises
    :class:`MessageError` for it, and for a name with a comma that is taken for one without a domain.
    """
    said = ""
    # What the standard library raises for a list that it cannot read.
    with contextlib.suppress(AttributeError, LookupError, ValueError, TypeError, RecursionError):
        said = str(value)
        parsed = _parsed(value)
        if _is_whole(parsed) and not _has_split_name(parsed):
            return _texts(parsed)
        said = _source(parsed)
        if not _is_whole(parsed):
            # Nobody is lost of an address that is its own name, and of a semicolon with nothing behind it.
            mended = _TWICE.sub(r"<\2>", said).rstrip("; ")
            parsed = HeaderRegistry()("To", mended) if mended != said else None
        if parsed is not None and _is_whole(parsed) and not _has_split_name(parsed):
            return _texts(parsed)
    raise MessageError(
        f"{name} is not a complete list of mail addresses: {shown(said)}.",
        hint="Separate addresses by commas; a name with a comma or an @ goes in quotation marks.",
    )


def plain_addresses(value: Any) -> list[str] | None:
    """The addresses of a list that leaves nothing to be understood, such as compose() writes; None for any other.

    The standard library's parser, which reads them all, takes as long for one as all else that is done to a short message.
    """
    if type(value) is not str or not value:
        return None
    found: list[str] = []
    place = 0
    while place < len(value):
        match = _PLAIN.match(value, place)
        if match is None or (match.end() == len(value) and value.endswith(" ")):
            return None
        found.append(match[1] or match[2])
        place = match.end()
    return found


def _parsed(value: Any) -> Any:
    # A header that was set from a list of texts keeps the texts in place of addresses.
    if all(hasattr(address, "addr_spec") for address in getattr(value, "addresses", [None])):
        return value
    text = value.encode() if isinstance(value, Header) else str(value)
    # The standard library's parser takes the square of its length, and no name and address together are longer.
    if max(map(len, re.split("[,;]", text))) > _MOST_MAILBOX:
        raise ValueError("the text between two commas is too long for an address")
    return HeaderRegistry()("To", text.replace("\r", "").replace("\n", ""))


def _texts(parsed: Any) -> list[str]:
    return [_spec(address) for address in parsed.addresses if address.addr_spec != "<>"]


def _spec(address: Any) -> str:
    """The address with the quotation marks that it stood in: the standard library leaves those out around ``a..b``."""
    name, text = address.username, address.addr_spec
    return (
        f'"{name}"@{address.domain}'
        if name and text == f"{name}@{address.domain}" and _DOTTED.search(name)
        else str(text)
    )


def _source(parsed: Any) -> str:
    """The header as it was written; what is shown of it is made of what was understood.

    A long one with its encoded words decoded: to write signs in such words takes the square of their number.
    """
    text = str(parsed._parse_tree)  # noqa: SLF001  # what fold() itself writes
    if len(text) <= _MOST_MAILBOX:
        text = str(parsed.fold(policy=_IN_ONE_LINE)).partition(":")[2]
    return text.strip()


def _is_whole(parsed: Any) -> bool:
    """Whether the addresses that were found are all that stand there."""
    flaws = [str(defect) for defect in parsed.defects if isinstance(defect, InvalidHeaderDefect)]
    if not flaws:
        return True
    # The words are the parser's; so that it does not hang on them alone, the signs are counted, too.
    signs = _QUOTED_OR_COMMENT.sub("", _source(parsed)).count("@")
    found = sum(1 for address in parsed.addresses if address.domain)
    return signs == found and not any(word in flaw for flaw in flaws for word in _OF_LOSS)


def _has_split_name(parsed: Any) -> bool:
    """Whether a name with a comma was taken for two addresses: ``Smith, Ana <ana@example.org>``."""
    return any(not address.domain and following.display_name for address, following in pairwise(parsed.addresses))
