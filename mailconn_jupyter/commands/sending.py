"""``send``: results, named in a line, as one message."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..delivery.preview import Preview, preview
from ..delivery.report import SendReport
from ..delivery.send import send as send_mail
from ..errors import MailConnWarning
from ..message.answered import subject_of_answer
from ..message.render.part import Formulas, TableFormat
from .view import Aside
from .wrong_usage import WrongUsage

__all__ = ["Deferred", "Mail", "mail_of", "send", "telling"]


class Deferred(Protocol):
    """A text of which parts are known later: how it is written, and what it says now."""

    @property
    def written(self) -> str: ...

    def text(self) -> str: ...


T = TypeVar("T")


def telling(deed: Callable[[], T]) -> Generator[Aside, None, T]:
    """Do it; what it warns of is told, and after that raised what it raises."""
    failure: BaseException | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MailConnWarning)
        try:
            done = deed()
        except BaseException as error:  # noqa: BLE001  # raised below, when all is told
            failure = error
    said = [str(warning.message) for warning in caught if issubclass(warning.category, MailConnWarning)]
    yield from map(Aside, dict.fromkeys(said))
    if failure is not None:
        raise failure
    return done


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What a line says of a message beside its content, by the names of its flags."""

    to: Sequence[str]
    subject: str | Deferred
    target: str | None = None
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    sender: str = ""
    reply_to: Sequence[str] = ()
    reply_to_message: Any = None
    priority: str | None = None
    importance: str | None = None
    sensitivity: str | None = None
    header: Sequence[tuple[str, str]] = ()
    attach: Sequence[str] = ()
    zip: bool = False
    rows: int | None = None
    index: bool | None = None
    table_as: TableFormat = "csv"
    formulas: Formulas = "keep"
    limit: int | None = None
    sign: bool = False
    encrypt: bool = False
    bounce_to: str | None = None
    notify: Sequence[str] = ()
    ret: str | None = None
    envid: str | None = None
    dry_run: bool = False
    preview: bool = False

    @property
    def stays(self) -> bool:
        """Whether it is not to be sent."""
        return self.dry_run or self.preview

    def sent(
        self, subject: str, content: Sequence[Any], *, dry_run: bool = False, files: bool = True
    ) -> Generator[Aside, None, SendReport]:
        """Send it; what was lost on the way into it is told. ``files``: with those that the line attaches."""

        def done() -> SendReport:
            return send_mail(
                self.target,
                self.to,
                subject,
                *content,
                sender=self.sender,
                reply_to_message=self.reply_to_message,
                attachments=self.attach if files else (),
                rows=self.rows,
                sign=self.sign,
                encrypt=self.encrypt,
                dry_run=dry_run,
                **self.options(),
            )

        return (yield from telling(done))

    def options(self) -> dict[str, Any]:
        """What ``send()`` and ``merge()`` take alike, by their keywords."""
        headers: dict[str, list[str]] = {}
        for name, value in self.header:
            headers.setdefault(name, []).append(value)
        options: dict[str, Any] = {
            "cc": self.cc,
            "bcc": self.bcc,
            "reply_to": self.reply_to,
            "headers": headers,
            "priority": self.priority,
            "importance": self.importance,
            "sensitivity": self.sensitivity,
            "index": self.index,
            "table_as": self.table_as,
            "formulas": self.formulas,
            "zip": self.zip,
            "bounce_to": self.bounce_to,
            "notify": self.notify,
            "ret": self.ret,
            "envid": self.envid,
        }
        return options if self.limit is None else options | {"limit": self.limit}


def mail_of(mail: Mapping[str, Any]) -> Mail:
    """What a line says of a message, the subject filled in where it answers another one and names none."""
    if mail.get("subject") is not None:
        return Mail(**mail)
    if mail.get("reply_to_message") is None:
        raise WrongUsage(
            "%mailconn send: the following arguments are required: --subject.",
            hint="%mailconn send -h shows how it is used.",
        )
    return Mail(**{**mail, "subject": subject_of_answer(mail["reply_to_message"])})


def send(
    *, results: Sequence[Any], code: bool = False, stderr: bool = False, on_error: str = "skip", **mail: Any
) -> Generator[Aside, None, SendReport | Preview]:
    """Send the results; ``mail`` is a :class:`Mail`'s."""
    if not results and not mail.get("attach"):
        raise WrongUsage(
            "%mailconn send: there is nothing to send.",
            hint='Name it: %mailconn send NAME --to ADDRESS --subject TEXT df "A text." Or a cell: %%mailconn send ...',
        )
    if code or stderr or on_error != "skip":
        raise WrongUsage(
            "%mailconn send: --code, --stderr and --on-error are for a cell.",
            hint="With two percent signs, in its first line: %%mailconn send ...",
        )
    asked = mail_of(mail)
    report = yield from asked.sent(str(asked.subject), results, dry_run=asked.stays)
    return preview(report.message) if asked.preview else report
