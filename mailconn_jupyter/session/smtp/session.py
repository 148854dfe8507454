"""An SMTP session that opens as its connection says, and is an :class:`smtplib.SMTP` in full."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from email.message import Message
from typing import Any

from ...connection import MailConnection
from ...errors import OpenError
from ...formatting import how_large
from ...message.mime.wire_format import Wire
from ...transport.channel import Channel
from ...transport.transport_errors import TransportError
from ..opening.adapter import Adapter
from ..opening.over_network import Opening
from ..opening.stages import Listener
from .errors import LinkLost, Refused, open_error
from .transaction import Envelope, SMTPTransaction, envelope_of, warn_of

__all__ = ["SMTPSession"]

_IDLE = 5.0  # seconds after which a NOOP makes sure that the server is still there


class SMTPSession(SMTPTransaction):
    """A session with a mail server, usable wherever an ``smtplib.SMTP`` is: same constructor, same methods.

    ``SMTPSession(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, ready; :func:`mailconn_jupyter.connect` is the short way. Such a session stays usable: when the
    server has hung up since the last message, it opens again before the next one, never within one. Threads that share
    it take turns.

    Without a connection it behaves as ``smtplib.SMTP`` does, except that TLS verifies certificates, replies are bounded
    in size and time, addresses and headers are checked, and a password is not sent over plain text unless
    ``allow_plaintext_password`` is on (loopback excepted).

    ``timeout`` is in seconds, for each answer (20 by default). Raises
    :class:`~mailconn_jupyter.errors.OpenError`, which is also the class of smtplib that fits.
    """

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        timeout: float | None = None,
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
        seconds = timeout if timeout is not None else connection.timeout if connection else 20.0
        super().__init__(
            "" if connection else host,
            port,
            local_hostname,
            seconds,
            source_address,
            allow_plaintext_password=allow_plaintext_password,
        )
        if connection is not None:
            self._open(listener=listener, cancel=cancel, ask=ask)

    def _open(
        self, *, listener: Listener | None = None, cancel: threading.Event | None = None, ask: bool = True
    ) -> None:
        assert self.connection is not None
        self.opening = Opening(self.connection, listener=listener, cancel=cancel, ask=ask, source_address=self._source)
        self.opening.run(self)

    # The steps of an opening

    protocol = "SMTP"

    #: What opens it.
    opening_class = Opening

    @property
    def adapter(self) -> Adapter:
        return self

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        self._take(channel)
        self._host = connection.server_host
        self._plain_allowed = connection.allow_plaintext_password
        # A message is checked for spam and viruses before the last reply; RFC 5321, 4.5.3.2.6 would wait ten minutes.
        self.message_patience = max(connection.timeout, connection.deadline)

    def _read_greeting(self) -> None:
        try:
            code, text = self.getreply()
        except LinkLost as error:
            if error.cause in {"bad-reply", "too-long"}:
                raise TransportError(
                    f"The server's greeting is not one. {error.message}", cause="bad-greeting"
                ) from error
            raise
        if code != 220:
            raise Refused("The server does not want to talk", code, text)

    def ask_for_tls(self) -> None:
        self._read_greeting()
        self.ehlo()
        self._request_tls()

    def greet(self, *, greeted: bool) -> dict[str, str]:
        if not greeted:
            self._read_greeting()
        self._forget_greeting()
        code, text = self.ehlo()
        if not 200 <= code < 300:
            code, text = self.helo()
            if not 200 <= code < 300:
                raise Refused("The server refuses to be greeted", code, text)
        facts = {"Server says": text.decode("utf-8", "replace").split("\n")[0]}
        if self.esmtp_features:
            facts["Capabilities"] = ", ".join(sorted(key.upper() for key in self.esmtp_features))
        if mechanisms := self.mechanisms():
            facts["Mechanisms"] = ", ".join(mechanisms)
        return facts

    def ready(self, *, testing: bool) -> dict[str, str]:
        # After a login, or the greeting, it would cost a round trip and prove nothing.
        if testing:
            code, text = self.noop()
            if not 200 <= code < 300:
                raise Refused("The server is not ready", code, text)
        limit = self.size_limit
        return {"Largest message": how_large(limit) if limit else "not said"}

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return open_error(error, origin)

    # Staying usable

    def _refresh(self) -> None:
        """Before a message: open again what the server has closed since the last one."""
        if self.connection is None or self.ended:
            return
        channel = self.sock
        if isinstance(channel, Channel) and not channel.hung_up:
            if time.monotonic() - self._last_reply < _IDLE:
                return
            with contextlib.suppress(LinkLost):
                if self.noop()[0] == 250:
                    return
        self.close()
        self._open(ask=False)

    def _transact(self, envelope: Envelope, data: Wire) -> dict[str, tuple[int, bytes]]:
        with self._lock:
            self._refresh()
            try:
                return super()._transact(envelope, data)
            except LinkLost as error:
                # Up to MAIL nothing has begun: the server may have hung up while the command was on its way.
                if not error.before_message or self.connection is None or self.ended:
                    raise
            self.close()
            self._open(ask=False)
            return super()._transact(envelope, data)

    # Sending

    def sendmail(  # type: ignore[override]  # accepts what smtplib accepts, written more plainly
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: bytes | str,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> dict[str, tuple[int, bytes]]:
        """Send a message that is serialised already; returns the recipients that were refused, with the server's words.

        Raises :class:`~mailconn_jupyter.errors.MessageError` before anything is sent, and the errors of
        :mod:`~mailconn_jupyter.session.smtp.errors`, each also the class of smtplib that fits. A message that some
        recipients were refused is delivered to the others, with a warning that names the refused.
        """
        recipients = [to_addrs] if isinstance(to_addrs, str) else list(to_addrs)
        envelope, refused = self._deliver_bytes(from_addr, recipients, msg, mail_options, rcpt_options)
        warn_of(envelope, refused)
        return refused

    def send_message(
        self,
        msg: Message[Any, Any],
        from_addr: str | None = None,
        to_addrs: str | Sequence[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> dict[str, tuple[int, bytes]]:
        """Send a message; sender and recipients are its own (or its ``Resent-`` ones) where none are given.

        A message without ``From`` gets the connection's ``from_address``. Bcc is not sent. Returns and raises as
        :meth:`sendmail`.
        """
        envelope, refused = self._deliver_own(msg, from_addr, to_addrs, mail_options, rcpt_options)
        warn_of(envelope, refused)
        return refused

    def deliver(
        self, msg: Message[Any, Any], from_addr: str | None = None, to_addrs: str | Sequence[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        """:meth:`send_message` for a caller that looks at what is returned: nothing warns of those who were refused."""
        return self._deliver_own(msg, from_addr, to_addrs, (), ())[1]

    def _deliver_own(
        self,
        msg: Message[Any, Any],
        from_addr: str | None,
        to_addrs: str | Sequence[str] | None,
        mail_options: Sequence[str],
        rcpt_options: Sequence[str],
    ) -> tuple[Envelope, dict[str, tuple[int, bytes]]]:
        default = self.connection.resolved().from_address if self.connection is not None else ""
        sender, recipients = envelope_of(msg, from_addr, to_addrs, default=default)
        return self._deliver_message(msg, sender, recipients, mail_options, rcpt_options, default=default)
