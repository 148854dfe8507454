"""Parts that are kept as they are, and encoded only on the way: a large attachment costs its size, and little more.

:mod:`email` keeps a part as its base64 text, and copies it once at each level of the tree, and again for the wire: over
five times the size of the file.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from email.message import MIMEPart
from typing import Any, Final

__all__ = ["EncodedPart", "encoded_length", "lines_of"]

_LINE: Final = 57  # bytes: 76 characters, RFC 2045, 6.8
_LINES: Final = 1024
_BLOCK: Final = _LINE * _LINES
# All lines of a block at once: a call for each would be most of the time that encoding takes.
_SPLIT: Final = struct.Struct("76s" * _LINES)


def lines_of(data: bytes, end: bytes = b"\r\n") -> Iterator[bytes]:
    r"""The base64 of ``data``, many lines at a time, each with its end.

    >>> b"".join(lines_of(b"a" * 58, b"\n"))[74:]
    b'Fh\nYQ==\n'
    """
    view = memoryview(data)
    for start in range(0, len(view), _BLOCK):
        text = binascii.b2a_base64(view[start : start + _BLOCK], newline=False)
        if len(text) == _SPLIT.size:
            yield end.join((*_SPLIT.unpack(text), b""))
        else:
            yield end.join([text[at : at + 76] for at in range(0, len(text), 76)]) + end


def encoded_length(data: bytes) -> int:
    """How many bytes :func:`lines_of` gives."""
    return (len(data) + 2) // 3 * 4 + (len(data) + _LINE - 1) // _LINE * 2


class EncodedPart(MIMEPart):
    """A part whose bytes are ``octets``; None once somebody has given it another payload.

    It travels in base64, or, with ``as_lines``, as the ASCII lines that it is, each ended by CR LF. To everybody else it
    is a part like any other: its payload is made when it is asked for.
    """

    octets: bytes | None = None
    as_lines: bool = False
    _text: Any = None

    def __init__(self, data: bytes, *, as_lines: bool = False) -> None:
        super().__init__()
        self.octets = data
        self.as_lines = as_lines

    def is_multipart(self) -> bool:
        """Whether it has been made one; whoever walks through the parts asks."""
        return self.octets is None and super().is_multipart()

    @property
    def _payload(self) -> Any:
        if self.octets is None:
            return self._text
        lines = self.octets.replace(b"\r\n", b"\n") if self.as_lines else b"".join(lines_of(self.octets, b"\n"))
        return lines.decode("ascii")

    @_payload.setter
    def _payload(self, payload: Any) -> None:
        self.octets, self._text = None, payload
