"""A message taken apart: its attachments, as files, and the rest."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, TypeAlias

from ...message.incoming.secured_kind import SEALED
from ...message.mime.encoded_part import EncodedPart
from ...message.mime.wire_format import as_bytes

__all__ = ["AttachedFile", "is_sealed", "take_apart"]

AnyMessage: TypeAlias = "Message[Any, Any]"


@dataclass(frozen=True)
class AttachedFile:
    """One attachment; ``content_id`` is what an HTML part shows it by, empty for one that stands by itself."""

    name: str
    kind: str
    data: bytes = field(repr=False)
    content_id: str = ""


def is_sealed(message: AnyMessage) -> bool:
    """Whether any part is signed or encrypted (RFC 1847, RFC 8551): it is good only as it is, byte for byte."""
    return any(part.get_content_type() in SEALED for part in message.walk())


def take_apart(message: AnyMessage, *, inline: bool = False) -> tuple[AnyMessage, list[AttachedFile]]:
    """The message without its attachments, and those, in their order; with ``inline`` also what its HTML shows."""
    files: list[AttachedFile] = []
    rest = _without(message, files, inline=inline)
    if rest is None or (rest.is_multipart() and not rest.get_payload()):
        # A message has at least one part.
        rest = copy.copy(message)
        for name in ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID"):
            del rest[name]
        rest["Content-Type"] = "text/plain"
        rest.set_payload("")
    return rest, files


def _without(part: AnyMessage, files: list[AttachedFile], *, inline: bool) -> AnyMessage | None:
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        kept = [_without(below, files, inline=inline) for below in part.get_payload()]  # type: ignore[arg-type]
        shown = copy.copy(part)
        shown.set_payload([below for below in kept if below is not None])
        return shown
    shows = str(part.get("Content-ID") or "").strip().strip("<>")
    stands_alone = part.get_content_disposition() == "attachment" or bool(part.get_filename() and not shows)
    if not stands_alone and not (inline and shows):
        return part
    name = part.get_filename() or ("message.eml" if part.is_multipart() else "attachment")
    files.append(AttachedFile(name, part.get_content_type(), _bytes_of(part), "" if stands_alone else shows))
    return None


def _bytes_of(part: AnyMessage) -> bytes:
    if isinstance(part, EncodedPart) and part.octets is not None:
        return part.octets
    if part.is_multipart():
        # A message within the message.
        return b"".join(as_bytes(below, utf8=False, eight_bit=True) for below in part.get_payload())  # type: ignore[arg-type]
    return bytes(part.get_payload(decode=True) or b"")
