"""What all messages of a merge have in common, and the message that it makes of a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from email.message import EmailMessage
from typing import Any, Self

from ...errors import MessageError
from ...message.letterhead import framed
from ...message.mime.headers import checked
from ...message.mime.mailboxes import mailboxes
from ...message.texts import one_line
from ..addressed import compose
from ..returns import Returns
from .row_fields import Content, Field, Given, identity, people, words
from .row_files import Attached
from .row_returns import Returning, returning
from .table_rows import Row

__all__ = ["Letter", "MergedMessage"]


class MergedMessage(EmailMessage):
    """The message of one row; ``key`` is the row's, None in a merge without keys, ``returns`` what is to come back of it."""

    key: str | None = None
    returns: Returns | None = None

    @classmethod
    def of(cls, message: EmailMessage, key: str | None, returns: Returns | None = None) -> MergedMessage:
        """What compose() made, with a key."""
        merged = cls(message.policy)
        vars(merged).update(vars(message))
        merged.key, merged.returns = key, returns
        return merged


class Letter:
    """What every message of a merge has in common: each field as a function of the row, and the options of compose()."""

    def __init__(
        self,
        *,
        to: Field,
        others: Mapping[str, Field],
        subject: Field,
        content: Content,
        key: Field,
        attached: Attached,
        headers: Sequence[tuple[str, Field]],
        constants: Mapping[str, Any],
        options: Mapping[str, Any],
        returns: Returning,
    ) -> None:
        self.key = key
        self._signature = ""
        self._returns = returns
        self._to, self._others, self._subject, self._content = to, others, subject, content
        self._attached, self._headers, self._constants, self._options = attached, headers, constants, options

    @classmethod
    def asked(
        cls,
        columns: Sequence[str],
        *,
        to: Any,
        subject: Any,
        content: Any,
        key: Any,
        cc: Any,
        bcc: Any,
        sender: Any,
        reply_to: Any,
        attachments: Any,
        headers: Mapping[str, Any] | None,
        table_rows: int | None,
        variables: Mapping[str, Any] | None,
        bounce_to: Any = None,
        notify: str | Iterable[str] = (),
        ret: str | None = None,
        envid: Any = None,
        **options: Any,
    ) -> Letter:
        """What :func:`~mailconn_jupyter.delivery.merge.merge` was asked for, of rows that have these columns.

        Raises :class:`~mailconn_jupyter.errors.MessageError` for what is wrong with it whatever the rows are.
        """
        return cls(
            to=people(to, "to", columns),
            others={
                "cc": people(cc, "cc", columns),
                "bcc": people(bcc, "bcc", columns),
                "sender": people(sender or (), "sender", columns),
                "reply_to": people(reply_to, "reply_to", columns),
            },
            subject=words(subject, "subject", columns),
            content=Content(content, columns),
            key=identity(key, columns),
            attached=Attached(attachments, columns),
            headers=[
                (name, words(value, name, columns))
                for name, given in (headers or {}).items()
                for value in ([given] if isinstance(given, str) or not isinstance(given, Sequence) else given)
            ],
            constants=variables or {},
            options={"rows": table_rows, **options},
            returns=returning(columns, bounce_to, notify, ret, envid),
        )

    def signed(self, signature: str) -> Self:
        """The same with what the connection adds to each message."""
        made = copy(self)
        made._signature = signature  # noqa: SLF001  # a copy of its own
        return made

    def given(self, row: Row) -> Given:
        return Given(row, self._constants)

    def recipients(self, given: Given) -> list[str]:
        """The addresses of To; :class:`~mailconn_jupyter.errors.MessageError` where there are none, or none that is one."""
        found = mailboxes(self._to(given), "recipient")
        if not found:
            raise MessageError("There is no address.")
        return [mailbox.address.text for mailbox in found]

    def everybody(self, given: Given) -> list[str]:
        """The addresses of To, Cc and Bcc."""
        others = [text for name in ("cc", "bcc") for text in self._others[name](given)]
        return [*self.recipients(given), *(each.address.text for each in mailboxes(others, "recipient"))]

    def check(self, given: Given) -> None:
        """Raise what is wrong with the row beside its key and its recipients, as far as it is known without composing."""
        for name, field in self._others.items():
            mailboxes(field(given), name)
        checked(self._said(self._subject(given)), "subject")
        for name, field in self._headers:
            checked(self._said(field(given)), name)
        self._content.check(given)
        self._attached.check(given)
        self._returns(given)

    def message(self, given: Given) -> MergedMessage:
        headers: dict[str, list[str]] = {}
        for name, field in self._headers:
            headers.setdefault(name, []).append(self._said(field(given)))
        others = {name: field(given) for name, field in self._others.items()}
        others["sender"] = ", ".join(others["sender"])
        with framed(self._signature):
            message = compose(
                self._to(given),
                self._said(self._subject(given)),
                *self._content.of(given),
                **others,
                attachments=self._attached.of(given),
                headers=headers,
                **self._options,
            )
        return MergedMessage.of(message, self.key(given), self._returns(given))

    @staticmethod
    def _said(text: Any) -> str:
        if not isinstance(text, str):
            raise MessageError(f"{one_line(repr(text), 60)} is not text.")
        return text
