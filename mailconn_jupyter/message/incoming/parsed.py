"""A message that came from somewhere, read as far as it can be read.

Anything may be in a message, also what no standard allows, and its sender must decide neither how long it takes to be read
nor whether it can be. What cannot be read is shown as it came, or left out, and ``problems`` says so; ``raw`` always has it
all. Python's own parser is asked by ``message`` alone.
"""

from __future__ import annotations

import contextlib
import email.policy
from collections.abc import Collection, Iterable
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property
from typing import Final

from .header import Header, end_of_header, one_line
from .parts import Attachment, Parts, parts_of
from .secured_kind import SecuredKind, secured_kind
from .sent_date import date_of

__all__ = ["Attachment", "ParsedMessage", "one_line"]

_SHOWN: Final = ("From", "To", "Cc", "Subject", "Date")


class ParsedMessage:
    r"""A message as it came: ``raw`` is all of it, or its header alone, where only that was read (``complete`` is False).

    ``uid`` is what the mailbox calls it (the UID of IMAP, the unique id of POP3, where it begins in an MBOX file), ``size``
    its bytes there, ``arrived`` when it came there (also in the mailbox's words), each None where that is not known. An IMAP
    server is asked for the arrival of those messages alone whose Date header cannot be read.
    ``flags`` are those of the mailbox, in the words of IMAP (``\Seen``, ``\Flagged``); None where it keeps none.
    """

    def __init__(
        self,
        raw: bytes,
        *,
        uid: str = "",
        size: int | None = None,
        flags: Iterable[str] | None = None,
        arrived: datetime | str | None = None,
        complete: bool = True,
        problems: Iterable[str] = (),
    ) -> None:
        self.raw = raw
        self.uid = uid
        self.size = len(raw) if size is None and complete else size
        self.flags = None if flags is None else frozenset(flags)
        self._arrived = arrived
        self.complete = complete
        self._known_problems = tuple(problems)

    @cached_property
    def arrived(self) -> datetime | None:
        """When it came into the mailbox."""
        # Read only when it is asked for: most messages have a date of their own.
        return date_of(self._arrived)[0] if isinstance(self._arrived, str) else self._arrived

    @property
    def seen(self) -> bool | None:
        """Whether it is marked as read; None where the mailbox does not know."""
        return self._has("\\seen")

    @property
    def flagged(self) -> bool | None:
        """Whether it is marked with a flag, or a star; None where the mailbox does not know."""
        return self._has("\\flagged")

    def _has(self, flag: str) -> bool | None:
        return None if self.flags is None else flag in {each.lower() for each in self.flags}

    def without_body(self) -> ParsedMessage:
        """The same with its header alone, as where no more was read."""
        return ParsedMessage(
            self.raw[: end_of_header(self.raw)],
            uid=self.uid,
            size=self.size,
            flags=self.flags,
            arrived=self.arrived,
            complete=False,
            problems=self._known_problems,
        )

    @cached_property
    def _header(self) -> Header:
        return Header(self.raw[: end_of_header(self.raw)] if self.complete else self.raw)

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
    def field_names(self) -> Collection[bytes]:
        """The names of its headers, in small letters."""
        return self._header.names

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

    @property
    def date(self) -> datetime | None:
        """What the Date header says, with its zone (UTC where it names none).

        Where it says no date, that of the arrival: as the mailbox has it, or the last server on the way. None when there is
        none either.
        """
        return self._dated[0]

    @cached_property
    def _said_date(self) -> tuple[datetime | None, str]:
        """What the Date header says, and what is wrong with it."""
        return date_of(self.header("Date"))

    @property
    def says_date(self) -> bool:
        """Whether it has a Date header that can be read; otherwise its date is that of its arrival."""
        return self._said_date[0] is not None

    @cached_property
    def _dated(self) -> tuple[datetime | None, str]:
        """The date, and what is wrong with it, in a sentence."""
        date, flaw = self._said_date
        if date is not None:
            return date, f"The date {flaw}." if flaw else ""
        arrived = self.arrived or date_of(self.header("Received").rpartition(";")[2])[0]
        what = "The date cannot be read" if self.header("Date") else "No date"
        return arrived, f"{what}." if arrived is None else f"{what}; the date of its arrival is used instead."

    @cached_property
    def text(self) -> str:
        """The body as plain text, that of its HTML where it has nothing else; empty when the message has none."""
        if self.parts.text or not self.parts.html:
            return self.parts.text
        from .html_text import text_of_html  # noqa: PLC0415  # few ask, and what makes it is not small

        return text_of_html(self.parts.html)

    @property
    def html(self) -> str:
        """The body as HTML, as the sender wrote it, so not safe to show as it is; empty when there is none."""
        return self.parts.html

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every part beside the body, the images in it among them."""
        return self.parts.attachments

    @property
    def secured(self) -> str:
        """That it is encrypted or signed (S/MIME), in a sentence with what to do; empty where it does not say so."""
        kind = secured_kind(self._header.field("Content-Type"))
        if kind is SecuredKind.ENCRYPTED:
            return "It is encrypted: mailconn.decrypt(message, NAME) opens it with the connection's certificate."
        return "It is signed, which was not checked: mailconn.verify(message) does." if kind else ""

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What could not be read, or is not as the standards want it, in sentences."""
        found = [*filter(None, [self._dated[1]]), *self._header.problems(*_SHOWN)]
        return tuple(dict.fromkeys((*self._known_problems, *found, *self.parts.problems)))

    @cached_property
    def parts(self) -> Parts:
        """What stands below its header, as it was written."""
        return parts_of(self.raw) if self.complete else Parts()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.subject!r} from {one_line(self.sender)}>"
