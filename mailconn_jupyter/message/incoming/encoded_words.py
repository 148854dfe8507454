"""Words of a header that are not ASCII, encoded so that they are (RFC 2047)."""

from __future__ import annotations

import binascii
import re
from itertools import pairwise
from typing import Final

from .charsets import text_of

__all__ = ["decoded"]

# RFC 2047, 2, with the language of RFC 2231, 5. There may be question marks in the text, but no beginning of another word,
# so that no end is looked for twice. For (?!), see block_elements.
_WORD: Final = re.compile(
    r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([BbQq])\?((?:[^?=\r\n]|\?(?!=)|=(?!\?(?!=))|(?!))*+)\?="
)
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]+")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")


def decoded(value: str) -> tuple[str, bool]:
    """The text with its encoded words decoded, and whether all could be.

    >>> decoded("=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?IGF1cw==?= Wien")
    ('Grüße aus Wien', True)
    """
    words = list(_WORD.finditer(value)) if "=?" in value else []
    if not words:
        return value, "=?" not in value
    shown = [value[: words[0].start()]]
    sound = True
    run: list[bytes] = []
    for word, after in pairwise([*words, None]):
        assert word is not None
        data, whole = _bytes(word[2], word[3])
        run.append(data)
        sound = sound and whole
        gap = value[word.end() : after.start() if after else len(value)]
        # Some programs split one character over two words, so those that belong together are decoded together.
        if after and not gap.strip() and after[1].lower() == word[1].lower():
            continue
        text, known = text_of(b"".join(run), word[1])
        sound = sound and known
        shown.append(text)
        # What stands between two words alone is their separation (6.2).
        shown.append("" if after and not gap.strip() else gap)
        run.clear()
    return "".join(shown), sound and "=?" not in "".join(shown[0::2])


def _bytes(encoding: str, text: str) -> tuple[bytes, bool]:
    """The bytes of an encoded word, and whether they are all."""
    if encoding in "Qq":
        data = text.replace("_", " ").encode("utf-8", "replace")
        return _HEX.sub(lambda found: bytes([int(found[1], 16)]), data), True
    letters = _NO_BASE64.sub("", text)
    extra = len(letters) % 4 == 1  # a letter that is the beginning of nothing
    letters = letters[: len(letters) - extra]
    return binascii.a2b_base64(letters + "=" * (-len(letters) % 4)), not extra
