"""What was signed of a message, byte for byte, and its signature; and what is encrypted in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..incoming.header import Header, end_of_header
from ..incoming.transfer_encoding import decoded_body
from ..mime.wire_format import normalised

__all__ = ["SignedParts", "encrypted_in", "is_encrypted", "is_signed", "signed_in"]

_SIGNATURES: Final = {b"application/pkcs7-signature", b"application/x-pkcs7-signature"}
_WRAPPED: Final = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
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


def _is_opaque(header: Header) -> bool:
    kind = header.field("Content-Type")
    return kind.word in _WRAPPED and kind.token("smime-type").lower() == "signed-data"


def is_signed(header: Header) -> bool:
    """Whether the message says of itself that all of it is signed."""
    kind = header.field("Content-Type")
    detached = kind.word == "multipart/signed" and (kind.exact("protocol") or b"").lower() in _SIGNATURES
    return detached or _is_opaque(header)


def is_encrypted(header: Header) -> bool:
    """Whether the message is encrypted as a whole; what does not say what it is, is taken for that (RFC 8551, 3.2.2)."""
    kind = header.field("Content-Type")
    return kind.word in _WRAPPED and kind.token("smime-type").lower() in {"", "enveloped-data", "authenveloped-data"}


def encrypted_in(raw: bytes) -> bytes | None:
    """What is encrypted in the message, in DER; None where it is no such message."""
    header, body = _header(raw)
    return _decoded(header, body) if is_encrypted(header) else None


def signed_in(raw: bytes) -> SignedParts | None:
    """What was signed, and the signature; None where the message is not signed as a whole, or not as it should be."""
    header, body = _header(normalised(raw, ended=False))
    if _is_opaque(header):
        return SignedParts(None, _decoded(header, body))
    boundary = header.field("Content-Type").exact("boundary")
    if not is_signed(header) or not boundary or len(boundary) > _LONGEST_BOUNDARY:
        return None
    parts = _split(b"\r\n" + body, b"\r\n--" + boundary.rstrip())
    if len(parts) != 2:  # RFC 1847, 2.1: what is signed, and the signature
        return None
    content, (below, encoded) = parts[0], _header(parts[1])
    if below.field("Content-Type").word.encode() not in _SIGNATURES:
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
