"""An SMTP session that opens as its connection says, and is an :class:`smtplib.SMTP` in full."""

from __future__ import annotations

import contextlib
import copy
import inspect
import math
import smtplib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from email.message import Message
from types import TracebackType
from typing import Any, Final

from ...connection import MailConnection
from ...errors import OpenError
from ...message.addresses import envelope_address
from ...message.mime.wire_format import Wire, wired
from ...secret import STARS, Secret
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import connect_any, look_up
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError
from ..opening.log_in import log_in
from ..opening.over_network import Opening
from ..opening.stages import Listener
from .adapter_smtp import SMTPAdapter
from .connection import CLOSING, Command, SMTPConnection, greet
from .envelope import Envelope, Parameters, address_line, envelope_of, parameters
from .errors import ExtensionMissing, LinkLost, Refused, no_smtputf8
from .reply import Reply
from .transaction import content_of, send_data, transact, warn_of

__all__ = ["SMTPSession"]

_IDLE = 5.0  # seconds after which a NOOP makes sure that the server is still there
_TIMEOUT = 20.0  # seconds for each answer
# What socket has for "no timeout was named"; None is another thing: to wait for ever.
_UNSAID: Final = inspect.signature(smtplib.SMTP).parameters["timeout"].default


def _of_link(name: str) -> Any:
    """An attribute of :mod:`smtplib` that the link keeps."""

    def get(self: SMTPSession) -> Any:
        return getattr(self.link, name)

    def put(self: SMTPSession, value: Any) -> None:
        setattr(self.link, name, value)

    return property(get, put)


class SMTPSession(smtplib.SMTP):
    """A session with a mail server, usable wherever an ``smtplib.SMTP`` is: same constructor, same methods.

    ``SMTPSession(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, ready; :func:`mailconn_jupyter.connect` is the short way. Such a session stays usable: when the
    server has hung up since the last message, it opens again before the next one, never within one. Threads that share
    it take turns.

    Without a connection it behaves as ``smtplib.SMTP`` does, except that TLS verifies certificates, replies are bounded
    in size and time, addresses and headers are checked, and a password is not sent over plain text unless
    ``allow_plaintext_password`` is on (loopback excepted).

    ``timeout`` is in seconds, for each answer (20 by default, or what ``socket.setdefaulttimeout`` says; None: none).
    ``link`` is the plain connection below; ``transcript`` holds the last lines of the conversation, each after ``C:`` or
    ``S:``, with stars for secrets and a count of bytes for a message. Raises
    :class:`~mailconn_jupyter.errors.OpenError`, which is also the class of smtplib that fits.
    """

    sock = _of_link("sock")
    esmtp_features = _of_link("features")
    does_esmtp = _of_link("esmtp")
    ehlo_resp = _of_link("ehlo_text")
    helo_resp = _of_link("helo_text")
    local_hostname = _of_link("name")
    debuglevel = _of_link("debuglevel")
    transcript = _of_link("transcript")

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        timeout: float | None = _UNSAID,
        source_address: tuple[str, int] | None = None,
        *,
        connection: MailConnection | None = None,
        allow_plaintext_password: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
    ) -> None:
        self.connection = connection
        self.opening: Opening | None = None
        #: Whether quit(), close() or the end of a ``with`` block has ended the session for good.
        self.ended = False
        self.link = SMTPConnection()
        self.link.plain_allowed = allow_plaintext_password
        self._lock = threading.RLock()
        self._turns = 0
        if timeout is _UNSAID:
            timeout = connection.timeout if connection else socket.getdefaulttimeout() or _TIMEOUT
        # A name is given in any case: smtplib would look up this machine's own with socket.getfqdn().
        super().__init__("", 0, local_hostname or "", timeout, source_address)  # type: ignore[arg-type]  # None, too
        if connection is not None:
            self._open(listener=listener, cancel=cancel, ask=ask)
        elif host:
            code, text = self.connect(host, port)
            if code != 220:
                self.close()
                raise smtplib.SMTPConnectError(code, text)

    def _open(
        self, *, listener: Listener | None = None, cancel: threading.Event | None = None, ask: bool = True
    ) -> None:
        assert self.connection is not None
        source: Any = self.source_address
        self.opening = Opening(self.connection, listener=listener, cancel=cancel, ask=ask, source_address=source)
        self.opening.run(self.adapter)

    #: What opens it.
    opening_class = Opening

    @property
    def adapter(self) -> SMTPAdapter:
        """How a session of this protocol is opened."""
        return SMTPAdapter(self.link)

    def _get_socket(self, host: str, port: int, timeout: float | None) -> Channel:
        if timeout is not None and not timeout:
            raise ValueError("A timeout of 0, which is not to wait at all, is not supported.")
        if self.debuglevel > 0:
            self._print_debug("connect: to", (host, port), self.source_address)  # type: ignore[attr-defined]  # smtplib's
        seconds = math.inf if timeout is None else timeout
        limit = Limit(seconds)
        source: Any = self.source_address
        try:
            sock = connect_any(look_up(host, port, limit), limit, source)
        except TransportError as error:
            raise LinkLost(f"{host} port {port}: {error.message}", cause=error.cause) from error
        channel = Channel(sock, timeout=seconds)
        self.link.attach(channel, host)
        return channel

    # The conversation, as smtplib has it

    def send(self, s: Any) -> None:
        """Send text or bytes as they are."""
        self.link.write_raw(s.encode(self.command_encoding) if isinstance(s, str) else bytes(s))

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command; :meth:`getreply` has the reply to it."""
        self.link.write(Command((f"{cmd} {args}" if args else cmd).encode(self.command_encoding)))

    def getreply(self) -> tuple[int, bytes]:
        """The server's reply: its code, and its text with the lines joined by a line feed (RFC 5321, 4.2).

        Raises when the reply is not one, is longer than any server's, or is not whole within the timeout; the session
        is closed then, for what follows on the link could be anything.
        """
        return self.link.read_reply().pair

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        """Send a command, and return the reply; threads take turns."""
        with self._lock:
            return super().docmd(cmd, args)

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        """Introduce this side, and learn what the server offers."""
        with self._lock:
            return self.link.ehlo(name, self.ehlo_msg).pair

    def helo(self, name: str = "") -> tuple[int, bytes]:
        """Introduce this side to a server that knows no extensions."""
        with self._lock:
            return self.link.helo(name).pair

    def ehlo_or_helo_if_needed(self) -> None:
        """Introduce this side, unless that was done; HELO only where EHLO is unknown."""
        if self.helo_resp is None and self.ehlo_resp is None:
            greet(self.ehlo, self.helo)

    @property
    def size_limit(self) -> int:
        """Bytes of the largest message that the server takes (RFC 1870); 0 when it does not say."""
        return self.link.size_limit

    def starttls(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        """Ask for STARTTLS and verify the server's certificate; raises where the server does not offer it.

        Takes no key, certificate or context: which certificates are good is the connection's business (its options).
        """
        if any(given is not None for given in (*args, *kwargs.values())):
            raise ValueError("SMTPSession makes its own TLS context: use the options of a MailConnection.")
        if self.link.channel.tls is not None:
            raise smtplib.SMTPNotSupportedError("The link is TLS already.")
        self.ehlo_or_helo_if_needed()
        reply = self.link.request_tls()
        self.link.start_tls(TLSPolicy())
        return reply.pair

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """Log in with the strongest mechanism that both sides have, once; ``initial_response_ok`` is ignored."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        self.ehlo_or_helo_if_needed()
        return log_in(self.adapter, user, secret).pair

    # Staying usable

    @property
    def reopens(self) -> bool:
        """Whether it opens itself again when the link is gone."""
        return self.connection is not None and not self.ended

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """One message of one thread, on a link that is there and introduced."""
        with self._lock:
            if not self._turns:
                self._refresh()
            self._turns += 1
            try:
                self.ehlo_or_helo_if_needed()
                yield
            finally:
                self._turns -= 1

    def _refresh(self) -> None:
        """Open again what the server has closed since the last message."""
        if not self.reopens:
            return
        channel = self.link.sock
        if channel is not None and not channel.hung_up:
            if time.monotonic() - self.link.last_reply < _IDLE:
                return
            with contextlib.suppress(LinkLost):
                if self.noop()[0] != CLOSING:
                    return
        self._reopen()

    def _reopen(self) -> None:
        self.link.close()
        try:
            self._open(ask=False)
        except OpenError as error:
            # A login that was refused is not tried again by itself: accounts are locked for that.
            self.ended = error.stage == "authenticate" and not getattr(error, "temporary", False)
            raise

    # One message

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """MAIL, with an address that is checked (:func:`~mailconn_jupyter.message.addresses.envelope_address`)."""
        address = envelope_address(sender, what="sender", empty=True, local=True)
        given = parameters(options)
        utf8 = any(each.upper() == "SMTPUTF8" for each in given)
        if utf8 and self.does_esmtp and not self.has_extn("smtputf8"):
            raise ExtensionMissing("The server does not offer SMTPUTF8.", hint="Nothing was sent.")
        self.command_encoding = "utf-8" if utf8 else "ascii"
        return self._name("mail from", address, given)

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """RCPT, with an address that is checked."""
        return self._name("rcpt to", envelope_address(recip, local=True), parameters(options))

    def _name(self, command: str, address: Any, options: tuple[str, ...]) -> tuple[int, bytes]:
        if address.international and self.command_encoding == "ascii":
            raise no_smtputf8([address], asked=False)
        line = address_line(command, address, options if self.does_esmtp else ())
        with self._lock:
            return self.link.command(line).pair

    def data(self, msg: Any) -> tuple[int, bytes]:
        """DATA and the message; returns the last reply. Line ends are made CR LF, leading dots doubled."""
        content = content_of(msg)
        with self._lock:
            return send_data(self.link, content).pair

    def sendmail(  # type: ignore[override]  # accepts what smtplib accepts, written more plainly
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: bytes | str | Wire,
        mail_options: Sequence[str] = (),
        rcpt_options: Parameters = (),
    ) -> dict[str, tuple[int, bytes]]:
        """Send a message that is serialised already; returns the recipients that were refused, with the server's words.

        ``rcpt_options`` are for every recipient, or a mapping of recipient to its own. Names without a domain are
        addresses too: a local relay completes them.

        Raises :class:`~mailconn_jupyter.errors.MessageError` before anything is sent, and the errors of
        :mod:`~mailconn_jupyter.session.smtp.errors`, each also the class of smtplib that fits. A message that some
        recipients were refused is delivered to the others, with a warning that names the refused.
        """
        recipients = [to_addrs] if isinstance(to_addrs, str) else to_addrs
        envelope = Envelope.of(from_addr, recipients, mail_options, rcpt_options, local=True)
        content = content_of(msg)
        with self._turn():
            refused = self._transact(envelope, content)
        warn_of(envelope, refused)
        return refused

    def send_message(
        self,
        msg: Message[Any, Any],
        from_addr: str | None = None,
        to_addrs: str | Sequence[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Parameters = (),
    ) -> dict[str, tuple[int, bytes]]:
        """Send a message; sender and recipients are its own (or its ``Resent-`` ones) where none are given.

        A message without ``From`` gets the connection's ``from_address``. Bcc is not sent. Returns and raises as
        :meth:`sendmail`.
        """
        default = self.connection.resolved().from_address if self.connection is not None else ""
        sender, recipients = envelope_of(msg, from_addr, to_addrs, default=default)
        envelope = Envelope.of(sender, recipients, mail_options, local=True)
        with self._turn():
            envelope, data = self._serialised(envelope, msg, default)
            # As bytes, for whoever has a sendmail of their own; a large attachment is not copied for that.
            content = data if data.in_pieces else bytes(data)
            return self.sendmail(sender, recipients, content, envelope.parameters, rcpt_options)

    def transact(self, envelope: Envelope, msg: Message[Any, Any]) -> dict[str, tuple[int, bytes]]:
        """:meth:`send_message` for a caller that looks at what is returned: nothing warns of those who were refused."""
        with self._turn():
            return self._transact(*self._serialised(envelope, msg))

    def _serialised(self, envelope: Envelope, message: Message[Any, Any], default: str = "") -> tuple[Envelope, Wire]:
        if default and message.get("From") is None:
            message = copy.copy(message)
            message["From"] = default
        data = wired(message, utf8=envelope.international, eight_bit=self.has_extn("8bitmime"))
        if envelope.international or data.international:
            envelope = envelope.asking_for("SMTPUTF8", "BODY=8BITMIME")
        return envelope, data

    def _transact(self, envelope: Envelope, data: Wire) -> dict[str, tuple[int, bytes]]:
        try:
            return transact(self.link, envelope, data)
        except LinkLost as error:
            # Up to MAIL nothing has begun: the server may have hung up while the command was on its way.
            if not error.before_message or not self.reopens:
                raise
        self._reopen()
        return transact(self.link, envelope, data)

    # Ending

    def quit(self) -> tuple[int, bytes]:
        """Say farewell and close; the answer is not awaited for long."""
        self.ended = True
        return self.link.quit().pair

    def close(self) -> None:
        """Close the link at once; :meth:`quit` says farewell first."""
        self.ended = True
        self.link.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            code, text = self.quit()
            # With a connection it is no error: what was sent is the server's, and nobody should send it again.
            if code != 221 and self.connection is None and kind is None:
                raise Refused("The server does not end the session as it was asked to", Reply.of(code, text))
        except smtplib.SMTPServerDisconnected:
            # The server has hung up first; nothing is lost by it.
            pass
        finally:
            self.close()
