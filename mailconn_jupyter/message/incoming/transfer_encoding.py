"""From a body on its way to the bytes that were sent (RFC 2045, 6): Base64, quoted-printable, and what came before MIME."""

from __future__ import annotations

import binascii
import re
from typing import Final

from .uuencoded import decoded_file

__all__ = ["decoded_body"]

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(set(range(256)) - set(_BASE64))
_SPACE: Final = b" \t\r\n"
# One piece of Base64 up to its padding.
_PADDED: Final = re.compile(rb"[^=]++=*+")

_MISSING: Final = "The end of a part in Base64 is missing."
_PASSED_OVER: Final = "A part in Base64 contains other characters, which are skipped."


def decoded_body(data: bytes, encoding: str) -> tuple[bytes, list[str]]:
    """The bytes, and what is wrong with them, in sentences. What names no encoding that one knows is left as it is."""
    if encoding == "base64":
        return _from_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data), []
    if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
        file = decoded_file(data)
        return (
            (data, ["A part in uuencode cannot be decoded, and is shown as it came."]) if file is None else (file, [])
        )
    return data, []


def _from_base64(data: bytes) -> tuple[bytes, list[str]]:
    """Each piece of Base64 in it: who joins two leaves the padding between them, and lists add a text of their own."""
    out = bytearray()
    problems: list[str] = []
    for piece in _PADDED.finditer(data.translate(None, _SPACE)):
        found, wrong = _piece(piece[0])
        if not (out and wrong):
            out += found
        elif _PASSED_OVER not in problems:
            problems.append(_PASSED_OVER)
        problems = problems or wrong
    return bytes(out), problems


def _piece(text: bytes) -> tuple[bytes, list[str]]:
    letters = text.translate(None, _NOT_BASE64)
    padding = text.count(b"=")
    problems = [_PASSED_OVER] if len(letters) + padding < len(text) else []
    if (len(letters) + padding) % 4:
        problems.append(_MISSING)
    if len(letters) % 4 == 1:
        # The beginning of nothing.
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4)), problems
