"""``merge()``: a message for each row of a table, told whole what is wrong with it before the first is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from os import PathLike
from typing import Any, Final, Self, SupportsIndex, overload

from ..errors import MessageError
from ..keywords import public
from ..message.compose import LIMIT
from ..message.render.part import Formulas, TableFormat
from ..message.template import Template
from .merging.letter import Letter, MergedMessage
from .merging.row_faults import Fault, MergeError, Watch
from .merging.row_fields import Given
from .merging.table_rows import Row, Rows, rows_of

__all__ = ["Merge", "MergedMessage", "merge"]

_PORTION: Final = 100  # rows
#: A template, a column's name, an address; a function of the row that gives one or several; or a list of those.
People = str | Callable[[Row], Any] | Iterable[str | Callable[[Row], Any]]
#: A template, or a function of the row.
Words = str | Template | Callable[[Row], str]


@public
def merge(
    rows: Any,
    *,
    to: People,
    subject: Words,
    content: Any,
    key: str | Callable[[Row], Any] | None = None,
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
) -> Merge:
    """A message for each of ``rows``: a DataFrame of whatever library, dicts, namedtuples, or what a query gives.

    A text with ``{{`` is a template of Jinja2 (the extra ``templates``), in which the columns are variables, and ``row`` is
    the whole row: ``{{ name }}``, ``{{ row["First name"] }}``. Of ``variables``, which every message has, a column comes
    first. Levels of columns are joined by ``_``, and an index that has a name is a column, too. An empty cell (None, NaN,
    NaT) is false and ``none``, and to print it is an error: ``{{ title or "" }}``. In place of a template there may be a
    function of the row: ``lambda row: row.email``, or ``row["First name"]``; an empty cell is None there.

    ``to``, ``cc``, ``bcc``, ``reply_to``, ``sender``, ``key`` and ``attachments`` may also be the name of a column:
    ``to="email"``, ``to="{{ name }} <{{ email }}>"``. What a cell says becomes no second address there, and in a path no
    other folder. ``subject`` and ``content`` are texts; that of a column is ``"{{ column }}"``. ``content`` is a text (a
    plain one; :class:`Markdown`, :class:`HTML` and :class:`Template` say what else), any result, or a list of those.

    ``bounce_to`` (one address, written as ``to`` is: ``"bounces+{{ id }}@example.org"``), ``notify``, ``ret`` and ``envid``
    (written as ``subject`` is) are as for :func:`~mailconn_jupyter.delivery.send.send`, of the message of each row.

    ``key`` tells a row from all others, also in another run: by it a journal knows whose message was sent. With
    ``doubles`` several rows may have one recipient. The rest is as for
    :func:`~mailconn_jupyter.message.compose.compose`; its ``rows`` is ``table_rows`` here.

    Nothing is opened, and no message is composed before it is asked for. But all rows are looked at now: addresses,
    keys, names in templates, paths of attachments. Raises :class:`MergeError`, which names the rows, for what is wrong
    in them. Rows that come only once (a generator, a cursor) are looked at one by one as they come, so that it is raised
    amid them.
    """
    table = rows_of(rows)
    columns = table.names
    letter = Letter.asked(
        columns,
        to=to,
        subject=subject,
        content=content,
        key=key,
        cc=cc,
        bcc=bcc,
        sender=sender,
        reply_to=reply_to,
        attachments=attachments,
        headers=headers,
        priority=priority,
        importance=importance,
        sensitivity=sensitivity,
        index=index,
        table_rows=table_rows,
        table_as=table_as,
        formulas=formulas,
        zip=zip,
        variables=variables,
        limit=limit,
        bounce_to=bounce_to,
        notify=notify,
        ret=ret,
        envid=envid,
    )
    kind = _MergeOnce if table.once else Merge
    return kind(table, letter, doubles=doubles or (isinstance(to, str) and "@" in to and "{" not in to))


class Merge:
    """The messages of a merge, each composed when it is asked for: in a loop, or by its number (``[3]``).

    It can be iterated again if its rows can, and has a length if they have one.
    """

    def __init__(self, rows: Rows, letter: Letter, *, doubles: bool) -> None:
        self._rows, self._letter, self._doubles = rows, letter, doubles
        self._look_at_all()

    def _look_at_all(self) -> None:
        watch = Watch(self._letter, doubles=self._doubles)
        faults: list[Fault] = []
        number = -1
        for number, row in enumerate(self._rows):
            faults += watch.faults(number, self._letter.given(row))
        if faults:
            raise MergeError(faults, number + 1, hint=watch.hint)

    def signed(self, signature: str) -> Self:
        """The same messages with the ``signature`` of the connection that they go over."""
        made = copy(self)
        made._letter = self._letter.signed(signature)  # noqa: SLF001  # a copy of its own
        return made

    def __iter__(self) -> Iterator[MergedMessage]:
        return (self._message(number, self._letter.given(row)) for number, row in enumerate(self._rows))

    def foretelling(self, told: Callable[[Sequence[str]], object], start: int = 0) -> Iterator[MergedMessage]:
        """The messages from that row on; of a portion of the rows after the other ``told`` is given the keys first."""
        rows = islice(enumerate(self._rows), start, None)
        while portion := [(number, self._letter.given(row)) for number, row in islice(rows, _PORTION)]:
            told([key for _, given in portion if (key := self._letter.key(given))])
            yield from (self._message(number, given) for number, given in portion)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, number: SupportsIndex) -> MergedMessage: ...
    @overload
    def __getitem__(self, number: slice) -> list[MergedMessage]: ...
    def __getitem__(self, number: SupportsIndex | slice) -> MergedMessage | list[MergedMessage]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        place = number.__index__()
        return self._message(place, self._letter.given(self._rows.at(place)))

    def _message(self, number: int, given: Given) -> MergedMessage:
        try:
            return self._letter.message(given)
        except MessageError as error:
            raise MessageError(f"Row {number}: {error.message}", hint=error.hint) from error

    def __repr__(self) -> str:
        return f"A merge of {len(self)} rows"


class _MergeOnce(Merge):
    """A merge of rows that come only once: each is looked at as it comes, and nobody knows how many there are."""

    __len__ = None  # type: ignore[assignment]  # it has none, and says so to whoever asks

    def _look_at_all(self) -> None:
        pass

    def __iter__(self) -> Iterator[MergedMessage]:
        watch = Watch(self._letter, doubles=self._doubles)
        for number, row in enumerate(self._rows):
            given = self._letter.given(row)
            if fault := next(watch.faults(number, given), None):
                raise MergeError([fault], None, hint=watch.hint)
            yield self._message(number, given)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return "A merge of rows that can be read only once"
