"""``sent()``: what was sent from this machine."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from ...errors import OptionError
from ...keywords import public
from ...mailbox.selection import When, moment
from ...names import fold
from ...pandas_tables import dates, own_pandas
from ...scalars import count_of
from ...store import atomic_files
from .log_entry import LogEntry, merged
from .log_file import LogFile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sent", "sent_messages"]

_KINDS: Final = {
    "connection": "str",
    "recipient": "str",
    "subject": "str",
    "size": "int64",
    "outcome": "str",
    "code": "Int64",
    "words": "str",
    "message_id": "str",
    "tries": "int64",
}


@public
def sent(
    *,
    since: When = None,
    before: When = None,
    to: str = "",
    subject: str = "",
    connection: str = "",
    limit: int | None = None,
) -> pd.DataFrame:
    """What ``send()`` and ``send_many()`` have sent from this machine: a row for each recipient, the newest message first.

    Its columns: ``when`` (UTC), ``connection``, ``recipient``, ``subject``, ``size`` (bytes), ``outcome`` (accepted, refused,
    unknown, not sent), ``code`` (missing where the server said none), ``words``, ``message_id``, ``tries`` (how often it was
    sent there, or was to be: the outcome is the last one). ``since`` and ``before`` are as for
    :func:`~mailconn_jupyter.mailbox.messages.messages`; ``to`` and ``subject`` are looked for anywhere, without regard to
    case; ``limit`` is how many messages are taken at most.

    The log is in the Jupyter data directory, for its owner alone, without the content of any message; entries go after a
    year. ``%mailconn sent --off`` keeps none. Raises :class:`~mailconn_jupyter.errors.MailConnError` where pandas is not
    installed, :class:`~mailconn_jupyter.errors.StoreError` where the log cannot be read.
    """
    pd = own_pandas("sent()")
    found = sent_messages(since=since, before=before, to=to, subject=subject, connection=connection, limit=limit)
    rows = [(entry, name, fate) for entry in found for name, fate in entry.fates.items()]
    values: dict[str, list[Any]] = {
        "connection": [entry.connection for entry, _, _ in rows],
        "recipient": [name for _, name, _ in rows],
        "subject": [entry.subject for entry, _, _ in rows],
        "size": [entry.size for entry, _, _ in rows],
        "outcome": [fate.outcome for _, _, fate in rows],
        "code": [fate.code or None for _, _, fate in rows],
        "words": [fate.words for _, _, fate in rows],
        "message_id": [entry.message_id for entry, _, _ in rows],
        "tries": [entry.tries(name) for entry, name, _ in rows],
    }
    columns = {name: pd.Series(values[name], dtype=kind) for name, kind in _KINDS.items()}
    return pd.DataFrame({"when": dates([entry.when for entry, _, _ in rows]), **columns})


def sent_messages(
    *,
    since: When = None,
    before: When = None,
    to: str = "",
    subject: str = "",
    connection: str = "",
    limit: int | None = None,
) -> list[LogEntry]:
    """The same as entries, the newest first, each message once."""
    most = count_of(limit)
    if most is None and limit is not None:
        raise OptionError("limit must be a whole number of messages, or None for all.", trait="limit")
    start, end = moment("since", since), moment("before", before)
    log = LogFile()
    try:
        entries = merged(log.entries())
    except OSError as error:
        raise atomic_files.unreadable(log.path, error) from error
    wanted = [fold(text) for text in (to, subject, connection)]
    found = [
        entry
        for entry in reversed(entries)
        if (start is None or not _is_before(entry.when, start))
        and (end is None or _is_before(entry.when, end))
        and (not wanted[0] or any(wanted[0] in fold(name) for name in entry.fates))
        and (not wanted[1] or wanted[1] in fold(entry.subject))
        and (not wanted[2] or wanted[2] == fold(entry.connection))
    ]
    return found if most is None else found[:most]


def _is_before(when: datetime, bound: date | datetime) -> bool:
    # A day is one of this machine's.
    return when < bound if isinstance(bound, datetime) else when.astimezone().date() < bound
