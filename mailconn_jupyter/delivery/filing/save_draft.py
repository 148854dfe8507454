"""``save_draft()``: a composed message in the Drafts of a mailbox, to be finished and sent in a mail program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from os import PathLike
from typing import TYPE_CHECKING, Any

from ...connection import MailConnection
from ...errors import MailConnError
from ...formatting import how_large
from ...keywords import public
from ...message.compose import LIMIT, compose
from ...message.mime.wire_format import as_bytes
from ...message.render.part import Formulas, TableFormat
from ...message.template import Template
from ...session.connect import protocol_of
from ...store import connections
from ..kept_sessions import lent_session
from ..send import sender_of
from .filing_session import FilingSession
from .sent_copy import said_of

if TYPE_CHECKING:
    from ...message.answered import Answered
    from ...session.imap.session import IMAPSession

__all__ = ["SavedDraft", "put_draft", "save_draft"]


@dataclass(frozen=True)
class SavedDraft:
    """A draft in a mailbox: the ``message``, the ``folder`` that it is in, its ``size`` in bytes, and its ``uid`` there.

    The ``uid`` is empty where the server does not tell it (RFC 4315).
    """

    message: EmailMessage
    folder: str
    size: int
    uid: str = ""

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "")

    def __str__(self) -> str:
        return f"Saved in {self.folder}: {str(self.message['Subject'] or '')!r}, {how_large(self.size)}"

    __repr__ = __str__


@public
def save_draft(
    target: str | MailConnection | IMAPSession | None,
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
    zip: bool | float | str | PathLike[str] | None = False,  # noqa: A002  # the word of compose()
    variables: Mapping[str, Any] | None = None,
    limit: int | None = LIMIT,
) -> SavedDraft:
    r"""Compose a message and put it into the Drafts of a mailbox (IMAP), marked as a draft, with its Bcc; nothing is sent.

    ``target`` is the name of an IMAP connection, a connection, an open session (which stays open), or None for the default.
    The folder is the one that the server names (RFC 6154), else ``Drafts``, which is made where there is none. ``sender``
    is by default the connection's username, where that is an address. The rest is as for
    :func:`~mailconn_jupyter.message.compose.compose`.

    Raises :class:`~mailconn_jupyter.errors.MailConnError` where the server does not take it, and what
    :func:`~mailconn_jupyter.session.connect.connect` raises; what is wrong with the message, before anything is opened.
    """
    session: Any = target if protocol_of(target) == "IMAP" else None
    connection = session.opening.given if session is not None else connections.pick(target, sends=False)  # type: ignore[arg-type]  # what is no session
    message = compose(
        to,
        subject,
        *content,
        cc=cc,
        bcc=bcc,
        sender=sender or sender_of(connection),
        reply_to=reply_to,
        reply_to_message=reply_to_message,
        attachments=attachments,
        headers=headers,
        priority=priority,
        importance=importance,
        sensitivity=sensitivity,
        index=index,
        rows=rows,
        table_as=table_as,
        formulas=formulas,
        zip=zip,
        variables=variables,
        limit=limit,
    )
    if session is not None:
        return put_draft(FilingSession(session), message)
    with lent_session(connection, keep=not isinstance(target, MailConnection), opened=FilingSession.opened) as opened:
        return put_draft(opened, message)


def put_draft(session: FilingSession, message: EmailMessage) -> SavedDraft:
    """Put a composed message there; returns and raises as :func:`save_draft`."""
    data = as_bytes(message, utf8=False, eight_bit=True, bcc=True)
    (said,) = session.put([data], "drafts")
    if not said.ok:
        raise MailConnError(f"The draft was not saved. {said_of(said)}")
    return SavedDraft(message, session.folder("drafts"), len(data), said.uid)
