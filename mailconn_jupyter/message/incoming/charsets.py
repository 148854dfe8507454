"""From bytes to text, whatever charset they are said to be in, or really are in."""

from __future__ import annotations

import codecs
from typing import Final

__all__ = ["text_of"]

_LONGEST_NAME: Final = 40
# What Python has under the name of a codec and no mail is written in: some are slow, some warn, one runs escapes.
_NO_CHARSET: Final = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
# What programs write, and what they mean.
_MEANT: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "x-sjis": "shift_jis",
}


def text_of(data: bytes, charset: str) -> tuple[str, bool]:
    r"""The text, and whether it is wholly what the charset says it is.

    What no charset tells is read as UTF-8, or else as Windows-1252, which Western programs wrote before it.

    >>> text_of(b"gr\xfc\xdfe", "iso-8859-1"), text_of(b"gr\xfc\xdfe", "x-unknown")
    (('grüße', True), ('grüße', False))
    """
    name = _known(charset)
    if name:
        try:
            return _sound(data.decode(name), name), True
        except ValueError:
            if name != "ascii":
                return _sound(data.decode(name, "replace"), name), False
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), False


def _known(charset: str) -> str:
    """The codec's name; empty where there is none for it."""
    wanted = charset.strip().lower()[:_LONGEST_NAME]
    try:
        name = codecs.lookup(_MEANT.get(wanted, wanted)).name
        b"x".decode(name, "replace")  # a LookupError for what is no charset, such as base64
    except (LookupError, ValueError):
        return ""
    return "" if name in _NO_CHARSET else name


def _sound(text: str, name: str) -> str:
    """The text without halves of surrogate pairs, which UTF-7 can smuggle in."""
    return text.encode("utf-8", "replace").decode("utf-8") if name == "utf-7" else text
