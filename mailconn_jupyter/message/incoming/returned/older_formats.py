"""The texts of large systems of the last twenty years, by the library of those who run mailing lists (flufl.bounce)."""

from __future__ import annotations

import contextlib
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final

from ..parsed import ParsedMessage

__all__ = ["known_formats"]

# It reads with Python's parser, and with expressions of its own, which a hostile text may make slow.
_MOST: Final = 32_000
_LONGEST_LINE: Final = 1000


def known_formats(message: ParsedMessage) -> tuple[set[str], set[str]] | None:
    """The addresses that were refused for the moment, and for good; None where the library is not installed."""
    try:
        from flufl.bounce import all_failures  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("flufl"):
            raise
        return None
    lines = (line[:_LONGEST_LINE] for line in message.raw[:_MOST].split(b"\n"))
    # Its parser and its detectors raise whatever a message leads them to.
    with contextlib.suppress(Exception):
        parsed: Message[Any, Any] = BytesParser(policy=compat32).parsebytes(b"\n".join(lines))
        passing, lasting = ({_text(address) for address in each} for each in all_failures(parsed))
        return passing - {""}, lasting - {""}
    return set(), set()


def _text(address: bytes | str) -> str:
    text = address.decode("utf-8", "replace") if isinstance(address, bytes) else str(address)
    return text if "@" in text and text.isprintable() and " " not in text and len(text) <= 320 else ""
