"""From a message to the bytes that travel: nothing injected, no bare CR or LF, and what they ask of the server."""

from __future__ import annotations

import copy
import re
from email.errors import MessageError as MailError
from email.generator import BytesGenerator
from email.message import Message
from email.policy import EmailPolicy, Policy
from io import BytesIO
from typing import Any

from .failure import MessageError

__all__ = ["as_bytes", "normalised", "scan_headers", "stuffed"]

# RFC 5322, 3.6.8: a field's name is printable US-ASCII without colon.
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_LINE_END = re.compile(rb"\r\n|\r|\n")
# What the standard library raises for a header or a part that it cannot write, by version and kind of policy.
_FAULTS = (MailError, ValueError, TypeError, AttributeError, LookupError, AssertionError)


def as_bytes(message: Message[Any, Any], *, utf8: bool, eight_bit: bool) -> bytes:
    """The message with CR LF line ends, without Bcc; its headers are scanned first (see :func:`scan_headers`).

    ``utf8`` writes headers as UTF-8 (RFC 6532), for a session with SMTPUTF8; without ``eight_bit`` (8BITMIME) every
    part is made 7 bit.
    """
    policy = message.policy.clone(linesep="\r\n", cte_type="8bit" if eight_bit else "7bit")
    if isinstance(policy, EmailPolicy):
        # Also off where the message's own policy has it on: without SMTPUTF8 a header is ASCII.
        policy = policy.clone(utf8=utf8)
    scan_headers(message, policy)
    buffer = BytesIO()
    try:
        BytesGenerator(buffer, policy=policy, mangle_from_=False).flatten(_without_bcc(message), linesep="\r\n")
    except _FAULTS as error:
        raise MessageError(f"The message cannot be serialised ({type(error).__name__}: {error}).") from error
    return normalised(buffer.getvalue())


def _without_bcc(message: Message[Any, Any]) -> Message[Any, Any]:
    shown = copy.copy(message)
    # Deleting builds a new list of headers: the message that was given keeps its own.
    del shown["bcc"], shown["resent-bcc"]
    return shown


def scan_headers(message: Message[Any, Any], policy: Policy[Any] | None = None) -> None:
    """Raise :class:`MessageError` for a header, in any part, that would not be serialised to exactly one field.

    Older versions of :mod:`email` fold a value that holds an encoded line break into two fields (CVE-2024-6923), and
    none of them checks a field's name. So what the generator will write is looked at, not what the value seems to be.
    """
    policy = policy or message.policy.clone(linesep="\r\n")
    for part in message.walk():
        for name, value in part.raw_items():  # undocumented, but what the generator reads
            if not _FIELD_NAME.fullmatch(name):
                raise MessageError(f"The header name {name!r} is not one.", hint="A name has no space and no colon.")
            try:
                written = policy.fold_binary(name, value)
            except _FAULTS as error:
                raise MessageError(f"The header {name} cannot be written ({type(error).__name__}).") from error
            first, *more = _LINE_END.split(written.removesuffix(b"\r\n").removesuffix(b"\n"))
            if not first.startswith(f"{name}:".encode()) or not all(
                line[:1] in {b" ", b"\t"} and line.strip() for line in more
            ):
                raise MessageError(
                    f"The header {name} holds a line break, which would begin another header.",
                    hint="Take the line break out of its text.",
                )
            if b"\0" in written:
                raise MessageError(f"The header {name} holds a NUL.")


def normalised(data: bytes) -> bytes:
    """The same lines, each ended by CR LF: a bare CR or LF is how a message is smuggled in (CVE-2023-51764 and kin)."""
    if b"\r" not in data.replace(b"\r\n", b"") and b"\n" not in data.replace(b"\r\n", b""):
        ended = data
    else:
        ended = _LINE_END.sub(b"\r\n", data)
    return ended if not ended or ended.endswith(b"\r\n") else ended + b"\r\n"


def stuffed(data: bytes) -> bytes:
    """What follows DATA: each leading dot doubled, and the line with a single dot (RFC 5321, 4.5.2)."""
    return (b"." if data.startswith(b".") else b"") + data.replace(b"\r\n.", b"\r\n..") + b".\r\n"
