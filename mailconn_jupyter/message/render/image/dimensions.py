"""How large an image is, read from its first bytes: mail programs want width and height before they have the image."""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["dimensions", "image_type"]

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
# Start-of-frame markers; C4, C8 and CC among them are something else.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_type(data: bytes) -> str:
    """``png``, ``jpeg``, ``gif``, ``webp``, or empty for anything else."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None when the data is not an image that is known here."""
    try:
        match image_type(data):
            case "png":
                wide, high = struct.unpack(">II", data[16:24])
            case "gif":
                wide, high = struct.unpack("<HH", data[6:10])
            case "jpeg":
                return _jpeg(data)
            case "webp":
                return _webp(data)
            case _:
                return None
    except struct.error:
        return None
    return wide, high


def _jpeg(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAMES:
            high, wide = struct.unpack(">HH", data[place + 5 : place + 9])
            return wide, high
        place += 2 + struct.unpack(">H", data[place + 2 : place + 4])[0]
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack("<HH", data[26:30])
        return wide & 0x3FFF, high & 0x3FFF
    return None
