"""``to_frame()``: messages as a table of pandas."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from ..connection import MailConnection
from ..errors import OptionError
from ..keywords import public
from ..message.incoming.parsed import ParsedMessage
from ..pandas_tables import dates, own_pandas
from ..progress import Tell
from ..session.connect import protocol_of
from .messages import messages
from .selection import When

if TYPE_CHECKING:
    import pandas as pd

    from ..session.any_session import ReadingSession

__all__ = ["to_frame"]

# What pandas calls the kinds of columns that may have gaps.
_KINDS: Final = {
    "from": "str",
    "to": "str",
    "subject": "str",
    "size": "Int64",
    "seen": "boolean",
    "attachments": "Int64",
    "uid": "str",
}


@public
def to_frame(
    source: str | MailConnection | ReadingSession | Iterable[ParsedMessage] | None = None,
    *,
    text: bool | str = False,
    since: When = None,
    before: When = None,
    sender: str = "",
    to: str = "",
    subject: str = "",
    unseen: bool = False,
    flagged: bool = False,
    larger: int | str | None = None,
    has_attachment: bool = False,
    limit: int | None = None,
    folder: str | None = "INBOX",
    body: bool | None = None,
    mark_seen: bool = False,
    progress: bool | Tell | None = None,
) -> pd.DataFrame:
    """A :class:`pandas.DataFrame` with a row for each message, in their order.

    ``source`` is what :func:`~mailconn_jupyter.mailbox.messages.messages` gives, or any other messages (those of a sandbox's
    inbox), or what ``messages`` takes: the name of a connection, a connection, an open session, None for the default. Then
    the rest, ``since`` to ``progress``, is as for ``messages``, except that only headers are fetched unless ``body`` or
    ``text`` says otherwise.

    Its columns: ``date`` (UTC), ``from``, ``to``, ``subject``, ``size`` (bytes), ``seen``, ``attachments`` (how many;
    missing where only headers were read), ``uid``, and with ``text=True`` the body as plain text; any other ``text`` is
    looked for, as ``messages`` does. What is not known is missing.

    Raises :class:`~mailconn_jupyter.errors.MailConnError` where pandas is not installed, and what ``messages`` raises.
    """
    pd = own_pandas("to_frame()")
    asked = {
        "since": since,
        "before": before,
        "sender": sender,
        "to": to,
        "subject": subject,
        "text": "" if isinstance(text, bool) else text,
        "unseen": unseen,
        "flagged": flagged,
        "larger": larger,
        "has_attachment": has_attachment,
        "limit": limit,
        "folder": folder,
        "body": body,
        "mark_seen": mark_seen,
        "progress": progress,
    }
    texts = text is True
    rows = [_row(message, text=texts) for message in _messages(source, text=texts, asked=asked)]
    kinds = {**_KINDS, "text": "str"} if texts else _KINDS
    columns = {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in kinds.items()}
    return pd.DataFrame({"date": dates([row["date"] for row in rows]), **columns})


def _messages(source: Any, *, text: bool, asked: dict[str, Any]) -> Iterable[Any]:
    if source is None or isinstance(source, str | MailConnection) or protocol_of(source):
        # A table takes all there is, and so as many as there can be.
        limit = sys.maxsize if asked["limit"] is None else asked["limit"]
        return messages(source, **asked | {"limit": limit, "body": text if asked["body"] is None else asked["body"]})
    usual = signature(messages).parameters
    said = [name for name, value in asked.items() if value != (None if name == "body" else usual[name].default)]
    if said:
        raise OptionError(
            f"{', '.join(sorted(said))}: only for messages that are still to be read, not for these.",
            hint="Give it to messages(), or name a connection.",
        )
    if not isinstance(source, Iterable):
        raise OptionError(f"to_frame() takes messages or the name of a connection, not {type(source).__name__}.")
    return source


def _row(message: Any, *, text: bool) -> dict[str, Any]:
    if not isinstance(message, ParsedMessage):
        raise OptionError(
            f"to_frame() takes messages, not {type(message).__name__}.", hint="mailconn.messages(name) gives them."
        )
    return {
        "date": message.date,
        "from": message.header("From"),
        "to": message.to,
        "subject": message.subject,
        "size": message.size,
        "seen": message.seen,
        "attachments": len(message.attachments) if message.complete else None,
        "uid": message.uid,
        **({"text": message.text} if text else {}),
    }
