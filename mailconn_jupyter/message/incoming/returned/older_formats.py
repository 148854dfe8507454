"""The texts of large systems of the last twenty years, by the library of those who run mailing lists (flufl.bounce)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final

from ..parsed import ParsedMessage

__all__ = ["known_formats"]

# It reads with Python's parser, and with expressions of its own, which a hostile text may make slow.
_MOST: Final = 32_000
_LONGEST_LINE: Final = 1000
# Lines that may part parts: each detector walks through all of them several times.
_MOST_BOUNDARIES: Final = 100


def known_formats(message: ParsedMessage) -> tuple[set[str], set[str]] | None:
    """The addresses that were refused for the moment, and for good; None where the library is not installed."""
    try:
        from flufl.bounce import all_failures  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("flufl"):
            raise
        return None
    lines = [line[:_LONGEST_LINE] for line in message.raw[:_MOST].split(b"\n")]
    if sum(line.startswith(b"--") for line in lines) > _MOST_BOUNDARIES:
        return set(), set()
    # Its parser and its detectors raise whatever a message leads them to.
    with _unlogged(), contextlib.suppress(Exception):
        parsed: Message[Any, Any] = BytesParser(policy=compat32).parsebytes(b"\n".join(lines))
        passing, lasting = ({_text(address) for address in each} for each in all_failures(parsed))
        return passing - {""}, lasting - {""}
    return set(), set()


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Without the traceback that it logs for each message that it cannot read."""
    log = logging.getLogger("flufl.bounce")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _text(address: bytes | str) -> str:
    text = address.decode("utf-8", "replace") if isinstance(address, bytes) else str(address)
    return text if "@" in text and text.isprintable() and " " not in text and len(text) <= 320 else ""
