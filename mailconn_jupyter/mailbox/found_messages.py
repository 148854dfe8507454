"""What ``messages()`` gives: messages, one after the other, and what can be done with all of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from ..errors import OptionError
from .acting.act import Wanted, act
from .acting.action import Action
from .acting.action_report import MOST_SHOWN, ActionReport, Row, row_of
from .acting.actions import Actions
from .acting.fingerprint import kept_fingerprint
from .acting.place import Place
from .mailbox_message import MailboxMessage
from .portions import Reading

__all__ = ["Messages"]


class Messages(Actions, Iterator[MailboxMessage]):
    """Messages of a mailbox, each read when it is asked for, and what can be done with them in few commands.

    :func:`~mailconn_jupyter.mailbox.messages.messages` gives it; ``Messages(some)`` is a choice of your own, from one folder.
    An action is on those that were taken, or where none was taken yet, on all that were asked for: these are looked for by
    the server, without reading them. What an action, or its dry run, was on, the next one is on, too.
    """

    def __init__(self, messages: Iterable[MailboxMessage] = ()) -> None:
        chosen = list(messages)
        for each in list[object](chosen):
            if not isinstance(each, MailboxMessage):
                raise OptionError(
                    f"Messages() takes messages, not {type(each).__name__}.", hint="mailconn.messages(name) gives them."
                )
        self._place = chosen[0].place if chosen else None
        for message in chosen:
            if self._place is None or message.place is None or not self._place.is_that_of(message.place):
                raise OptionError(
                    "The messages come from several folders.", hint="Act on those of each folder separately."
                )
        self._reading: Reading | None = None
        self._read: Callable[[], Generator[MailboxMessage, None, None]] | None = None
        self._begun = False
        self._chosen = chosen
        self._source: Iterator[MailboxMessage] = iter(chosen)
        self._uids: dict[str, bytes] | None = {each.uid: kept_fingerprint(each, self._protocol) for each in chosen}
        self._shown: list[Row] = [row_of(each) for each in chosen[:MOST_SHOWN]]

    @property
    def _protocol(self) -> str:
        return "" if self._place is None else self._place.protocol

    @classmethod
    def asked_for(
        cls, place: Place, reading: Reading, read: Callable[[], Generator[MailboxMessage, None, None]]
    ) -> Self:
        """Those that ``reading`` asks for, which ``read`` reads."""
        made = cls()
        made._place, made._reading, made._read, made._source, made._uids = place, reading, read, read(), None
        return made

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> MailboxMessage:
        self._begun = True
        message = next(self._source, None)
        if self._reading is not None and self._uids is None:
            self._uids = {}
        if message is None:
            raise StopIteration
        if self._reading is not None and self._uids is not None:
            self._uids[message.uid] = kept_fingerprint(message, self._protocol)
            if len(self._shown) < MOST_SHOWN:
                self._shown.append(row_of(message))
        return message

    def close(self) -> None:
        """Read no more; a session that was opened for it is closed."""
        if isinstance(self._source, Generator):
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _act(self, action: Action) -> ActionReport:
        if self._uids is not None:
            place = self._place
            if place is None:
                return ActionReport(action, folder="", uids={})
            return act(place, action, Wanted(dict(self._uids), self._shown))
        report = act(self._place, action, Wanted(reading=self._reading))
        self._uids = report.known
        self._shown = list(report.shown)
        return report

    def _with_bodies(self) -> Iterable[MailboxMessage]:
        if self._read is None or self._reading is None:
            return self._chosen
        if not self._reading.body:
            raise OptionError("With body=False, no attachments are read.", hint="Leave it out.")
        if self._begun:
            raise OptionError(
                "Some of these messages have already been taken.",
                hint="Save the attachments of each, or of what a new messages() gives.",
            )
        return self._read()

    def __repr__(self) -> str:
        known = "not looked for yet" if self._uids is None else f"{len(self._uids)} known"
        return f"<{type(self).__name__} of {self._place.folder if self._place else 'no mailbox'}: {known}>"

    def __getstate__(self) -> Any:
        raise OptionError(
            "Messages that are still being read cannot be sent to another process.", hint="Make a list of them."
        )
