"""Envelope addresses, read strictly: what is accepted is exactly one mailbox, and nothing rides along.

``<a@example.org> ORCPT=...`` smuggles a parameter into the command, a line break a whole command; some versions of
:mod:`smtplib` cut such an address to another one. Here anything but one mailbox (RFC 5321, 4.1.2; RFC 6531) is refused.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import HeaderRegistry
from typing import Any

from ..domains import ascii_domain
from ..errors import MessageError

__all__ = ["Address", "envelope_address", "header_addresses"]

# RFC 5322 atext, and RFC 6532 beyond ASCII.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
# Of RFC 5321's quoted strings those that need no quoting inside; a space in one is refused with every other space.
_QUOTED = re.compile(r'"[!#-\[\]-~]+"')
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?")
# A comma or a semicolon outside quotes would be a second address, which must not be lost in silence.
_WITH_NAME = re.compile(r'(?:[^<>",;]|"(?:[^<>"\\]|\\.)*")*<([^<>]*)>')
_MOST_LOCAL, _MOST_DOMAIN = 64, 255  # octets, RFC 5321, 4.5.3.1


@dataclass(frozen=True)
class Address:
    """One mailbox, as the envelope carries it; ``international`` when only SMTPUTF8 can (RFC 6531)."""

    text: str
    international: bool

    def __str__(self) -> str:
        return self.text


def envelope_address(given: str, *, what: str = "recipient", empty: bool = False) -> Address:
    """The mailbox that ``given`` names, alone or as ``Ana <ana@example.org>``; the domain in its ASCII form.

    ``empty`` allows ``""`` and ``<>``, the sender of a bounce. Raises :class:`MessageError` for everything that is not
    exactly one mailbox.

    >>> envelope_address("Ana <ana@bücher.example>").text
    'ana@xn--bcher-kva.example'
    """
    if not isinstance(given, str):
        raise MessageError(f"The {what} {given!r} is not an address.", hint="Addresses are texts: ana@example.org")
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"} for character in given):
        raise MessageError(f"The {what} {given!r} holds a line break or another control character.")
    text = given.strip(" ")
    if "<" in text or ">" in text:
        match = _WITH_NAME.fullmatch(text)
        if match is None:
            raise _not_one(given, what)
        text = match.group(1)
    if not text and empty:
        return Address("", international=False)
    local, at, domain = text.rpartition("@")
    if not at or not (_LOCAL.fullmatch(local) or _QUOTED.fullmatch(local)):
        raise _not_one(given, what)
    if any(unicodedata.category(character)[0] in "ZC" for character in local):
        raise _not_one(given, what)
    if len(local.encode()) > _MOST_LOCAL:
        raise MessageError(f"The {what} {given!r} has over {_MOST_LOCAL} bytes before the @.")
    return Address(f"{local}@{_domain(domain, given, what)}", international=not local.isascii())


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


def _not_one(given: str, what: str) -> MessageError:
    return MessageError(f"The {what} {given!r} is not one mail address.", hint="For example: ana@example.org")


def header_addresses(value: Any) -> list[str]:
    """The addresses of one header, parsed before anything in it is decoded: a comma in a name is no second address.

    Not by :func:`email.utils.getaddresses`, which on older versions finds addresses where there are none
    (CVE-2023-27043).
    """
    # A header that was set from a list of texts keeps the texts in place of addresses.
    if not all(hasattr(address, "addr_spec") for address in getattr(value, "addresses", [None])):
        text = value.encode() if isinstance(value, Header) else str(value)
        value = HeaderRegistry()("To", text.replace("\r", "").replace("\n", ""))
    return [address.addr_spec for address in value.addresses if address.addr_spec != "<>"]
