"""Which messages are asked for: said once, and put to a server's SEARCH as to a header that is read here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ..errors import OptionError
from ..message.incoming.parsed import ParsedMessage
from ..scalars import plain
from ..session.line_arguments import UnsafeArgument, breaks_a_line
from .sought import Sought

__all__ = ["Moment", "Selection", "When", "moment"]

#: What a date may be given as.
When = str | date | datetime | timedelta | None
#: A day, as it is written in a message; or an instant, which has a zone.
Moment = date | datetime | None

_SHOWN: Final = ("Subject", "From", "To", "Cc", "Reply-To", "Date", "Message-ID")
_LARGEST: Final = 2**32 - 1  # that a server counts, RFC 9051, 9: number
_AGO: Final = re.compile(r"(\d{1,6}) *(minute|hour|day|week)s?(?: ago)?", re.IGNORECASE)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# An instant is on three days at most, by the zones of the world; a server searches by the day that is written, or that it
# is by its own zone.
_DAY: Final = timedelta(days=1)


def moment(name: str, given: When) -> Moment:
    """What is meant by a date, a datetime (local where it has no zone), ISO 8601, ``"3 days"`` (ago) or ``"yesterday"``.

    Dates and durations of NumPy and pandas are as good as Python's own.
    """
    if given is None or (isinstance(given, str) and not given):
        return None
    given = plain(given)
    try:
        if isinstance(given, timedelta):
            return datetime.now(UTC) - given
        if isinstance(given, str):
            given = _read(given.strip())
        if isinstance(given, datetime):
            return given if given.tzinfo is not None else given.astimezone()
    except (ValueError, OverflowError):
        given = None
    if isinstance(given, date):
        return given
    raise OptionError(
        f"{name} is not a date that can be understood.",
        hint='Give a date or a datetime, "2026-11-22", "2026-11-22 08:30", "3 days", "today" or "yesterday".',
    )


def _read(text: str) -> date | datetime | timedelta:
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{f"{ago[2].lower()}s": int(ago[1])})
    if text.lower() in {"today", "yesterday"}:
        today = datetime.now().astimezone().date()
        return today - _DAY if text.lower() == "yesterday" else today
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Selection:
    """What a message must be to be read. An empty text, and None, ask for nothing.

    Texts are looked for anywhere in the header of the same name, without regard to case. Dates are those of the Date
    header, as with SENTSINCE and SENTBEFORE of RFC 9051, 6.4.4, or of the arrival where there is none: a day is compared to
    the day that is written there, an instant to the instant. ``since`` includes its day, ``before`` does not. ``text`` is
    looked for in header and body, as with TEXT; ``larger`` counts bytes; ``has_attachment`` is about files beside the text,
    and the pictures in it are none. ``sought`` is a kind of message of which the header decides what is read.
    """

    since: Moment = None
    before: Moment = None
    sender: str = ""
    to: str = ""
    subject: str = ""
    unseen: bool = False
    text: str = ""
    flagged: bool = False
    larger: int | None = None
    has_attachment: bool = False
    sought: Sought | None = None

    def __post_init__(self) -> None:
        for name, text in self._texts().items():
            if not isinstance(text, str):
                raise OptionError(f"{name} must be text to look for, not {type(text).__name__}.")
            if breaks_a_line(text.encode("utf-8", "replace")):
                raise UnsafeArgument(f"{name}: the text to look for contains a CR, an LF or a NUL. Nothing was sent.")

    def _texts(self) -> dict[str, str]:
        return {"sender": self.sender, "to": self.to, "subject": self.subject, "text": self.text}

    @property
    def of_header(self) -> bool:
        """Whether the header must be read to know."""
        return bool(self.since or self.before or self.sender or self.to or self.subject or self.sought)

    @property
    def of_body(self) -> bool:
        """Whether all of it must be read to know, where no server searches."""
        return bool(self.text or self.has_attachment)

    @property
    def everything(self) -> bool:
        """Whether every message is asked for."""
        chosen = self.of_header or self.of_body or self.unseen or self.flagged
        return not chosen and self.larger is None

    def words(self, *, ascii_only: bool = False) -> Iterator[str | bytes]:
        """The words of an IMAP SEARCH; a text that must be quoted is in bytes. It may find more than :meth:`fits` takes.

        ``ascii_only`` leaves out the texts that are not ASCII.
        """
        if self.unseen:
            yield "UNSEEN"
        if self.flagged:
            yield "FLAGGED"
        if self.larger is not None:
            yield f"LARGER {min(self.larger, _LARGEST)}"
        # What has no date that a server can read is dated by its arrival.
        if self.since is not None:
            day = _day(_earlier(self.since))
            yield f"OR SENTSINCE {day} SINCE {day}"
        if self.before is not None:
            day = _day(_later(self.before))
            yield f"OR SENTBEFORE {day} BEFORE {day}"
        for word, text in (("FROM", self.sender), ("TO", self.to), ("SUBJECT", self.subject), ("TEXT", self.text)):
            if text and (text.isascii() or not ascii_only):
                yield word
                yield text.encode("utf-8", "replace")
        if self.sought is not None:
            yield from self.sought.words

    @property
    def is_ascii(self) -> bool:
        return all(text.isascii() for text in self._texts().values())

    def fits(self, message: ParsedMessage) -> bool:
        """Whether its header is what no server's search knows for sure."""
        return self._dated(message) and (self.sought is None or self.sought.takes(message))

    def _dated(self, message: ParsedMessage) -> bool:
        """Whether its date is one that is asked for; a message without a date is not, where dates are."""
        if self.since is None and self.before is None:
            return True
        when = message.date
        if when is None:
            return False
        return (self.since is None or not _is_before(when, self.since)) and (
            self.before is None or _is_before(when, self.before)
        )

    def matches(self, message: ParsedMessage) -> bool:
        """Whether its header, its marks and its size are what is asked for."""
        if (self.unseen and message.seen) or (self.flagged and not message.flagged):
            return False
        if self.larger is not None and (message.size or 0) <= self.larger:
            return False
        wanted = {"From": self.sender, "To": self.to, "Subject": self.subject}
        return self.fits(message) and all(
            _folded(text) in _folded(message.header(name)) for name, text in wanted.items() if text
        )

    def holds(self, message: ParsedMessage) -> bool:
        """Whether the whole of it has the text, and the file, that are asked for."""
        if self.has_attachment and all(file.inline for file in message.attachments):
            return False
        wanted = _folded(self.text)
        return not wanted or any(wanted in _folded(said) for said in _said(message))


def _said(message: ParsedMessage) -> Iterator[str]:
    """What a reader may have seen of it: its header, its texts, the names of its files."""
    yield from (message.header(name) for name in _SHOWN)
    yield message.text
    if message.parts.text and message.html:
        from ..message.incoming.html_text import text_of_html  # noqa: PLC0415  # few ask, and what makes it is not small

        yield text_of_html(message.html)
    yield from (file.name for file in message.attachments)


def _folded(text: str) -> str:
    """As for i;unicode-casemap (RFC 5051): without regard to case, and to how a letter is put together."""
    text = " ".join(text.split())
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _is_before(when: datetime, limit: date | datetime) -> bool:
    return when < limit if isinstance(limit, datetime) else when.date() < limit


def _earlier(limit: date | datetime) -> date:
    """The first day that a message of this day, this instant, or later can be on, whatever zone it is counted by."""
    try:
        return (limit.astimezone(UTC).date() if isinstance(limit, datetime) else limit) - _DAY
    except OverflowError:
        return date.min


def _later(limit: date | datetime) -> date:
    """The first day that no message from before this day, or this instant, can be on."""
    try:
        if isinstance(limit, datetime):
            return limit.astimezone(UTC).date() + 2 * _DAY
        return limit + _DAY
    except OverflowError:
        return date.max


def _day(day: date) -> str:
    # Not by strftime: the months are English in every locale.
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04}"
