"""Bounces that are a text for people: what a paragraph says of an address, whoever wrote it.

The forms are those of qmail (https://cr.yp.to/proto/qsbmf.txt), Exim (its specification, 49), sendmail before version 8, and
those that look like them: an address at the beginning of a line, and the reason behind or below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from ..header import one_line
from ..parsed import ParsedMessage
from .delivery_status import LONGEST_WORDS
from .notice import Notice
from .status_code import sharpened

__all__ = ["failed_recipients", "named_in_sentence", "notices_about", "plain_notices", "with_reasons", "without_copy"]

_MOST_TEXT: Final = 50_000
_MOST_RECIPIENTS: Final = 1000
_MOST_REASON: Final = 12  # lines
_ADDRESS: Final = r"[^\s<>\"'(),:;@]{1,100}@[\w.\[\]-]{1,255}"
# Where the text ends and the message begins that was sent.
_COPY: Final = re.compile(
    r"^(?:[-=_*]{2,80}[^\n]{0,200}\b(?:copy|original|unsent|headers?|returned)\b[^\n]{0,200}|(?:Received|Return-Path): [^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_BEGINS: Final = re.compile(
    rf"^[\s>*-]{{0,20}}(?P<code>[245]\d\d[ -](?:[245]\.\d{{1,3}}\.\d{{1,3}} )?)?"
    rf"(?:<(?P<angle>{_ADDRESS})>|(?P<bare>{_ADDRESS}))"
    rf"(?:(?:\.\.\.|:)\s*(?P<behind>.*)|\s+(?P<beside>\(.*|[245]\d\d[ -].*)|\s*)$"
)
_DELAY: Final = re.compile(
    r"\b(delay(ed)?|not yet been|still (trying|being)|keep trying|will (be|continue|try)\b.{0,40}\b(re)?tr(y|ied)|warning)\b",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(
    r"\b(undeliver(able|ed)|could not be delivered|permanent(ly)?|fail(ed|ure)|giv(ing|en) up|returned mail|rejected)\b",
    re.IGNORECASE,
)
# Where no address stands at the beginning of a line: in a sentence, but not who is to be asked for help.
_IN_SENTENCE: Final = re.compile(
    rf"\b(?:to|for|recipients?|address(?:es)?|user):?\s{{1,10}}<(?!postmaster@|support@|abuse@|help)({_ADDRESS})>",
    re.IGNORECASE,
)
_LISTED: Final = re.compile(_ADDRESS)


def without_copy(text: str) -> str:
    """The text without the message that was sent, where that stands below it."""
    text = text[:_MOST_TEXT]
    found = _COPY.search(text)
    return text[: found.start()] if found else text


def failed_recipients(message: ParsedMessage) -> list[str]:
    """Those of the header X-Failed-Recipients, which Exim and Gmail write."""
    return _LISTED.findall(message.header("X-Failed-Recipients"))[:_MOST_RECIPIENTS]


def plain_notices(message: ParsedMessage, text: str) -> list[Notice]:
    """What the ``text`` of a server's notification says of each address that it is about."""
    own = set(_LISTED.findall(f"{message.sender} {message.to}".lower()))
    reasons = {address: words for address, words in _reasons(text) if address.lower() not in own}
    if named := failed_recipients(message):
        reasons = {address: reasons.get(address, "") for address in named}
    return _notices(message, text, reasons)


def notices_about(message: ParsedMessage, text: str, passing: Iterable[str], lasting: Iterable[str]) -> list[Notice]:
    """The same, for addresses that somebody else has found: refused for the moment, and for good."""
    reasons = dict(_reasons(text))
    found = []
    for addresses, late in ((passing, True), (lasting, False)):
        known = {address: reasons.get(address, "") for address in addresses}
        found += _notices(message, text, known, late=late)
    return found


def with_reasons(notices: Iterable[Notice], text: str) -> list[Notice]:
    """The same notices, each that has no words with those that the text has for it."""
    reasons = dict(_reasons(text))
    return [
        notice
        if notice.words or not (words := reasons.get(notice.recipient, ""))
        else replace(notice, words=words, status=sharpened(notice.status, words))
        for notice in notices
    ]


def _notices(message: ParsedMessage, text: str, reasons: dict[str, str], *, late: bool | None = None) -> list[Notice]:
    if late is None:
        said = f"{message.subject[:500]}\n{text[:2000]}"
        late = _DELAY.search(said) is not None and _FINAL.search(said) is None
    usual = "4.0.0" if late else "5.0.0"
    return [
        Notice(address, "delayed" if late else "failed", sharpened("", words) or usual, words, final_recipient=address)
        for address, words in islice(reasons.items(), _MOST_RECIPIENTS)
    ]


def _reasons(text: str) -> Iterator[tuple[str, str]]:
    """Each address that begins a line, and what stands behind and below it, up to the next one or an empty line."""
    address, reason = "", [""]
    for line in text.split("\n"):
        begins = _BEGINS.match(line[:1000])
        if begins:
            if address:
                yield address, _joined(reason)
            address, reason = (
                begins["angle"] or begins["bare"],
                [begins["code"] or "", begins["behind"] or begins["beside"] or ""],
            )
        elif address and line.strip() and len(reason) < _MOST_REASON:
            reason.append(line[:1000])
        elif address and not line.strip():
            yield address, _joined(reason)
            address = ""
    if address:
        yield address, _joined(reason)


def named_in_sentence(message: ParsedMessage, text: str) -> list[Notice]:
    """The same, where the first sentence that names somebody is all that there is; what follows is the reason."""
    found = _IN_SENTENCE.search(text)
    if found is None:
        return []
    reason = [line for line in text[found.end() :].split("\n")[1:40] if line.strip()]
    return _notices(message, text, {found[1]: _joined(reason[:_MOST_REASON])})


def _joined(reason: list[str]) -> str:
    return one_line(" ".join(reason))[:LONGEST_WORDS].strip("() ")
