"""From bytes to text, whatever charset they are said to be in, or really are in.

Mail means by a charset what browsers mean by it, so the names and their tables are those of the encoding standard
(https://encoding.spec.whatwg.org/#names-and-labels): ISO-8859-1 is Windows-1252, EUC-KR is Windows-949.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from functools import lru_cache
from typing import Final

__all__ = ["text_beside", "text_of"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_:.+-]{0,39}")
# What Python has under the name of a codec and no mail is written in: some are slow, some warn, one runs escapes.
_NO_CHARSET: Final = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
_PREFIX: Final = re.compile(r"(?:x-)+")
_ISO_8859: Final = re.compile(r"(?:csiso|iso[-_]?)8859[-_]?([0-9]{1,2})(?:[-_]?[ei]|:[0-9]{4})?")
_NUMBERED: Final = re.compile(r"(?:windows|win|dos|ibm|ms|cp)[-_]?([0-9]{3,5})")
# What programs write, and Python has no name for.
_MEANT: Final = {
    "big5-eten": "big5",
    "cn-big5": "big5",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "cp50222": "iso2022_jp",
    "cp51932": "euc_jp",
    "cp65001": "utf-8",
    "cseuckr": "euc_kr",
    "cseucpkdfmtjapanese": "euc_jp",
    "csgb2312": "gb2312",
    "csisolatin9": "iso8859-15",
    "csksc56011987": "euc_kr",
    "csmacintosh": "mac-roman",
    "csunicode": "utf-16-le",
    "gb_2312": "gb2312",
    "gb_2312-80": "gb2312",
    "iso-10646-ucs-2": "utf-16-le",
    "iso-ir-149": "euc_kr",
    "koi": "koi8-r",
    "koi8": "koi8-r",
    "koi8-ru": "koi8-u",
    "ks_c_5601-1989": "euc_kr",
    "ksc_5601": "euc_kr",
    "logical": "iso8859-8",
    "mac": "mac-roman",
    "mac-ukrainian": "mac-cyrillic",
    "sun_eu_greek": "iso8859-7",
    "ucs-2": "utf-16-le",
    "unicode": "utf-16-le",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "unicode11utf8": "utf-8",
    "unicode20utf8": "utf-8",
    "unicodefeff": "utf-16-le",
    "unicodefffe": "utf-16-be",
    "utf8mb3": "utf-8",
    "utf8mb4": "utf-8",
    "visual": "iso8859-8",
    "windows-31j": "cp932",
}
# The codecs that read what is written under the name of the first one, in the order in which they are tried.
_READ_BY: Final = {
    "big5": ("cp950", "big5hkscs"),
    "euc_kr": ("cp949",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "iso8859-1": ("cp1252",),
    "iso8859-9": ("cp1254",),
    "iso8859-11": ("cp874",),
    "shift_jis": ("cp932",),
    "tis-620": ("cp874",),
}


def text_of(data: bytes, charset: str) -> tuple[str, bool]:
    r"""The text, and whether it is wholly what the charset says it is.

    What no charset tells is read as UTF-8, or else as Windows-1252, which Western programs wrote before it.

    >>> text_of(b"\x80 gr\xfc\xdfe", "iso-8859-1"), text_of(b"gr\xfc\xdfe", "x-unknown")
    (('€ grüße', True), ('grüße', False))
    """
    names = _codecs_of(charset[:100].strip().lower())
    for name in names:
        with contextlib.suppress(ValueError):
            return _sound(data.decode(name)), True
    if names and (as_windows := _JAPANESE.get(names[0])):
        data, names = as_windows(data), ("cp932",)
        with contextlib.suppress(ValueError):
            return data.decode("cp932"), True
    if names and names[0] != "ascii":
        return _sound(data.decode(names[0], "replace")), False
    try:
        return _sound(data.decode("utf-8")), False
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), False


def text_beside(data: bytes, charset: str) -> tuple[str, bool]:
    """The text of bytes that name no charset, beside a text in this one, and whether they are wholly what one expects.

    They are UTF-8 (RFC 6532), or else what the text is in; ISO-2022-JP is ASCII to look at.
    """
    text, sound = text_of(data, "utf-8")
    if sound and "\x1b" not in text:
        return text, True
    other, fits = text_of(data, charset)
    return (other, fits) if fits or not sound else (text, True)


@lru_cache(maxsize=256)
def _codecs_of(charset: str) -> tuple[str, ...]:
    """The names of the codecs that may read it; none where it is no charset that one knows."""
    if not _NAME.fullmatch(charset):
        return ()
    charset = charset[found.end() :] if (found := _PREFIX.match(charset)) else charset
    if found := _ISO_8859.fullmatch(charset):
        charset = f"iso8859-{found[1]}"
    elif (found := _NUMBERED.fullmatch(charset)) and (charset := f"cp{found[1]}") == "cp819":
        charset = "iso8859-1"
    try:
        name = codecs.lookup(_MEANT.get(charset, charset)).name
        b"x".decode(name, "replace")  # a LookupError for what is no charset, such as base64
    except (LookupError, ValueError):
        return ()
    return () if name in _NO_CHARSET else _READ_BY.get(name, (name,))


def _sound(text: str) -> str:
    """The text without its byte order mark, and without halves of surrogate pairs, which UTF-7 can smuggle in."""
    if text.isascii():
        return text
    text = text.removeprefix("\ufeff")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


# Japanese mail that is more than its standard has the characters of Windows-932, in other bytes (JIS X 0208, rows 13, 89
# to 92 and 115 to 119).

_SHIFT: Final = re.compile(rb"\x1b(\$[@B]|\([BJI])")
_EUC: Final = re.compile(rb"(?:[\xa1-\xfe]{2})++|\x8e[\xa1-\xdf]")
_SEVEN_BITS: Final = bytes(byte & 0x7F for byte in range(256))
_EIGHT_BITS: Final = bytes(byte | 0x80 for byte in range(256))


def _from_iso_2022(data: bytes) -> bytes:
    """ISO-2022-JP in the bytes of Windows-932."""
    plain, *shifted = _SHIFT.split(data)
    out = [plain]
    for shift, text in zip(shifted[::2], shifted[1::2], strict=True):
        # A line end ends the shift, whatever the sender forgot.
        code, end, rest = text.partition(b"\n")
        if shift.startswith(b"$"):
            code = _windows(code)
        elif shift == b"(I":
            code = code.translate(_EIGHT_BITS)
        out += [code, end, rest]
    return b"".join(out)


def _from_euc(data: bytes) -> bytes:
    """EUC-JP in the bytes of Windows-932."""
    return _EUC.sub(
        lambda found: found[0][1:] if found[0][0] == 0x8E else _windows(found[0].translate(_SEVEN_BITS)), data
    )


def _windows(code: bytes) -> bytes:
    """Pairs of JIS X 0208 as Shift_JIS writes them."""
    out = bytearray()
    for row, cell in zip(code[::2], code[1::2], strict=False):
        out.append(((row - 0x21) >> 1) + (0x81 if row < 0x5F else 0xC1) & 0xFF)
        out.append(cell + (0x1F if cell < 0x60 else 0x20) & 0xFF if row & 1 else cell + 0x7E & 0xFF)
    # Half of one is none.
    return bytes(out) + b"\x81 " * (len(code) % 2)


_JAPANESE: Final = {"euc_jp": _from_euc, "iso2022_jp": _from_iso_2022}
