"""Each header field as it is written: exactly one, whatever its value holds."""

from __future__ import annotations

import re
from email.errors import MessageError as MailError
from email.headerregistry import (
    BaseHeader,
    ContentTransferEncodingHeader,
    DateHeader,
    MessageIDHeader,
    MIMEVersionHeader,
    ParameterizedMIMEHeader,
    UnstructuredHeader,
)
from email.message import Message
from email.policy import EmailPolicy, Policy
from typing import Any, Final

from ...errors import MessageError
from ...formatting import shown

__all__ = ["FAULTS", "LINE_END", "Written", "scan_headers", "unfolded", "unwritable"]

LINE_END: Final = re.compile(rb"\r\n|\r|\n")
#: What the standard library raises for a header or a part that it cannot write, by version and kind of policy.
FAULTS: Final = (MailError, ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError)
#: Name and identity of a field's value to its line or lines.
Written = dict[tuple[str, int], bytes]

# RFC 5322, 3.6.8: a field's name is printable US-ASCII without colon.
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_ONE_LINE = re.compile(r"[!-9;-~]+: [!-~](?:[ -~]*[!-~])?")
# Those that show themselves as they were written, which addresses do not.
_SHOWS_ITS_SOURCE = (
    ContentTransferEncodingHeader, DateHeader, MessageIDHeader, MIMEVersionHeader, ParameterizedMIMEHeader,
    UnstructuredHeader,
)  # fmt: skip


def scan_headers(message: Message[Any, Any], policy: Policy[Any] | None = None) -> Written:
    """What each field of the message is written as, by its name and the identity of its value, as long as the message lives.

    Raises :class:`MessageError` for a header, in any part, that would not be serialised to exactly one field.

    Older versions of :mod:`email` fold a value that holds an encoded line break into two fields (CVE-2024-6923), and
    none of them checks a field's name. So what the generator will write is looked at, not what the value seems to be.
    """
    policy = policy or message.policy.clone(linesep="\r\n")
    folds_as_usual = getattr(type(policy), "fold_binary", None) is EmailPolicy.fold_binary
    found: Written = {}
    for part in message.walk():
        for name, value in part.raw_items():  # undocumented, but what the generator reads
            if not _FIELD_NAME.fullmatch(name):
                raise MessageError(
                    f"The header name {shown(name)} is not valid.", hint="A name has no space and no colon."
                )
            try:
                line = unfolded(name, value, policy) if folds_as_usual else b""
                written = line or policy.fold_binary(name, value)
            except FAULTS as error:
                raise unwritable(name, error) from error
            if not line:
                _require_one(name, written)
            found[name, id(value)] = written
    return found


def _require_one(name: str, written: bytes) -> None:
    """Raise unless it is one field."""
    first, *more = LINE_END.split(written.removesuffix(b"\r\n").removesuffix(b"\n"))
    if not first.startswith(f"{name}:".encode()) or not all(
        line[:1] in {b" ", b"\t"} and line.strip() for line in more
    ):
        raise MessageError(
            f"The header {name} contains a line break, which would begin another header.",
            hint="Remove the line break from its text.",
        )
    if b"\0" in written:
        raise MessageError(f"The header {name} contains a NUL.")


def unfolded(name: str, value: Any, policy: Policy[Any]) -> bytes:
    """The field, where it is one line that is short enough for the policy to leave it as it is; or nothing.

    To fold it would take ten times as long.
    """
    source = value
    if isinstance(value, str) and not hasattr(value, "name"):
        # Never parsed, and left so but where the policy folds all fields anew.
        plain = getattr(policy, "refold_source", "all") != "all"
    else:
        plain = not getattr(value, "defects", True) and value.name == name and type(value).fold is BaseHeader.fold
        if plain and not isinstance(value, _SHOWS_ITS_SOURCE):
            source = value._parse_tree  # noqa: SLF001  # what fold() itself writes
    line = f"{name}: {source}" if plain else ""
    short = len(line) <= (policy.max_line_length or 0)
    return f"{line}{policy.linesep}".encode() if short and _ONE_LINE.fullmatch(line) else b""


def unwritable(name: str, error: Exception) -> MessageError:
    """The error for a field that the standard library cannot write."""
    return MessageError(f"The header {name} cannot be written ({type(error).__name__}).")
