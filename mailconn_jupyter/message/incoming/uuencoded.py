"""Files within a text, as they were sent before MIME: between a line ``begin 644 name`` and a line ``end``."""

from __future__ import annotations

import binascii
import re
from typing import Final

__all__ = ["decoded_file", "take_files"]

_FILE: Final = re.compile(r"^begin [0-7]{3,4} ([^\r\n]{1,255})\n((?:[ -`]{1,90}\n)*)end[ \t]*$", re.MULTILINE)


def take_files(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    r"""The text without its uuencoded files, and these: the name and the bytes of each.

    >>> take_files("See:\nbegin 644 a.txt\n#0V%T\n`\nend\n")
    ('See:\n\n', [('a.txt', b'Cat')])
    """
    files: list[tuple[str, bytes]] = []
    if "\nend" not in text:
        return text, files

    def take(found: re.Match[str]) -> str:
        try:
            data = b"".join(binascii.a2b_uu(line) for line in found[2].splitlines())
        except (binascii.Error, ValueError):
            return found[0]
        files.append((found[1].strip(), data))
        return ""

    return _FILE.sub(take, text), files


def decoded_file(data: bytes) -> bytes | None:
    """The first file of a body that is uuencoded as a whole; None where there is none."""
    _, files = take_files(data.replace(b"\r\n", b"\n").decode("latin-1"))
    return files[0][1] if files else None
