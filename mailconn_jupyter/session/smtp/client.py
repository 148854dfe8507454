"""An :class:`smtplib.SMTP` whose commands and replies are those of a plain connection, hardened."""

from __future__ import annotations

import inspect
import math
import smtplib
import socket
import threading
from collections.abc import Sequence
from typing import Any, Final

from ...credentials.cell_literal import BY_HAND, tell_of_literal
from ...forks import in_children
from ...message.addresses import Address, envelope_address
from ...secret import STARS, Secret
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import connect_any, look_up
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError
from ..opening.log_in import log_in
from .adapter_smtp import SMTPAdapter
from .connection import Command, SMTPConnection
from .delivering import content_of
from .ehlo import greet
from .envelope import address_line, parameters
from .errors import ExtensionMissing, GreetingRefused, LinkLost, no_smtputf8
from .reply import Reply
from .transaction import send_data

__all__ = ["UNSAID", "SMTPClient"]

#: What :mod:`socket` has for "no timeout was named"; None is another thing: to wait for ever.
UNSAID: Final = inspect.signature(smtplib.SMTP).parameters["timeout"].default

_TIMEOUT = 20.0  # seconds for each answer


def _of_link(name: str) -> Any:
    """An attribute of :mod:`smtplib` that the link keeps."""

    def get(self: SMTPClient) -> Any:
        return getattr(self.link, name)

    def put(self: SMTPClient, value: Any) -> None:
        setattr(self.link, name, value)

    return property(get, put)


class SMTPClient(smtplib.SMTP):
    """The commands of :mod:`smtplib`, each checked before it is sent; ``link`` is the plain connection below.

    ``transcript`` holds the last lines of the conversation, each after ``C:`` or ``S:``, with stars for secrets and for a
    message a count of bytes.
    """

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
        timeout: float | None = UNSAID,
        source_address: tuple[str, int] | None = None,
        *,
        allow_plaintext_password: bool = False,
    ) -> None:
        self.link = SMTPConnection()
        self.link.plain_allowed = allow_plaintext_password
        self._lock = threading.RLock()
        in_children(self._renew_lock)
        seconds: Any = (socket.getdefaulttimeout() or _TIMEOUT) if timeout is UNSAID else timeout
        # A name is given in any case: smtplib would look up this machine's own with socket.getfqdn().
        super().__init__("", 0, local_hostname or "", seconds, source_address)
        self._host = host
        if host:
            code, text = self.connect(host, port)
            if code != 220:
                self.link.close()
                raise GreetingRefused("The server turned this client away", Reply.of(code, text))

    def _renew_lock(self) -> None:
        # A thread that holds it in the parent will never let it go here.
        self._lock = threading.RLock()

    # The link

    @property
    def adapter(self) -> SMTPAdapter:
        """How a session of this protocol is opened."""
        return SMTPAdapter(self.link)

    @property
    def sock(self) -> Any:
        """The channel, which answers what is asked of a socket; None where there is no link."""
        return self.link.sock

    @sock.setter
    def sock(self, sock: Any) -> None:
        if sock is None or isinstance(sock, Channel):
            self.link.sock = sock
        else:
            # What a subclass's own _get_socket has made.
            self.link.attach(Channel(sock, timeout=self._seconds), self._host)

    @property
    def _seconds(self) -> float:
        said: float | None = self.timeout
        return math.inf if said is None else said

    def _get_socket(self, host: str, port: int, timeout: float | None) -> Channel:
        if timeout is not None and not timeout:
            raise ValueError("A timeout of 0 (non-blocking) is not supported.")
        source: Any = self.source_address
        if self.debuglevel > 0:
            self._print_debug("connect: to", (host, port), source)  # type: ignore[attr-defined]  # smtplib's own
        limit = Limit(self._seconds)
        try:
            sock = connect_any(look_up(host, port, limit), limit, source)
        except TransportError as error:
            raise LinkLost(f"{host} port {port}: {error.message}", cause=error.cause) from error
        channel = Channel(sock, timeout=self._seconds)
        self.link.attach(channel, host)
        return channel

    # Commands and replies

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
        """Introduce this side, unless that was done; by HELO only where EHLO is unknown."""
        if self.helo_resp is None and self.ehlo_resp is None:
            greet(self.ehlo, self.helo)

    @property
    def size_limit(self) -> int:
        """Bytes of the largest message that the server takes (RFC 1870); 0 when it does not say."""
        return self.link.size_limit

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

    def _name(self, command: str, address: Address, options: tuple[str, ...]) -> tuple[int, bytes]:
        if address.international and self.command_encoding == "ascii":
            raise no_smtputf8([address], asked=False)
        with self._lock:
            return self.link.command(address_line(command, address, options if self.does_esmtp else ())).pair

    def data(self, msg: Any) -> tuple[int, bytes]:
        """DATA and the message; returns the last reply. Line ends are made CR LF, leading dots doubled."""
        content = content_of(msg)
        with self._lock:
            return send_data(self.link, content).pair

    # Security

    def starttls(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        """Ask for STARTTLS and verify the server's certificate; raises where the server does not offer it.

        Takes no key, certificate or context: which certificates are good is the connection's business (its options).
        """
        if any(given is not None for given in (*args, *kwargs.values())):
            raise ValueError("SMTPSession makes its own TLS context: use the options of a MailConnection.")
        if self.link.channel.tls is not None:
            raise smtplib.SMTPNotSupportedError("The link already uses TLS.")
        self.ehlo_or_helo_if_needed()
        reply = self.link.request_tls()
        self.link.start_tls(TLSPolicy())
        return reply.pair

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """Log in with the strongest mechanism that both sides have, once; ``initial_response_ok`` is ignored."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        tell_of_literal(1, "password", "password", BY_HAND)
        self.ehlo_or_helo_if_needed()
        return log_in(self.adapter, user, secret).pair

    # Ending

    def quit(self) -> tuple[int, bytes]:
        """Say farewell and close; the answer is not awaited for long."""
        return self.link.quit().pair

    def close(self) -> None:
        """Close the link at once; :meth:`quit` says farewell first."""
        self.link.close()
