"""A message in answer to one that came, or that passes it on: to whom, in which thread, and what it quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import EmailMessage
from typing import Any, Final

from ..errors import MessageError
from ..formatting import escape
from .answered import prefixed, threaded
from .compose import compose
from .incoming.address_list import address_list
from .incoming.parsed import ParsedMessage
from .mime.mailboxes import Mailbox, mailboxes
from .render.part import Part

__all__ = ["forward", "reply"]

_MOST_QUOTED: Final = 60_000  # bytes
# As other languages' programs have it: German, Swedish, Italian, Polish.
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
        prefixed(message.subject),
        *content,
        *([said] if said is not None else [] if content else [""]),
        cc=[*_texts(cc), *_each(options.pop("cc", ()))],
        headers=threaded(message),
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
        prefixed(message.subject, "Fwd: ", _PASSED_ON),
        *content,
        _passed_on(message),
        attachments=[*files, *more],
        headers=threaded(message, answers=False),
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
