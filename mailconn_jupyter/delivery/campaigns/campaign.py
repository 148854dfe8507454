"""``Campaign``: a mailing as a description that can be sent to workers, each of which sends the rows that it has."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

from ...connection import MailConnection
from ...errors import MessageError, OptionError
from ...formatting import shown
from ...keywords import public
from ...message.compose import LIMIT
from ...message.render.part import Formulas, TableFormat
from ...scalars import count_of
from ..journals.places import place_of
from ..many.advance import Progress
from ..many.asked import MOST_CONNECTIONS, MOST_WINDOW, count_within, limits_for, rate_for, target_of, words_of_again
from ..many.mailing import Mailing
from ..many.many_report import DeliveryReport
from ..many.numbered import Numbered
from ..many.plan import Plan
from ..many.rate import Rate
from ..merge import Merge, People, Words, merge
from ..merging.letter import Letter
from ..merging.table_rows import Row, rows_of
from ..sealed import Seal
from ..send import signature_of
from .campaign_part import Part
from .outcome_frames import SCHEMA, journal_frame, part_frame
from .travelling import packed, unpacked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Campaign"]

#: Over how many connections it is sent here; of workers each has one.
_HERE: Final = 3


class Campaign:
    """A mailing to the rows of a table, each of which gets its message once at most, whoever sends it and however often.

    It is a description, which can be pickled: it holds the options of the connection and no secret, and what a message is
    made of. :meth:`send` sends all rows here. :meth:`send_part` sends those that a worker has (Dask, Ray, joblib), and
    :meth:`send_batches` one part after the other (Spark).
    """

    @public
    def __init__(
        self,
        name: str,
        target: str | MailConnection | None,
        *,
        to: People,
        subject: Words,
        content: Any,
        key: str | Callable[[Row], Any],
        cc: People = (),
        bcc: People = (),
        sender: str | Callable[[Row], str] = "",
        reply_to: People = (),
        attachments: Any = (),
        headers: Mapping[str, Words | Sequence[Words]] | None = None,
        priority: str | int | None = None,
        importance: str | None = None,
        sensitivity: str | None = None,
        index: bool | None = None,
        table_rows: int | None = None,
        table_as: TableFormat = "csv",
        formulas: Formulas = "keep",
        zip: bool | float | str | PathLike[str] | None = False,  # noqa: A002  # the word of compose()
        variables: Mapping[str, Any] | None = None,
        limit: int | None = LIMIT,
        bounce_to: People | None = None,
        notify: str | Iterable[str] = (),
        ret: str | None = None,
        envid: Words | None = None,
        doubles: bool = False,
        connections: int | None = None,
        window: int = 1,
        rate: str | None = None,
        journal: str | PathLike[str] | None = None,
        again: str | Iterable[str] = (),
        sign: bool = False,
        encrypt: bool = False,
    ) -> None:
        """``name`` is that of its journal; ``target`` the name of a connection, or one, that sends over SMTP.

        What a message is made of is as for :func:`~mailconn_jupyter.delivery.merge.merge`; files that are attached must be
        where the worker is. ``key`` tells a row from all others, in whatever part it comes.

        ``journal`` is by default a file of the campaign's name in the Jupyter data directory, or a path: for all processes
        of this machine. Workers on several machines need a database that all of them reach, by its URL without a password
        (``"postgresql+psycopg://user@host/name"``; the extra ``campaign``). ``rate`` (``"30/min"``) is that of all workers
        together; by default a provider's own where it is known. ``connections`` is over how many connections each worker
        sends: by default one, and three here. ``window`` and ``again`` are as for
        :func:`~mailconn_jupyter.delivery.many.send_many.send_many`; ``again`` is about what earlier runs have left, and a
        run is all that is sent by one campaign object and its copies. ``sign`` and ``encrypt`` are as for
        :func:`~mailconn_jupyter.delivery.send.send`; a worker needs the files that the connection names.

        Raises :class:`~mailconn_jupyter.errors.OptionError`, and :class:`~mailconn_jupyter.errors.MessageError` for what is
        wrong with a template. Nothing is opened.
        """
        if not str(name).strip():
            raise OptionError(f"A campaign needs a name, not {shown(name)}.", trait="name")
        if key is None:
            raise MessageError(
                f"The campaign {name!r} has no key.",
                hint='A key identifies a row, the same each time it is sent: key="customer_id"',
            )
        connection, session = target_of(target, "A campaign")
        if session is not None or connection is None:
            raise OptionError(
                "A session cannot be sent to a worker.",
                trait="target",
                hint="Give the campaign the name of the connection.",
            )
        self.name = name
        self._connection = connection
        self._fields: dict[str, Any] = {
            "to": to,
            "subject": subject,
            "content": content,
            "key": key,
            "cc": cc,
            "bcc": bcc,
            "sender": sender,
            "reply_to": reply_to,
            "attachments": attachments,
            "headers": headers,
            "priority": priority,
            "importance": importance,
            "sensitivity": sensitivity,
            "index": index,
            "table_rows": table_rows,
            "table_as": table_as,
            "formulas": formulas,
            "zip": zip,
            "variables": variables,
            "limit": limit,
            "bounce_to": bounce_to,
            "notify": notify if isinstance(notify, str) else tuple(notify),
            "ret": ret,
            "envid": envid,
        }
        # What is wrong with it is wrong with no row.
        Letter.asked((), **self._fields)
        self._doubles, self._sealed = doubles, {"sign": sign, "encrypt": encrypt}
        self._connections = None if connections is None else count_within("connections", connections, MOST_CONNECTIONS)
        self._window = count_within("window", window, MOST_WINDOW)
        if rate is not None:
            Rate.of(rate)
        self._rate = rate
        self._again = words_of_again(again, journal=True)
        self._place = place_of(journal, name)
        self._run = secrets.token_hex(8)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_connection": packed(self._connection)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state | {"_connection": unpacked(state["_connection"])})

    def __dask_tokenize__(self) -> tuple[str, str, str]:
        return type(self).__name__, self.name, self._run

    def __repr__(self) -> str:
        rate = f", rate={self._rate!r}" if self._rate else ""
        return f"Campaign({self.name!r}, {self._connection.name!r}{rate}): journal {self._place.shown}"

    # Before

    def letters(self, rows: Any) -> Merge:
        """The messages of the rows, as :func:`~mailconn_jupyter.delivery.merge.merge` gives them, to look at; none is sent."""
        return merge(rows, doubles=self._doubles, **self._fields).signed(signature_of(self._connection))

    def plan(self, rows: Any) -> Plan:
        """What it will take to send ``rows`` (a table, or their number): how many are left, at which rate, until when.

        Warns where a provider's daily limit is in the way, and raises
        :class:`~mailconn_jupyter.delivery.journals.journal_base.JournalError` where the journal cannot be used.
        """
        total = count_of(rows)
        if total is None and isinstance(rows, Sized):
            total = len(rows)
        with self._journal() as journal:
            before = journal.sent()
        if total is not None:
            before = min(before, total)
        limits = limits_for(self._connection)
        plan = Plan(None if total is None else total - before, rate_for(self._rate, limits), limits, before)
        plan.warn()
        return plan

    # Sending

    @public
    def send(self, rows: Any, *, on_progress: bool | Callable[[Progress], Any] | None = None) -> DeliveryReport:
        """Send all rows here, and return what became of each message.

        What is wrong with any row is raised before the first is sent. Progress, interrupts, errors and the report are as for
        :func:`~mailconn_jupyter.delivery.many.send_many.send_many`.
        """
        letters = self.letters(rows)
        return self._mailing(on_progress=on_progress, connections=self._connections or _HERE).send(
            (), Numbered(letters)
        )

    def send_part(self, frame: Any) -> pd.DataFrame:
        """Send the rows of one part, and return a row for each recipient of each message; its columns are :attr:`meta`'s.

        For ``ddf.map_partitions(campaign.send_part, meta=campaign.meta)``. A row that gives no message is one with its
        reason, and the others are sent. Whoever was sent it before, here or elsewhere, is not sent it again. Nobody is
        asked for a password: a worker has it by the environment, a file, the keyring, or what the connection says.
        Raises :class:`~mailconn_jupyter.delivery.campaigns.campaign_part.CampaignStopped` where it cannot go on, and
        what opening a session raises; the same part again goes on where it ended.
        """
        rows = rows_of(frame)
        if not rows.once and not len(rows):
            return self.meta
        letter = Letter.asked(rows.names, **self._fields).signed(signature_of(self._connection))
        with self._journal() as journal:
            part = Part(self.name, letter, rows, journal)
            return part_frame(part.send(self._mailing(connections=self._connections or 1, ask=False)))

    def send_batches(self, frames: Iterable[Any]) -> Iterator[pd.DataFrame]:
        """:meth:`send_part` of one frame after the other: for ``sdf.mapInPandas(campaign.send_batches, campaign.schema)``."""
        for frame in frames:
            yield self.send_part(frame)

    # After

    @property
    def meta(self) -> pd.DataFrame:
        """An empty table with the columns that :meth:`send_part` returns, for Dask."""
        return part_frame(())

    @property
    def schema(self) -> str:
        """The same columns as Spark writes them."""
        return SCHEMA

    def outcomes(self) -> pd.DataFrame:
        """All that the journal has: a row for each recipient of each message that was begun, with the time (UTC)."""
        with self._journal() as journal:
            return journal_frame(journal.every())

    def _journal(self) -> Any:
        return self._place.opened(self._again, self._run)

    def _mailing(self, **options: Any) -> Mailing:
        limits = limits_for(self._connection)
        return Mailing(
            connection=self._connection,
            keep=True,
            window=self._window,
            limits=limits,
            rate=rate_for(self._rate, limits),
            journal=self._journal,
            shared=True,
            seal=Seal(self._connection, **self._sealed),
            **options,
        )
