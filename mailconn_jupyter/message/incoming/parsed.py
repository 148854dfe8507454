"""A message that came from somewhere, read as far as it can be read.

Anything may be in a message, also what no standard allows, and its sender must decide neither how long it takes to be read
nor whether it can be. What cannot be read is shown as it came, or left out, and ``problems`` says so; ``raw`` always has it
all. Python's own parser is asked by ``message`` alone.
"""

from __future__ import annotations

import contextlib
import email.policy
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Final

from .header import Header, end_of_header, one_line
from .parts import Attachment, Parts, parts_of

__all__ = ["Attachment", "ParsedMessage", "one_line"]

_LONGEST_DATE: Final = 200
_SHOWN: Final = ("From", "To", "Cc", "Subject", "Date")


class ParsedMessage:
    r"""A message as it came: ``raw`` is all of it, or its header alone, where only that was read (``complete`` is False).

    ``uid`` is what the mailbox calls it (the UID of IMAP, the unique id of POP3, where it begins in an MBOX file), ``size``
    its bytes there, None where that is not known. ``flags`` are those of the mailbox, in the words of IMAP
    (``\Seen``, ``\Flagged``); None where it keeps none.
    """

    def __init__(
        self,
        raw: bytes,
        *,
        uid: str = "",
        size: int | None = None,
        flags: Iterable[str] | None = None,
        complete: bool = True,
        problems: Iterable[str] = (),
    ) -> None:
        self.raw = raw
        self.uid = uid
        self.size = len(raw) if size is None and complete else size
        self.flags = None if flags is None else frozenset(flags)
        self.complete = complete
        self._known_problems = tuple(problems)

    @property
    def seen(self) -> bool | None:
        """Whether it is marked as read; None where the mailbox does not know."""
        return None if self.flags is None else "\\seen" in {flag.lower() for flag in self.flags}

    @cached_property
    def _header(self) -> Header:
        return Header(self.raw[: end_of_header(self.raw)])

    @cached_property
    def message(self) -> EmailMessage:
        """The message, parsed by Python (:data:`email.policy.default`), as far as it can.

        That may take long, and its values may raise, as a hostile sender likes; nothing else here depends on it.
        """
        parser = BytesParser(policy=email.policy.default)
        for headers_only in (False, True):
            # Such as a RecursionError for parts within parts, or for comments within comments.
            with contextlib.suppress(Exception):
                return parser.parsebytes(self.raw, headersonly=headers_only)
        message = EmailMessage()
        message.set_payload(self.raw.decode("ascii", "surrogateescape"))
        return message

    def header(self, name: str) -> str:
        """A header, decoded, in one line; empty when there is none."""
        return self._header.text(name)

    @property
    def sender(self) -> str:
        """Whom the message says that it is from."""
        return self.header("From")

    @property
    def to(self) -> str:
        """Whom it says that it is to."""
        return self.header("To")

    @property
    def cc(self) -> str:
        """Who else it says that it is to."""
        return self.header("Cc")

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def message_id(self) -> str:
        return self.header("Message-ID")

    @cached_property
    def date(self) -> datetime | None:
        """What the Date header says, with its zone (UTC where it names none); None when it says no date."""
        try:
            value = parsedate_to_datetime(self.header("Date")[:_LONGEST_DATE])
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)

    @property
    def text(self) -> str:
        """The body as plain text; empty when the message has none."""
        return self._parts.text

    @property
    def html(self) -> str:
        """The body as HTML, as the sender wrote it, so not safe to show as it is; empty when there is none."""
        return self._parts.html

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every part beside the body, the images in it among them."""
        return self._parts.attachments

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What could not be read, or is not as the standards want it, in sentences."""
        found = [] if self.date is not None else ["The date cannot be read." if self.header("Date") else "No date."]
        found += self._header.problems(*_SHOWN)
        return tuple(dict.fromkeys((*self._known_problems, *found, *self._parts.problems)))

    @cached_property
    def _parts(self) -> Parts:
        return parts_of(self.raw) if self.complete else Parts()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.subject!r} from {one_line(self.sender)}>"
