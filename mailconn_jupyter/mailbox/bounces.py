"""``bounces()``: whose mail came back, in a table of pandas."""

from __future__ import annotations

import sys
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final

from ..connection import MailConnection
from ..errors import OptionError
from ..keywords import public
from ..message.incoming.returned.notice import Notice
from ..pandas_tables import dates, own_pandas
from ..progress import Tell
from ..scalars import count_of
from .returned_mail import returned_mail
from .selection import When

if TYPE_CHECKING:
    import pandas as pd

    from ..session.any_session import ReadingSession

__all__ = ["bounces"]

_COLUMNS: Final = ("recipient", "action", "status", "words", "message_id")


@public
def bounces(
    target: str | MailConnection | ReadingSession | None = None,
    *,
    since: When = None,
    before: When = None,
    limit: int | None = None,
    folder: str | None = "INBOX",
    progress: bool | Tell | None = None,
) -> pd.DataFrame:
    """A :class:`pandas.DataFrame` of what servers said of mail that was sent: a row for each recipient, the newest first.

    ``target``, ``since``, ``before``, ``folder`` and ``progress`` are as for
    :func:`~mailconn_jupyter.mailbox.messages.messages`; ``limit`` is how many notifications are taken at most. Of a mailbox
    by IMAP the server looks for them, and of each only the beginning is fetched; nothing is marked as read.

    It reads delivery status notifications (RFC 3464, RFC 6533) and the texts that Exim, qmail and others send in their
    place; with the extra ``bounces`` also the formats that flufl.bounce knows. The columns: ``recipient`` (whom the message
    was sent to), ``action`` (``failed``, ``delayed``, ``delivered``, ``relayed``, ``expanded``), ``status`` (RFC 3463;
    ``5.0.0`` and ``4.0.0`` where only that much is told), ``words`` (the server's), ``message_id`` (of the message that was
    sent), ``date`` (of the notification, UTC). What is not told is missing.

    A notification is a mail like any other, and anybody can have written it. To decide whom to stop writing to, use
    ``report.follow_up()``, where only what proves to be about a message of yours counts.

    Raises :class:`~mailconn_jupyter.errors.MailConnError` where pandas is not installed, and what ``messages`` raises.
    """
    pd = own_pandas("bounces()")
    most = count_of(limit)
    if most is None and limit is not None:
        raise OptionError("limit must be a whole number of notifications, or None for all.")
    rows: list[Notice] = []
    with closing(returned_mail(target, since=since, before=before, folder=folder, progress=progress)) as found:
        for _, notices in islice(found, None if most is None else min(most, sys.maxsize)):
            rows += notices
    named = {name: pd.Series([getattr(row, name) or None for row in rows], dtype="str") for name in _COLUMNS}
    return pd.DataFrame({**named, "date": dates([row.date for row in rows])})
