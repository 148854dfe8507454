"""Texts on their way into a message: what no mail may hold, and how wide a text is in a fixed-width font."""

from __future__ import annotations

import re
import secrets
import unicodedata
from html import escape
from typing import Final

from ..formatting import cut

__all__ = ["MARK", "bytes_of", "clean", "from_right", "html_text", "mended", "mended_lines", "one_line", "pad", "width"]

#: What stands for a value until a template is done; nobody who gives one can know it, and no message has it.
MARK: Final = f"mailconn{secrets.token_hex(8)}x"
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
# Letters of scripts that are read from the right: most texts have none.
_FROM_RIGHT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_SPACES: Final = re.compile(r" {2,}|^ ", re.MULTILINE)
_LINE_END: Final = re.compile(r"\r\n?")
_BYTES: Final = re.compile(r"\s*(\d[\d_]*(?:\.\d+)?)\s*(?:([kmg])(i)?)?(?:b|bytes)?\s*", re.IGNORECASE)
_WIDE: Final = frozenset({"W", "F"})
_NO_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})
_STRONG: Final = frozenset({"L", "R", "AL"})


def mended(text: str) -> str:
    """The text with LF line ends, and with U+FFFD for what UTF-8 cannot carry."""
    text = _LINE_END.sub("\n", text) if "\r" in text else text
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def mended_lines(text: str) -> str:
    """The text of a file: as :func:`mended`, its line ends as they are."""
    return text if text.isascii() else "\r".join(mended(piece) for piece in text.split("\r"))


def clean(text: str) -> str:
    """The text without terminal colours, and with U+FFFD for control characters: what a page can show."""
    text = _ANSI.sub("", text) if "\x1b" in text else text
    return _CONTROL.sub("\ufffd", mended(text))


def html_text(text: str) -> str:
    """The text escaped for HTML, its lines and its runs of spaces kept in every mail program."""
    escaped = escape(clean(text)).replace("\t", "    ")
    kept = _SPACES.sub(
        lambda run: "&nbsp;" * (len(run.group()) - 1) + " " if len(run.group()) > 1 else "&nbsp;", escaped
    )
    return kept.replace("\n", "<br>\n")


def one_line(text: str, most: int = 80) -> str:
    """The text in one line, cut to ``most`` characters; for messages to a person."""
    return cut(" ".join(clean(text).split()), most)


def from_right(text: str) -> bool:
    """Whether the text is read from the right, as Arabic and Hebrew are: its first letter says it (UAX 9, P2 and P3)."""
    if text.isascii() or not _FROM_RIGHT.search(text):
        return False
    # A name in other letters, which is filled in, does not turn the sentence that it stands in.
    said = re.sub(rf"{MARK}\w+", "", text)
    first = next((kind for kind in map(unicodedata.bidirectional, said) if kind in _STRONG), "L")
    return first != "L"


def width(text: str) -> int:
    """Columns that the text takes in a fixed-width font: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in _WIDE else unicodedata.category(character) not in _NO_WIDTH
        for character in text
    )


def pad(text: str, columns: int, *, right: bool) -> str:
    """The text filled with spaces to ``columns``; ``right`` puts them before it."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def bytes_of(text: str) -> int | None:
    """The number of bytes that a text such as ``10 MB`` or ``500_000`` names; None where it names none.

    >>> bytes_of("10 MB"), bytes_of("1.5k"), bytes_of("2 GiB"), bytes_of("week 47")
    (10000000, 1500, 2147483648, None)
    """
    found = _BYTES.fullmatch(text)
    if found is None:
        return None
    power = 0 if found[2] is None else "kmg".index(found[2].lower()) + 1
    return round(float(found[1].replace("_", "")) * (1024.0 if found[3] else 1000.0) ** power)
