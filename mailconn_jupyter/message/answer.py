"""A message in answer to one that came, or that passes it on: to whom, in which thread, and what it quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import EmailMessage
from typing import Any, Final

from ..errors import MessageError
from ..formatting import escape
from .compose import compose
from .incoming.address_list import address_list
from .incoming.parsed import ParsedMessage
from .mime.mailboxes import Mailbox, mailboxes
from .render.part import Part

__all__ = ["forward", "reply"]

# Bytes of a quoted text, and identifiers of a thread: RFC 5322, 3.6.4 wants all of them, and a sender can name thousands.
_MOST_QUOTED: Final = 60_000
_MOST_REFERENCES: Final = 30
_MESSAGE_ID: Final = re.compile(r"<[!-;=?A-~]{1,250}@[!-;=?A-~]{1,250}>")
# What other languages' programs put before a subject: German, Swedish, Dutch, Italian, Polish.
_REPLIED: Final = re.compile(r"(?:re|aw|sv|antw|r|odp)(?:\[[0-9]{1,3}\])? ?: ?", re.IGNORECASE)
_PASSED_ON: Final = re.compile(r"(?:fwd?|wg|vs|i|pd)(?:\[[0-9]{1,3}\])? ?: ?", re.IGNORECASE)
_QUOTE: Final = "margin:0 0 0 .8ex;padding-left:1ex;border-left:1px solid #ccc"


def reply(
    message: ParsedMessage,
    *content: object,
    everybody: bool = False,
    quote: bool = True,
    own: Iterable[str] = (),
    **options: Any,
) -> EmailMessage:
    """A message to who wrote this one, in its thread (RFC 5322, 3.6.4); with ``everybody`` also to whom it was written.

    ``own`` are addresses that get none. ``options`` are further ones of :func:`~mailconn_jupyter.message.compose.compose`.
    """
    to = _people(message, "Reply-To") or _people(message, "From")
    if not to:
        raise MessageError("The message names nobody to reply to.", hint="compose(to, subject, ...) makes a new one.")
    cc: list[Mailbox] = []
    if everybody:
        mine = {each.address.key for each in mailboxes(list(own), "own address")}
        cc = [one for one in (*_people(message, "To"), *_people(message, "Cc")) if one.address.key not in mine]
        known = {one.address.key for one in to}
        cc = [one for one in cc if one.address.key not in known]
    said = _quoted(message) if quote else None
    return compose(
        _texts(to),
        _subject(message, "Re: ", _REPLIED),
        *content,
        *([said] if said is not None else [] if content else [""]),
        cc=[*_texts(cc), *_each(options.pop("cc", ()))],
        headers=_threaded(message, answers=True),
        **options,
    )


def forward(
    message: ParsedMessage,
    to: str | Iterable[str],
    *content: object,
    attachments: Any = (),
    **options: Any,
) -> EmailMessage:
    """A message that passes this one on: its text, and its attachments beside ``attachments``."""
    files = [(one.name, one.data) for one in message.attachments]
    more = attachments if isinstance(attachments, list) else [attachments] if attachments not in ((), None) else []
    return compose(
        to,
        _subject(message, "Fwd: ", _PASSED_ON),
        *content,
        _passed_on(message),
        attachments=[*files, *more],
        headers=_threaded(message, answers=False),
        **options,
    )


def _each(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _people(message: ParsedMessage, name: str) -> list[Mailbox]:
    """Whom a field names, as far as they can be written to; a name that cannot be written is left out."""
    found = []
    for person in address_list(message.header(name))[0]:
        for text in (str(person), person.address or ""):
            try:
                found += mailboxes([text], "recipient")
            except MessageError:
                continue
            break
    return found


def _texts(people: Iterable[Mailbox]) -> list[str]:
    return [_text(person) for person in people]


def _text(person: Mailbox) -> str:
    name = person.name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{name}" <{person.address}>' if name else str(person.address)


def _subject(message: ParsedMessage, prefix: str, known: re.Pattern[str]) -> str:
    subject = message.subject
    return subject if known.match(subject) else f"{prefix}{subject}".rstrip()


def _threaded(message: ParsedMessage, *, answers: bool) -> dict[str, str]:
    """In-Reply-To and References, of the identifiers that are any."""
    own = _MESSAGE_ID.findall(message.message_id)[:1]
    before = _MESSAGE_ID.findall(message.header("References"))
    if not before and len(replied := _MESSAGE_ID.findall(message.header("In-Reply-To"))) == 1:
        before = replied
    thread = [*dict.fromkeys(one for one in before if one not in own), *own]
    if len(thread) > _MOST_REFERENCES:
        # The first one names the thread, the last ones its branch.
        thread = [thread[0], *thread[1 - _MOST_REFERENCES :]]
    fields = {"In-Reply-To": own[0]} if own and answers else {}
    return fields | ({"References": " ".join(thread)} if thread else {})


def _body(message: ParsedMessage) -> str:
    if not message.complete:
        raise MessageError(
            "Only the header of the message was read, so its text cannot be quoted.",
            hint="Read it with its body: messages(name), without body=False.",
        )
    text = message.text.replace("\x00", "").rstrip()
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}\n[...]"


def _quoted(message: ParsedMessage) -> Part:
    when = f"On {message.date:%Y-%m-%d %H:%M}, " if message.date is not None else ""
    said = f"{when}{message.sender or 'somebody'} wrote:"
    text = _body(message)
    lines = (f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in text.split("\n"))
    html = f'<p>{escape(said)}</p><blockquote style="{_QUOTE}">{_lines(text)}</blockquote>'
    return Part("\n".join([said, *lines]), html)


def _passed_on(message: ParsedMessage) -> Part:
    named = [(name, message.header(name)) for name in ("From", "Date", "Subject", "To", "Cc")]
    head = ["---------- Forwarded message ----------", *(f"{name}: {said}" for name, said in named if said)]
    text = _body(message)
    html = f"<p>{'<br>'.join(map(escape, head))}</p>{_lines(text)}"
    return Part("\n".join([*head, "", text]), html)


def _lines(text: str) -> str:
    return f'<div style="white-space:pre-wrap">{escape(text)}</div>'
