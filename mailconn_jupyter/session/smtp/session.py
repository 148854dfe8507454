"""An SMTP session that opens as its connection says, and is an :class:`smtplib.SMTP` in full."""

from __future__ import annotations

import contextlib
import smtplib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.message import Message
from types import TracebackType
from typing import Any

from ...connection import MailConnection
from ...errors import MailConnError, OpenError, warn
from ...message.mime.headers import with_field
from ...message.mime.wire_format import Wire, wired
from ...transport.deadline import Limit
from ..opening.over_network import Opening
from ..opening.stages import Listener
from .client import UNSAID, SMTPClient
from .connection import CLOSING
from .delivering import content_of, transact, warn_of
from .envelope import Envelope, Parameters, envelope_of
from .errors import LinkLost, Refused, SenderRefused
from .reply import Reply
from .status_request import NO_NOTICES
from .transaction import Refusals

__all__ = ["SMTPSession"]

_IDLE = 5.0  # seconds after which a NOOP makes sure that the server is still there
_LOGIN_FIRST = 530  # RFC 4954, 6


class SMTPSession(SMTPClient):
    """A session with a mail server, usable wherever an ``smtplib.SMTP`` is: same constructor, same methods.

    ``SMTPSession(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, ready; :func:`mailconn_jupyter.connect` is the short way. Such a session stays usable: when the
    server has hung up since the last message, it opens again before the next one, never within one. Threads that share
    it take turns.

    Without a connection it behaves as ``smtplib.SMTP`` does, except that TLS verifies certificates, replies are bounded
    in size and time, addresses and headers are checked, and a password is not sent over plain text unless
    ``allow_plaintext_password`` is on (loopback excepted).

    ``timeout`` is in seconds, for each answer (20, or what ``socket.setdefaulttimeout`` says, by default; None: without
    end). Raises :class:`~mailconn_jupyter.errors.OpenError`, which is also the class of smtplib that fits.
    """

    #: What opens it.
    opening_class = Opening

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        timeout: float | None = UNSAID,
        source_address: tuple[str, int] | None = None,
        *,
        connection: MailConnection | None = None,
        allow_plaintext_password: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        patient: bool = True,
    ) -> None:
        self.connection = connection
        self.opening: Opening | None = None
        #: Whether quit(), close() or the end of a ``with`` block has ended the session for good.
        self.ended = False
        #: Whether many messages are on their way (:func:`~mailconn_jupyter.session.smtp.pipeline.post`): no other may be.
        self.posting = False
        self._source = source_address
        self._told_of_no_notices = False
        self._turns = 0
        if connection is not None:
            host, timeout = "", connection.timeout if timeout is UNSAID else timeout
        allowed = allow_plaintext_password
        super().__init__(host, port, local_hostname, timeout, source_address, allow_plaintext_password=allowed)
        if connection is not None:
            self._open(listener=listener, cancel=cancel, ask=ask, patient=patient)

    def _open(
        self, *, listener: Listener | None = None, cancel: threading.Event | None, ask: bool, patient: bool
    ) -> None:
        assert self.connection is not None
        self.opening = Opening(
            self.connection,
            listener=listener,
            cancel=cancel,
            ask=ask,
            source_address=self._source,
            patient=patient,
        )
        self.opening.run(self.adapter)
        # What is sent from now on is not cut by what calls an opening off.
        self.link.channel.limit = Limit()

    # Staying usable

    def _renew_lock(self) -> None:
        super()._renew_lock()
        self._turns = 0
        self.posting = False

    @property
    def reopens(self) -> bool:
        """Whether it opens itself again when the link is gone."""
        return self.connection is not None and not self.ended

    @contextlib.contextmanager
    def turn(self, *, cancel: threading.Event | None = None, patient: bool = True) -> Iterator[None]:
        """One message of one thread, on a link that is there and greeted.

        Where it has to open again for that, setting ``cancel`` ends the opening; without ``patient`` it is tried once.
        """
        with self._lock:
            if self.posting:
                raise MailConnError(
                    "A batch of messages is on its way over this session.", hint="Use another one in the meantime."
                )
            if not self._turns:
                self._refresh(cancel, patient=patient)
            self._turns += 1
            try:
                self.ehlo_or_helo_if_needed()
                yield
            finally:
                self._turns -= 1

    def _refresh(self, cancel: threading.Event | None, *, patient: bool) -> None:
        """Open again what the server has closed since the last message."""
        if self.reopens and not self.still_there():
            self._reopen(cancel, patient=patient)

    def still_there(self) -> bool:
        """Whether the link is there, as far as can be known before the next message; after a silence the server is asked."""
        channel = self.link.sock
        if channel is None or channel.hung_up:
            return False
        if time.monotonic() - self.link.last_reply < _IDLE:
            return True
        with contextlib.suppress(LinkLost):
            return self.noop()[0] != CLOSING
        return False

    def _reopen(self, cancel: threading.Event | None = None, *, patient: bool) -> None:
        self.link.close()
        try:
            self._open(cancel=cancel, ask=False, patient=patient)
        except OpenError as error:
            # A login that was refused is not tried again by itself, nor one too early: accounts are locked for that.
            passing = getattr(error, "temporary", False) or error.cause == "sign-in-unreachable"
            again = passing and error.cause != "rate-limited"
            self.ended = error.stage == "authenticate" and not again
            raise

    # Sending

    def sendmail(  # type: ignore[override]  # accepts what smtplib accepts, written more plainly
        self,
        from_addr: str,
        to_addrs: str | Iterable[str],
        msg: bytes | str | Wire,
        mail_options: Sequence[str] = (),
        rcpt_options: Parameters = (),
    ) -> Refusals:
        """Send a message that is serialised already; returns the recipients that were refused, with the server's words.

        Names without a domain are addresses too: a local relay completes them. ``rcpt_options`` are for every
        recipient, or a mapping of recipient to its own.

        Raises :class:`~mailconn_jupyter.errors.MessageError` before anything is sent, and the errors of
        :mod:`~mailconn_jupyter.session.smtp.errors`, each also the class of smtplib that fits. A message for which some
        recipients were refused is delivered to the others, with a warning that names the refused.
        """
        recipients = [to_addrs] if isinstance(to_addrs, str) else to_addrs
        envelope = Envelope.of(from_addr, recipients, mail_options, rcpt_options, local=True)
        content = content_of(msg)
        with self.turn():
            refused = self._transact(envelope, content)
        warn_of(envelope, refused)
        return refused

    def send_message(
        self,
        msg: Message[Any, Any],
        from_addr: str | None = None,
        to_addrs: str | Iterable[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Parameters = (),
    ) -> Refusals:
        """Send a message; sender and recipients are its own (or its ``Resent-`` ones) where none are given.

        A message without ``From`` gets the connection's ``from_address``. Bcc is not sent. Returns and raises as
        :meth:`sendmail`.
        """
        options = self.opening.options if self.opening is not None else None
        default = options.from_address if options is not None else ""
        try:
            sender, recipients = envelope_of(msg, from_addr, to_addrs, default=default)
        except MailConnError as error:
            if options is not None:
                options.veil.error(error)
            raise
        if default and msg.get("From") is None:
            msg = with_field(msg, "From", default)
        envelope = Envelope.of(sender, recipients, mail_options, rcpt_options, local=True)
        own = getattr(self.sendmail, "__func__", None) is not _SENDMAIL
        with self.turn():
            envelope, data = self.serialised(envelope, msg)
            if own:
                # Whoever has a sendmail of their own has the message as bytes; a large attachment is not copied for that.
                content = data if data.in_pieces else bytes(data)
                return self.sendmail(sender, recipients, content, envelope.parameters, rcpt_options)
            refused = self._transact(envelope, data)
        warn_of(envelope, refused)
        return refused

    def transact(
        self,
        envelope: Envelope,
        msg: Message[Any, Any],
        *,
        taken: Callable[[Wire], object] = bool,
        written: Wire | None = None,
    ) -> Refusals:
        """Send a message for a caller that looks at what is returned, and tries again by itself.

        Nothing warns of those who were refused, and where the session has to open again, that is tried once. ``taken`` is
        given what the server has accepted for somebody. ``written`` is the message with 8-bit parts and without SMTPUTF8,
        where the caller has it already.
        """
        with self.turn(patient=False):
            envelope, data = self.serialised(envelope, msg, written)
            refused = self._transact(envelope, data, patient=False)
            taken(data)
            return refused

    def serialised(
        self, envelope: Envelope, message: Message[Any, Any], written: Wire | None = None
    ) -> tuple[Envelope, Wire]:
        """The message as this server can have it, and what MAIL is to ask for then."""
        if envelope.request is not None and not self.has_extn("dsn") and not self._told_of_no_notices:
            self._told_of_no_notices = True
            warn(NO_NOTICES)
        utf8, eight_bit = envelope.international, self.has_extn("8bitmime")
        if written is not None and eight_bit and not utf8:
            data = written
        else:
            data = wired(message, utf8=utf8, eight_bit=eight_bit)
        if envelope.international or data.international:
            envelope = envelope.asking_for("SMTPUTF8", "BODY=8BITMIME")
        return envelope, data

    def _transact(self, envelope: Envelope, data: Wire, *, patient: bool = True) -> Refusals:
        try:
            return transact(self.link, envelope, data)
        except (LinkLost, SenderRefused) as error:
            # Up to MAIL nothing has begun: the server may have hung up while the command was on its way.
            untouched = error.before_message if isinstance(error, LinkLost) else self.login_is_over(error.smtp_code)
            if not untouched or not self.reopens:
                raise
        self._reopen(patient=patient)
        return transact(self.link, envelope, data)

    def login_is_over(self, code: int) -> bool:
        """Whether a reply with this code asks for a new login: with some servers, a session ends with its token."""
        return code == _LOGIN_FIRST and self.connection is not None and self.connection.signs_in

    # Ending

    def quit(self) -> tuple[int, bytes]:
        """Say farewell and close, for good; the reply is not awaited for long."""
        self.ended = True
        return super().quit()

    def close(self) -> None:
        """Close the link at once, for good; :meth:`quit` says farewell first."""
        self.ended = True
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            code, text = self.quit()
            # With a connection it is no error: what was sent is the server's, and nobody should send it again.
            if code != 221 and self.connection is None and kind is None:
                raise Refused("The server did not end the session when asked", Reply.of(code, text))
        except smtplib.SMTPServerDisconnected:
            # The server has hung up first; nothing is lost by it.
            pass
        finally:
            self.close()


_SENDMAIL = SMTPSession.sendmail
