"""A message with the place where it lies, so that something can be done with it there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from email.message import EmailMessage
from typing import Any, Self

from ..errors import MessageError
from ..keywords import public
from ..message.answer import forward, reply
from ..message.incoming.parsed import ParsedMessage
from ..message.mime.mailboxes import mailboxes
from .acting.act import Wanted, act
from .acting.action import Action
from .acting.action_report import ActionReport, row_of
from .acting.actions import Actions
from .acting.fingerprint import kept_fingerprint
from .acting.place import Place

__all__ = ["MailboxMessage"]


class MailboxMessage(Actions, ParsedMessage):
    """A message of a mailbox: what it says, and what can be done with it where it lies."""

    place: Place | None = None

    @classmethod
    def of(cls, message: ParsedMessage, place: Place) -> Self:
        """The same message, in its place."""
        made = cls.__new__(cls)
        # All that is known of it, also what was read of it already.
        made.__dict__.update(message.__dict__, place=place)
        return made

    def without_body(self) -> ParsedMessage:
        """The same with its header alone, as where no more was read."""
        stripped = super().without_body()
        return stripped if self.place is None else type(self).of(stripped, self.place)

    @public
    def reply(
        self,
        *content: object,
        everybody: bool = False,
        quote: bool = True,
        sender: str = "",
        cc: str | Iterable[str] = (),
        bcc: str | Iterable[str] = (),
        attachments: Any = (),
    ) -> EmailMessage:
        """A message in answer to this one, to be sent by ``smtp.send_message(...)``; nothing is sent.

        It goes to whom Reply-To names, or else From; with ``everybody`` also to whom this one was written, but for the
        connection's own addresses and ``sender``. It stays in the thread (In-Reply-To and References; RFC 5322, 3.6.4),
        and quotes the text below the ``content`` unless ``quote`` is off. The rest is as for
        :func:`~mailconn_jupyter.message.compose.compose`. Raises :class:`~mailconn_jupyter.errors.MessageError` where the
        message names nobody, or only its header was read.
        """
        return reply(
            self,
            *content,
            everybody=everybody,
            quote=quote,
            own=[*self._own_addresses(), *([sender] if sender else [])],
            sender=sender,
            cc=cc,
            bcc=bcc,
            attachments=attachments,
        )

    @public
    def forward(
        self,
        to: str | Iterable[str],
        *content: object,
        sender: str = "",
        cc: str | Iterable[str] = (),
        bcc: str | Iterable[str] = (),
        attachments: Any = (),
    ) -> EmailMessage:
        """A message that passes this one on, with its text and its attachments, below the ``content``; nothing is sent.

        The rest is as for :func:`~mailconn_jupyter.message.compose.compose`. Raises
        :class:`~mailconn_jupyter.errors.MessageError` where only its header was read.
        """
        return forward(self, to, *content, sender=sender, cc=cc, bcc=bcc, attachments=attachments)

    def _own_addresses(self) -> Iterator[str]:
        connection = self.place.connection if self.place else None
        for said in (connection.from_address, connection.username) if connection else ():
            with suppress(MessageError):
                yield from (str(each.address) for each in mailboxes(said, "own address"))

    def _with_bodies(self) -> Iterable[ParsedMessage]:
        return [self]

    def _act(self, action: Action) -> ActionReport:
        return act(
            self.place,
            action,
            Wanted({self.uid: kept_fingerprint(self, self.place.protocol if self.place else "")}, [row_of(self)]),
        )
