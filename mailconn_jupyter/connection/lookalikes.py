"""Characters by which one name passes for another: those that cannot be seen, and letters of two scripts in a word.

After Unicode's technical standard 39. What cannot be seen is refused, except where a script or an emoji needs it to be
written at all (RFC 5892, appendix A, and Unicode's standard 51).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["hidden", "mixed_scripts"]

_ZWNJ, _ZWJ, _KEYCAP = "\u200c", "\u200d", "\u20e3"
# Letters, marks and signs without a shape of their own.
_SHAPELESS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0")
_VARIATIONS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
# Written together by whoever writes Chinese, Japanese or Korean, with Latin letters among them.
_TOGETHER: Final = {
    "CJK": "Han",
    "HIRAGANA": "Hiragana",
    "KATAKANA": "Katakana",
    "HANGUL": "Hangul",
    "BOPOMOFO": "Bopomofo",
}
_WORD: Final = re.compile(r"[^\W\d_]+")


def hidden(text: str) -> str:
    """The first character that cannot be seen, as ``U+200B (zero width space)``; empty if there is none."""
    rest = "" if text.isascii() else _FLAG.sub("", text)
    for place, sign in enumerate(rest):
        before, after = rest[:place][-1:], rest[place + 1 :][:1]
        if _is_hidden(sign) and not _is_needed(sign, before, after):
            return f"U+{ord(sign):04X} ({unicodedata.name(sign, 'no name').lower()})"
    return ""


def _is_hidden(sign: str) -> bool:
    return unicodedata.category(sign) == "Cf" or sign in _SHAPELESS or _VARIATIONS.match(sign) is not None


def _is_needed(sign: str, before: str, after: str) -> bool:
    """Whether writing needs it at this place."""
    if not before:
        return False
    kind = unicodedata.category(before)
    if _VARIATIONS.match(sign):
        # Of a picture its colours, of an ideograph its form; of a digit only within a keycap.
        return (kind in {"So", "Sk", "Sm", "Lo", "Po"} and before not in "#*") or after == _KEYCAP
    if sign in {_ZWJ, _ZWNJ} and unicodedata.combining(before) == 9:
        return True
    if sign == _ZWJ:
        pictures = {"So", "Sk"}
        return (kind in pictures or before == "\ufe0f") and unicodedata.category(after or " ") in pictures
    return sign == _ZWNJ and all(unicodedata.name(each, "").startswith("ARABIC LETTER") for each in (before, after))


def mixed_scripts(text: str) -> str:
    r"""What is mixed within one word, as the end of a sentence; empty if each word is of one script.

    >>> mixed_scripts("\N{CYRILLIC SMALL LETTER O}ps")
    'mixes Latin and Cyrillic letters in one word: U+043E (cyrillic small letter o)'
    """
    for word in _WORD.findall(text):
        letters = {sign: script for sign in word if (script := _script(sign))}
        scripts = set(letters.values())
        if len(scripts) > 1 and not scripts <= {"Latin", *_TOGETHER.values()}:
            odd = next(sign for sign, script in letters.items() if script not in {"Latin", *_TOGETHER.values()})
            names = " and ".join(sorted(scripts, key=lambda script: (script != "Latin", script)))
            return f"mixes {names} letters in one word: U+{ord(odd):04X} ({unicodedata.name(odd).lower()})"
    return ""


def _script(sign: str) -> str:
    """The script of a letter, by its name; empty for what belongs to several, such as the micro sign."""
    if sign == "\N{MICRO SIGN}":
        return ""
    plain = unicodedata.normalize("NFKC", sign)[:1]
    first = unicodedata.name(plain, "").partition(" ")[0].partition("-")[0]
    return _TOGETHER.get(first, first.capitalize()) if plain.isalpha() else ""
