"""What was signed of a message, byte for byte, and its signature; and what is encrypted in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..incoming.header import Header, end_of_header
from ..incoming.secured_kind import SIGNATURES, SecuredKind, secured_kind
from ..incoming.transfer_encoding import decoded_body
from ..mime.wire_format import normalised

__all__ = ["SignedParts", "encrypted_in", "signed_in"]

# Signed parts have no preamble of that length, and nobody should look for a boundary for ever.
_LONGEST_BOUNDARY: Final = 200


@dataclass(frozen=True)
class SignedParts:
    """``content`` is what was signed, with CR LF line ends; None where the signature holds it (opaque signing)."""

    content: bytes | None
    signature: bytes


def _header(raw: bytes) -> tuple[Header, bytes]:
    end = end_of_header(raw)
    return Header(raw[:end]), raw[end:]


def _kind(header: Header) -> SecuredKind | None:
    return secured_kind(header.field("Content-Type"))


def encrypted_in(raw: bytes) -> bytes | None:
    """What is encrypted in the message, in DER; None where it is not encrypted as a whole."""
    header, body = _header(raw)
    return _decoded(header, body) if _kind(header) is SecuredKind.ENCRYPTED else None


def signed_in(raw: bytes) -> SignedParts | None:
    """What was signed, and the signature; None where the message is not signed as a whole, or not as it should be."""
    header, body = _header(normalised(raw, ended=False))
    kind = _kind(header)
    if kind is SecuredKind.OPAQUE:
        return SignedParts(None, _decoded(header, body))
    boundary = header.field("Content-Type").exact("boundary")
    if kind is not SecuredKind.SIGNED or not boundary or len(boundary) > _LONGEST_BOUNDARY:
        return None
    parts = _split(b"\r\n" + body, b"\r\n--" + boundary.rstrip())
    if len(parts) != 2:  # RFC 1847, 2.1: what is signed, and the signature
        return None
    content, (below, encoded) = parts[0], _header(parts[1])
    if below.field("Content-Type").word not in SIGNATURES:
        return None
    return SignedParts(content, _decoded(below, encoded))


def _split(body: bytes, mark: bytes) -> list[bytes]:
    """The parts between lines that are the boundary; at most three are looked for."""
    parts: list[bytes] = []
    start = -1
    at = 0
    while len(parts) < 3 and (found := body.find(mark, at)) >= 0:
        end = body.find(b"\r\n", found + len(mark))
        end = len(body) if end < 0 else end
        rest = body[found + len(mark) : end].rstrip(b" \t")
        at = end
        if rest not in {b"", b"--"}:
            continue
        if start >= 0:
            parts.append(body[start:found])
        if rest:
            break
        start = end + 2
    return parts


def _decoded(header: Header, body: bytes) -> bytes:
    return decoded_body(body, header.field("Content-Transfer-Encoding").word)[0]
