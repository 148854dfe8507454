"""From results to the message that carries them. Nothing is opened, nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, localtime, make_msgid
from itertools import chain
from os import PathLike
from os.path import isfile
from typing import TYPE_CHECKING, Any, Final

from ..errors import MessageError, warn
from ..formatting import counted, did_you_mean, how_large, shown
from ..keywords import public
from ..scalars import count_of, plain
from .attach.attachments import attached, pack
from .letterhead import in_frame
from .meeting.carried import meeting_in
from .mime.extra_headers import custom
from .mime.headers import address_list, unstructured
from .mime.mailboxes import domain_of, mailboxes
from .mime.part_tree import build, encoded_size
from .page import cut_by_gmail, document
from .render.part import ROOM, File, Formulas, Options, Part, TableFormat
from .render.registry import render
from .render.stack import stacked
from .template import Bound, Template, render_subject, render_template
from .texts import one_line

if TYPE_CHECKING:
    from .answered import Answered

__all__ = ["LIMIT", "compose"]

#: Bytes of a message that most servers take (Gmail, Exchange Online and Yahoo: 25 MB or more).
LIMIT: Final = 25_000_000

# Every field is folded here already; what the standard library folds again it also encodes.
_LONGEST_PATH: Final = 255
# What a template of Jinja2 fills in, where it is no more than a name.
_TO_FILL_IN: Final = re.compile(r"\{\{ ?[A-Za-z_]\w{0,40} ?\}\}")
_AS_WRITTEN: Final = default.clone(refold_source="none")
# X-Priority is what Outlook shows, Priority (RFC 2156) what the others do.
_PRIORITIES: Final = {
    "highest": ("1 (Highest)", "urgent"),
    "high": ("2 (High)", "urgent"),
    "normal": ("3 (Normal)", "normal"),
    "low": ("4 (Low)", "non-urgent"),
    "lowest": ("5 (Lowest)", "non-urgent"),
}
_NUMBERED: Final = dict(enumerate(_PRIORITIES, 1))
_IMPORTANCES: Final = {"high": "high", "normal": "normal", "low": "low"}
_FORMULAS: Final[dict[str, Formulas]] = {"keep": "keep", "quote": "quote"}
_SENSITIVITIES: Final = {
    "normal": "",
    "personal": "Personal",
    "private": "Private",
    "confidential": "Company-Confidential",
    "company-confidential": "Company-Confidential",
}


@public
def compose(
    to: str | Iterable[str],
    subject: str | Template,
    *content: object,
    cc: str | Iterable[str] = (),
    bcc: str | Iterable[str] = (),
    sender: str = "",
    reply_to: str | Iterable[str] = (),
    reply_to_message: Answered | None = None,
    attachments: Any = (),
    headers: Mapping[str, str | Sequence[str]] | None = None,
    priority: str | int | None = None,
    importance: str | None = None,
    sensitivity: str | None = None,
    index: bool | None = None,
    rows: int | None = None,
    table_as: TableFormat = "csv",
    formulas: Formulas = "keep",
    zip: bool | float | str | PathLike[str] | None = False,  # noqa: A002  # the word that people look for
    variables: Mapping[str, Any] | None = None,
    limit: int | None = LIMIT,
) -> EmailMessage:
    """The message that shows ``content``, in order: texts, tables, figures, whatever a notebook can show.

    ``to``, ``cc``, ``bcc`` and ``reply_to`` are addresses (``Ana <ana@example.org>``), several separated by commas or
    in a list. ``bcc`` stands in the message as a header, where a session finds whom to send to; it is not sent
    (:func:`~mailconn_jupyter.message.mime.wire_format.as_bytes` leaves it out). Without ``sender`` there is no From:
    the session that sends it adds its connection's.

    ``reply_to_message`` is the message that this one answers: one that was read, a row of
    :func:`~mailconn_jupyter.delivery.sent_log.sent.sent`, a report, or a Message-ID. It puts the answer into that thread
    (In-Reply-To and References; RFC 5322, 3.6.4), and where the subject is empty makes it that message's, with "Re: "
    before it. It says nothing about who gets the answer: that is ``to``.

    ``attachments``: paths, patterns (``out/*.csv``), ``(name, bytes)``, file objects, a dict such as
    ``{"churn.parquet": df, "plot.svg": figure}``, or a list of those. ``zip``: True, or the archive's name, for one
    archive of them; a number of bytes, or a size such as ``"10 MB"``, for one when they are larger than that together.

    ``rows`` of each table are shown (default: up to 50, as many as mail programs show), and as many columns as stand in a
    page 600 pixels wide; all of it is attached as ``table_as`` when there is more. ``index`` shows or hides a table's
    index (default: shown when it says something).
    A text in a CSV or TSV of a table that a spreadsheet would compute (``=HYPERLINK(...)``) is kept, and a warning names
    its cell; ``formulas="quote"`` puts an apostrophe before it. Numbers stay as they are.

    ``priority``: highest, high, normal, low, lowest or 1 to 5. ``importance``: high, normal, low. ``sensitivity``:
    personal, private, company-confidential. ``headers`` adds fields; Date and Message-ID may be among them. What is ASCII
    stays as it is, as links and identifiers must.

    ``variables`` makes templates of the subject and of every :class:`Template` of the content.

    ``limit``: bytes that the message may have, as a server takes it (default 25 MB; None for any).

    Raises :class:`MessageError` for what cannot be sent as it is; warns (:class:`MailConnWarning`) of what was lost, and
    says what would keep it.
    """
    senders = mailboxes(sender, "sender")
    if len(senders) > 1:
        raise MessageError("A message has one sender.", hint="Others can receive the replies: reply_to=")
    people = {
        "To": mailboxes(to, "recipient"),
        "Cc": mailboxes(cc, "cc recipient"),
        "Bcc": mailboxes(bcc, "bcc recipient"),
        "Reply-To": mailboxes(reply_to, "reply address"),
    }
    if not any(people[name] for name in ("To", "Cc", "Bcc")):
        raise MessageError("The message has no recipient.", hint="For example: ana@example.org")
    subject = _subject(subject, variables)
    thread: dict[str, str] = {}
    if reply_to_message is not None:
        from .answered import answering  # noqa: PLC0415  # what reads messages, for those who answer

        subject, thread = answering(reply_to_message, subject)
        if any(str(name).lower() == "in-reply-to" for name, _ in _each(headers or {})):
            raise MessageError("reply_to_message sets In-Reply-To.", hint="Leave it out of headers.")
    fields = list(custom(chain(_each(headers or {}), thread.items())))
    formulas = _chosen("handling of formulas", formulas, _FORMULAS)
    options = Options(rows=_count("rows", rows), index=index, table_as=table_as, formulas=formulas)
    limit = _count("limit", limit)
    # First of all, so that a missing file is told before a minute of drawing.
    files = attached(attachments, options, limit, zip)

    everybody = chain(senders, *people.values())
    # With an address that only UTF-8 can write (RFC 6532), whoever serialises the message finds how.
    message = EmailMessage(_AS_WRITTEN.clone(utf8=any(mailbox.address.international for mailbox in everybody)))
    own = {name.lower() for name, _ in fields}
    if "date" not in own:
        message.set_raw("Date", format_datetime(localtime()))
    if senders:
        message.set_raw("From", address_list(senders, "From"))
    for name, found in people.items():
        if found:
            message.set_raw(name, address_list(found, name))
    message.set_raw("Subject", unstructured(subject, "Subject"))
    if "message-id" not in own:
        message.set_raw("Message-ID", make_msgid(domain=domain_of(senders[0] if senders else None)))
    for name, value in (*_flags(priority, importance, sensitivity), *fields):
        message.set_raw(name, value)
    message.set_raw("MIME-Version", "1.0")

    body = in_frame(stacked(_rendered(content, options, variables)), options)
    files = pack([*files, *body.files], zip, limit)
    html = None if body.html is None else document(body.html, subject)
    _within(limit, body, html, files)
    calendar = meeting_in(body, senders, people["To"], people["Cc"]) if body.invitations else None
    build(message, f"{body.text}\n", html, body.pictures, files, calendar)
    for warning in dict.fromkeys((*body.warnings, *cut_by_gmail(html))):
        warn(warning)
    return message


def _count(name: str, value: int | None) -> int | None:
    number = count_of(value)
    if number is None and value is not None:
        raise MessageError(
            f"{name}={one_line(repr(value), 40)} is not a number of {'bytes' if name == 'limit' else name}.",
            hint="It must be a whole number, zero or more, or None.",
        )
    return number


def _each(headers: Mapping[str, str | Sequence[str]]) -> Iterable[tuple[str, str]]:
    if not isinstance(headers, Mapping):
        raise MessageError(f"headers={shown(headers)} is not a dict.", hint='For example: headers={"X-Run": "47"}')
    for name, value in headers.items():
        for one in [value] if isinstance(value, str) or not isinstance(value, Sequence) else value:
            yield name, one


def _subject(subject: Any, variables: Mapping[str, Any] | None) -> str:
    if isinstance(subject, Template) or (isinstance(subject, str) and variables is not None):
        return render_subject(subject, variables or {})
    if not isinstance(subject, str):
        raise MessageError(
            f"The subject must be text, not {shown(subject)}.",
            hint='The order is: compose("ana@example.org", "The subject", content, ...)',
        )
    return subject


def _rendered(content: Sequence[object], options: Options, variables: Mapping[str, Any] | None) -> list[Part]:
    """The parts, each with its share of the room: what one leaves is for those that follow."""
    parts: list[Part] = []
    room = ROOM
    for number, value in enumerate(content):
        if type(value) is str:
            _tell_of_file(value)
            _tell_of_template(value)
        share = max(room // (len(content) - number), 4000)
        place = replace(options, room=share)
        try:
            if isinstance(value, Template):
                part = render_template(value, value.variables if isinstance(value, Bound) else variables or {}, place)
            else:
                part = render(value, place)
        except MessageError as error:
            if len(content) > 1:
                raise MessageError(
                    f"Content {number + 1} of {len(content)}: {error.message}", hint=error.hint
                ) from error
            raise
        except Exception as error:
            kind, said = one_line(type(value).__name__), one_line(str(error), 300)
            raise MessageError(
                f"Content {number + 1} of {len(content)} ({kind}) cannot be shown: {type(error).__name__}: {said}",
                hint="Check whether the notebook itself shows it.",
            ) from error
        room -= len((part.html or part.text).encode(errors="replace"))
        parts.append(part)
    return parts


def _tell_of_file(text: str) -> None:
    """Warn where a text is all the name of a file that is there: it may have been meant."""
    # Of other machines no file is looked for.
    likely = len(text) < _LONGEST_PATH and "." in text and text.isprintable() and text[:2] not in {"//", "\\\\"}
    if likely and isfile(text):  # noqa: PTH113  # a Path raises where it may not look
        warn(f"{text!r} is sent as text, but there is a file of that name; attachments={text!r} attaches it.")


def _tell_of_template(text: str) -> None:
    """Warn where a text has a place that is to be filled in: it goes out as it stands."""
    if found := _TO_FILL_IN.search(text):
        warn(f"{found[0]!r} is sent as it stands; mailconn.Template(...) in place of the text is filled in.")


def _flags(priority: str | int | None, importance: str | None, sensitivity: str | None) -> Iterable[tuple[str, str]]:
    priority = plain(priority)
    if priority is not None:
        word = _NUMBERED.get(priority, str(priority)) if isinstance(priority, int) else priority
        shown, standard = _chosen("priority", word, _PRIORITIES)
        yield "X-Priority", shown
        yield "Priority", standard
    if importance is not None:
        yield "Importance", _chosen("importance", importance, _IMPORTANCES)
    if sensitivity is not None and (value := _chosen("sensitivity", sensitivity, _SENSITIVITIES)):
        yield "Sensitivity", value


def _chosen(what: str, word: Any, known: Mapping[str, Any]) -> Any:
    low = word.casefold() if isinstance(word, str) else None
    if low is None or low not in known:
        raise MessageError(
            f"There is no {what} {word!r}.{did_you_mean(str(word), list(known))}",
            hint=f"Choose one of {', '.join(known)}.",
        )
    return known[low]


def _within(limit: int | None, body: Part, html: str | None, files: Sequence[File]) -> None:
    """Raise when the message would be larger than a server takes, and name what makes it so."""
    pieces = [("the text", len(body.text) + len(html or ""))]
    pieces += [(file.name, encoded_size(len(file.data))) for file in files]
    pictures = {picture.cid: picture for picture in body.pictures}
    pieces += [(f"the image {one_line(p.alt, 40)!r}", encoded_size(len(p.data))) for p in pictures.values()]
    total = sum(count for _, count in pieces)
    if limit is None or total <= limit:
        return
    largest = sorted(pieces, key=lambda piece: -piece[1])[:3]
    raise MessageError(
        f"The message would be {how_large(total)}, more than the {how_large(limit)} that it may be, with "
        f"{counted(len(pictures), 'image')} and {counted(len(files), 'attachment')}. The largest: {', '.join(f'{name} ({how_large(count)})' for name, count in largest)}.",
        hint="Send less, zip it (zip=True), or send a link; limit= allows more where the server does.",
    )
