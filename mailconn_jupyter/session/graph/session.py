"""A session that sends through Microsoft Graph, where SMTP is closed."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterable, Sequence
from email import message_from_bytes, policy
from email.message import Message
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from ...connection import MailConnection
from ...errors import MessageError, warn
from ...formatting import how_large
from ...message.addresses import Address, envelope_address, listed_addresses
from ...message.mime.headers import with_field
from ...message.mime.wire_format import Wire, normalised, wired
from ...transport.http_question import Content
from ..opening.error_classes import DeliveryUnknown, LinkLost
from ..opening.stages import Listener
from ..transcript import Transcript
from .adapter_graph import GraphAdapter, GraphOpening
from .client import GraphClient
from .errors import NoEnvelope
from .large_message import WHOLE, LargeMessage, as_mime

__all__ = ["GraphSession"]

_WHY: Final = (
    "Graph reads sender and recipients from the message's headers; there is no separate envelope. Nothing was sent."
)


class GraphSession:
    """A session with a mailbox that sends, by Microsoft Graph; a context manager. It is no ``smtplib.SMTP``.

    ``GraphSession(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says;
    :func:`mailconn_jupyter.connect` is the short way. It has ``send_message``, ``sendmail``, ``noop`` and ``quit``. Graph
    answers for all recipients at once; Exchange keeps a copy in Sent Items. Threads may share it: a mailbox is asked at
    most three questions at once.

    Needs the extra ``oauth``. Raises :class:`~mailconn_jupyter.errors.OpenError`.
    """

    #: What opens it.
    opening_class = GraphOpening

    def __init__(
        self,
        *,
        connection: MailConnection | None = None,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self.connection = connection
        self.opening: GraphOpening | None = None
        self.client = GraphClient()
        if connection is not None:
            self.opening = GraphOpening(
                connection, listener=listener, cancel=cancel, ask=ask, source_address=source_address
            )
            self.opening.run(self.adapter)

    @property
    def adapter(self) -> GraphAdapter:
        """How a session of this protocol is opened."""
        return GraphAdapter(self.client)

    @property
    def transcript(self) -> Transcript:
        """The questions and what Graph answered, each after ``C:`` or ``S:``, without a secret."""
        return self.client.transcript

    # Sending

    def send_message(
        self,
        msg: Message[Any, Any],
        from_addr: str | None = None,
        to_addrs: str | Iterable[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> dict[str, tuple[int, bytes]]:
        """Send a message to those whom To, Cc and Bcc name; the dict is empty, for Graph refuses for all or for none.

        ``from_addr`` and ``to_addrs`` may say the same as the headers, and nothing else; a message without ``From`` gets
        the connection's ``from_address``. Graph takes Bcc out. One of over 3 MB is made anew by Exchange around the
        bytes of its attachments, with a warning; it needs the permission ``Mail.ReadWrite``.

        Raises before anything is sent :class:`~mailconn_jupyter.errors.MessageError`, of its kind
        :class:`~mailconn_jupyter.session.graph.errors.NoEnvelope`; then
        :class:`~mailconn_jupyter.session.graph.errors.Refused`,
        :class:`~mailconn_jupyter.session.opening.error_classes.LinkLost` where nothing was sent, and
        :class:`~mailconn_jupyter.session.opening.error_classes.DeliveryUnknown` where nobody knows.
        """
        default = self.opening.options.from_address if self.opening is not None else ""
        if default and msg.get("From") is None:
            msg = with_field(msg, "From", default)
        recipients = _named(msg, from_addr, to_addrs, (*mail_options, *rcpt_options))
        return self._deliver(msg, wired(msg, utf8=False, eight_bit=True, bcc=True), recipients)

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Iterable[str],
        msg: bytes | str,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> dict[str, tuple[int, bytes]]:
        """Send a message that is serialised already; returns and raises as :meth:`send_message`."""
        data = msg.encode() if isinstance(msg, str) else bytes(msg)
        message = message_from_bytes(data, policy=policy.default)
        recipients = _named(message, from_addr, to_addrs, (*mail_options, *rcpt_options))
        return self._deliver(message, normalised(data, ended=False), recipients)

    def _deliver(
        self, message: Message[Any, Any], data: Wire | bytes, recipients: tuple[str, ...]
    ) -> dict[str, tuple[int, bytes]]:
        def send(path: str, content: Content | None = None) -> None:
            try:
                self.client.ask("POST", path, content, done=202)
            except LinkLost as error:
                if error.whole_left:
                    raise DeliveryUnknown(recipients, error.message) from error
                raise

        if len(data) <= WHOLE:
            send("/sendMail", as_mime(bytes(data)))
            return {}
        large = LargeMessage.of(message, len(data))
        warn(
            f"The message is {how_large(len(data))}, and Graph takes {how_large(WHOLE)} as it is: Exchange rebuilds it "
            "around the bytes of its attachments."
        )
        large.send(self.client, send)
        return {}

    def noop(self) -> None:
        """Make sure that Graph answers, and that the token may send; raises where not."""
        self.client.noop()

    # Ending

    def quit(self) -> None:
        """End the session, and forget its token. There is nobody to say farewell to."""
        self.client.close()

    def close(self) -> None:
        """The same."""
        self.quit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.quit()

    def __repr__(self) -> str:
        name = f" of {self.connection.name!r}" if self.connection is not None else ""
        return f"<session{name} with Microsoft Graph, not an smtplib.SMTP, {'open' if self.client.ready else 'closed'}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            hint = " A session with Microsoft Graph is not an smtplib.SMTP." if hasattr(smtplib.SMTP, name) else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}.{hint}")


def _named(
    message: Message[Any, Any], sender: str | None, recipients: str | Iterable[str] | None, options: Sequence[str]
) -> tuple[str, ...]:
    """Whom the headers name (RFC 5322, 3.6.3), each once; raises where somebody wants another envelope than that."""
    if options:
        raise NoEnvelope(f"{options[0]!r} is for an envelope.", hint=_WHY)
    if message.get("Resent-Date") or message.get("Resent-To"):
        # Its To names those who have it already.
        raise NoEnvelope("A message that is sent again (Resent-To) does not go to those named in its To.", hint=_WHY)
    named = {each.key: each for name in ("To", "Cc", "Bcc") for each in _listed(message, name)}
    if not named:
        raise MessageError("The message has no recipient.", hint="Name one in To, Cc or Bcc.")
    if recipients is not None:
        asked = [recipients] if isinstance(recipients, str) else list(recipients)
        wanted = {envelope_address(each).key: each for each in asked}
        if stranger := next((each for key, each in wanted.items() if key not in named), None):
            raise NoEnvelope(f"{stranger} is in none of To, Cc and Bcc.", hint=_WHY)
        if left_out := next((each for key, each in named.items() if key not in wanted), None):
            raise NoEnvelope(f"{left_out} is in the message's headers, and would receive it too.", hint=_WHY)
    if sender is not None:
        own = next(iter([*_listed(message, "Sender"), *_listed(message, "From")]), None)
        given = envelope_address(sender, what="sender", empty=True)
        if own is not None and given.key != own.key:
            raise NoEnvelope(f"The sender {str(given) or '<>'} is not that of the message, {own}.", hint=_WHY)
    return tuple(map(str, named.values()))


def _listed(message: Message[Any, Any], name: str) -> list[Address]:
    found = [each for value in message.get_all(name, []) for each in listed_addresses(name, value)]
    return [envelope_address(each) for each in found]
