"""``send()``: from results to a message in somebody's inbox, and what became of it."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from ..connection import MailConnection
from ..connection.declarations import SENDING
from ..errors import MailConnWarning, MessageError, NoDomain, OptionError, warn
from ..keywords import public
from ..message.addresses import envelope_address, once
from ..message.compose import LIMIT
from ..message.letterhead import framed
from ..message.mime.wire_format import Wire, wired
from ..message.render.part import Formulas, TableFormat
from ..message.template import Template
from ..session.connect import protocol_of
from ..session.opening.run_stages import PAUSES
from ..session.smtp.envelope import envelope_of
from ..session.smtp.session import SMTPSession
from ..store import connections
from .addressed import compose
from .attempt import Sender, attempt
from .filing.sent_copy import copy_target, keep_copy
from .kept_sessions import lent_session
from .own_domain import own_domain
from .report import DeliveryError, Outcome, SendReport
from .returns import Returns
from .sealed import Seal
from .sent_log.noting import note

if TYPE_CHECKING:
    from ..message.answered import Answered
    from ..session.graph.session import GraphSession

__all__ = ["Way", "delivered", "require_sending", "send", "send_composed", "sender_of", "unsent"]

# Before the second and the third try of what was refused for the moment (a 4xx), and of what is left once some was taken.
_PAUSES = PAUSES
_ENOUGH = 452


@public
def send(
    target: str | MailConnection | smtplib.SMTP | GraphSession | None,
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
    sign: bool = False,
    encrypt: bool = False,
    bounce_to: str | None = None,
    notify: str | Iterable[str] = (),
    ret: str | None = None,
    envid: str | None = None,
    dry_run: bool = False,
) -> SendReport:
    """Send ``content`` as one message, and return what became of it for each recipient.

    ``target`` is the name of a connection, a connection, an open session (which stays open), or None for the default.
    ``dry_run`` does all but send: it composes the message, and opens nothing. ``sign`` and ``encrypt`` do so by S/MIME
    (RFC 8551), with the connection's ``smime_certificate`` and with those of the recipients in its ``smime_folder``.
    ``sender`` is by default the connection's ``from_address``, or its username where that is an address. The rest is as
    for :func:`~mailconn_jupyter.message.compose.compose`. The SMTP session of a connection that is named is kept for
    half a minute, so that the next message finds it open.

    What the server refuses for the moment (a 4xx) is tried again after 1 and 5 seconds, as long as each try reaches
    somebody more and twice after that; a 5xx is not, and neither is what may have been delivered. Microsoft Graph answers
    for all recipients at once, and is waited for as it asks, within the connection's deadline.

    ``bounce_to`` is the address that what cannot be delivered comes back to (the envelope's sender), by default that of the
    message; with ``""`` nothing comes back. ``notify``: when a notice is to come there: ``success``, ``failure``, ``delay``
    or several of them, or ``never``; ``ret``: whether it holds the message in ``full`` or its ``headers``; ``envid``: a text
    that it is to repeat (DSN, RFC 3461). A server without that gets the message without it, with a warning; Microsoft
    Graph has no envelope, and it is an error there.

    Raises :class:`~mailconn_jupyter.delivery.report.DeliveryError`, which has the report, unless every recipient's was
    accepted; what is wrong with the message itself is raised before anything is sent. Where the link of an
    ``smtplib.SMTP`` breaks, each outcome is unknown: such a session does not say whether it was before or after the last
    byte.
    """
    returns = Returns.of(bounce_to, notify, ret, envid)
    way = Way.of(target)
    connection = way.connection
    try:
        with framed(signature_of(connection)):
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
    except NoDomain as error:
        if domain := own_domain(sender, connection):
            error.hint = f"Did you mean {error.name}@{domain}?"
        raise
    if message["From"] is None:
        # Without one it would travel as a bounce, with the empty sender.
        raise MessageError(
            "The message has no sender.",
            hint="Give sender=, or the connection a from_address: %mailconn edit NAME --from-address ana@example.org",
        )
    if not content and not any(part.get_content_disposition() == "attachment" for part in message.walk()):
        raise MessageError(
            "The message has no content and no attachment.",
            hint='The content comes after the subject; pass "" if the subject says it all.',
        )
    if not str(message["Subject"]).strip():
        warn("The message has no subject.")
    sealed = Seal(connection, sign=sign, encrypt=encrypt)(message)
    if dry_run:
        return unsent(message)
    with way.opened() as session:
        return send_composed(session, sealed, returns)


@dataclass(frozen=True)
class Way:
    """What sends: the ``session`` that was given, or one of the ``connection``; ``stored`` says that it is kept by that name."""

    connection: MailConnection | None
    session: Sender | None
    stored: bool

    @classmethod
    def of(cls, target: str | MailConnection | Sender | None) -> Self:
        """The way that is meant; raises for one that reads mail."""
        if isinstance(target, smtplib.SMTP) or protocol_of(target) == "GRAPH":
            session: Any = target
            return cls(getattr(session, "connection", None), session, stored=False)
        if protocol := protocol_of(target):
            raise _reads("This session", protocol)
        connection = connections.pick(target, sends=True)  # type: ignore[arg-type]  # what is no session
        require_sending(connection)
        # Of a name alone is it known that it is the stored one.
        return cls(connection, None, stored=not isinstance(target, MailConnection))

    @contextmanager
    def opened(self) -> Iterator[Sender]:
        """An open session; one that was given stays open."""
        if self.session is not None:
            yield self.session
            return
        assert self.connection is not None
        # A link to Graph is for one question.
        with lent_session(self.connection, keep=self.stored and self.connection.protocol == "SMTP") as session:
            yield session


def require_sending(connection: MailConnection) -> None:
    """Raise unless it is a connection that mail is sent by."""
    if not connection.sends:
        raise _reads(connection.name, connection.protocol)


def _reads(what: str, protocol: str) -> OptionError:
    return OptionError(f"{what}: {protocol} reads mail; only {' and '.join(SENDING)} send it.", trait="protocol")


def sender_of(connection: MailConnection | None) -> str:
    """The sender where none is named: the connection's ``from_address``, or its username where that is an address."""
    if connection is None:
        return ""
    resolved = connection.resolved()
    if resolved.sender:
        with resolved.veil.over_errors():
            envelope_address(resolved.sender, what="sender")
    return resolved.sender


def signature_of(connection: MailConnection | None) -> str:
    """What the connection adds to each message; empty where it adds nothing."""
    return "" if connection is None or not connection.signature else connection.resolved().signature


def send_composed(session: Sender, message: EmailMessage, returns: Returns | None = None) -> SendReport:
    """Send a composed message through an open session; returns and raises as :func:`send`."""
    report = delivered(session, message, returns or Returns())
    if not report.ok:
        raise DeliveryError(report)
    return report


def delivered(
    session: Sender,
    message: EmailMessage,
    returns: Returns,
    recipients: Iterable[str] | None = None,
    *,
    copied: bool = False,
) -> SendReport:
    """Send a composed message to these recipients, or to those of its header; ``copied``: no copy of it is to be kept."""
    sender, recipients = envelope_of(message, returns.bounce_to, recipients)
    left = [str(address) for address in once(map(envelope_address, recipients))]
    # Before anything is sent: what is raised after a delivery makes people send again.
    data = wired(message, utf8=False, eight_bit=True)
    outcomes: dict[str, Outcome] = {recipient: Outcome(recipient, "not sent") for recipient in left}
    connection: MailConnection | None = getattr(session, "connection", None)
    copy_to = "" if copied else copy_target(connection)
    taken: list[Wire] = []

    def noted() -> SendReport:
        by = "" if isinstance(session, smtplib.SMTP) else "Graph"
        report = SendReport(message, outcomes.values(), size=len(data), by=by)
        note(report, connection)
        return report

    def once_more(left: list[str]) -> dict[str, Outcome]:
        return attempt(session, message, data, sender, left, request=returns.request, taken=taken.append)

    try:
        _deliver(once_more, outcomes, again=lambda: _may_try_again(session))
    except BaseException:
        if any(each.outcome != "not sent" for each in outcomes.values()):
            with suppress(MailConnWarning):
                noted()
        raise
    # Before the copy is saved, which may be interrupted; and that is, also where warnings are errors.
    try:
        report = noted()
    finally:
        if copy_to and taken:
            keep_copy(copy_to, message, taken[0])
    return report


def _deliver(
    attempted: Callable[[list[str]], dict[str, Outcome]], outcomes: dict[str, Outcome], *, again: Callable[[], bool]
) -> None:
    """Send it to all whom ``outcomes`` names, and keep there what became of it; ``again``: whether there may be another try."""
    left = list(outcomes)
    pauses = iter(_PAUSES)
    while True:
        try:
            outcomes.update(attempted(left))
        except KeyboardInterrupt:
            # Its last byte may have left.
            outcomes.update({name: Outcome(name, "unknown", words="It was interrupted.") for name in left})
            raise
        before, left = left, [recipient for recipient in left if outcomes[recipient].temporary]
        if not left or not again():
            return
        if some := len(left) < len(before):
            pauses = iter(_PAUSES)
        # RFC 5321, 4.5.3.1.10: a server that has enough recipients for one message takes the others with the next one.
        if not (some and all(outcomes[recipient].code == _ENOUGH for recipient in left)):
            pause = next(pauses, None)
            if pause is None:
                return
            time.sleep(pause)


def _may_try_again(session: Sender) -> bool:
    """Whether the session can open itself again, or is still open; one with Graph has waited already."""
    if not isinstance(session, smtplib.SMTP):
        return False
    return session.sock is not None or (isinstance(session, SMTPSession) and session.reopens)


def unsent(message: EmailMessage, recipients: Iterable[str] | None = None) -> SendReport:
    """The report of a dry run."""
    _, recipients = envelope_of(message, None, recipients)
    outcomes = [Outcome(recipient, "not sent") for recipient in dict.fromkeys(recipients)]
    return SendReport(message, outcomes, size=len(wired(message, utf8=False, eight_bit=True)), dry_run=True)
