"""The wire of an SMTP session: commands, replies and TLS of an :class:`smtplib.SMTP`, hardened."""

from __future__ import annotations

import smtplib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import a_label, connect_any, look_up
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError, readable
from .errors import LinkLost, NotOffered, Refused

__all__ = ["STARS", "SMTPWire"]

_LONGEST_LINE = 8192  # what smtplib takes; RFC 5321 asks for 512
_MOST_LINES = 1000  # of one reply; EHLO of large servers has some 20
_TRANSCRIPT = 1000  # lines that are kept
STARS = "********"


class SMTPWire(smtplib.SMTP):
    """What :class:`~mailconn_jupyter.session.smtp.session.SMTPSession` speaks with.

    ``transcript`` holds the last lines of the conversation, each after ``C:`` or ``S:``; secrets are stars in it, and
    messages a count of bytes.
    """

    _host: str  # smtplib's: the name that a certificate must bear

    def __init__(
        self,
        host: str,
        port: int,
        local_hostname: str | None,
        timeout: float,
        source_address: tuple[str, int] | None,
        *,
        allow_plaintext_password: bool,
    ) -> None:
        self.transcript: deque[str] = deque(maxlen=_TRANSCRIPT)
        self._lock = threading.RLock()
        self._named = local_hostname is not None
        self._source = source_address
        self._plain_allowed = allow_plaintext_password
        self._last_reply = time.monotonic()
        self._patience: float | None = None
        # Within a login: puts stars where the server repeats what was sent, as some do in an error.
        self._hide: Callable[[bytes], bytes] | None = None
        self._challenged = False
        # A name is given in any case: smtplib would look up this machine's own with socket.getfqdn().
        super().__init__(
            host, port, local_hostname=local_hostname or "localhost", timeout=timeout, source_address=source_address
        )

    # The wire, in place of smtplib's

    @property
    def _channel(self) -> Channel:
        if not isinstance(self.sock, Channel):
            raise smtplib.SMTPServerDisconnected("The session is closed.")
        return self.sock

    def _take(self, channel: Channel) -> None:
        self.sock = channel  # type: ignore[assignment]  # it has the methods of a socket that smtplib uses
        self.file = None
        self._forget_greeting()
        if not self._named:
            # RFC 5321, 4.1.3: the client's address stands for its name where that is not known to be right.
            address = str(channel.getsockname()[0]).partition("%")[0]
            self.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def _forget_greeting(self) -> None:
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def _get_socket(self, host: str, port: int, timeout: float) -> Channel:
        limit = Limit(timeout)
        try:
            sock = connect_any(look_up(host, port, limit), limit, self._source)
        except TransportError as error:
            raise LinkLost(f"{host} port {port}: {error.message}", cause=error.cause) from error
        channel = Channel(sock, timeout=timeout)
        self._take(channel)
        return channel

    def _lost(self, error: Exception) -> NoReturn:
        self.close()
        if isinstance(error, TransportError):
            raise LinkLost(error.message, cause=error.cause, hint=error.hint) from error
        raise LinkLost(f"The link broke ({error}).", cause="closed") from error

    def send(self, s: Any) -> None:
        """Send text or bytes as they are."""
        self._send(s.encode(self.command_encoding) if isinstance(s, str) else s)

    def _send(self, data: bytes, shown: str = "", more: Iterable[bytes] = ()) -> None:
        if not shown:
            # Also where somebody drives smtplib's own auth(): the answer to a challenge is never shown.
            verb, *rest = data.split(None, 2) or [b""]
            if self._challenged:
                shown = STARS
            elif verb.upper() == b"AUTH" and len(rest) > 1:
                shown = f"AUTH {readable(rest[0])} {STARS}"
            else:
                shown = readable(data, 500)
        self._note("C", shown)
        channel = self._channel
        # A reply to a question that was not asked yet would be taken for the answer to this one. A 421 may come unasked.
        unasked = channel.buffered()
        if unasked and not unasked.startswith(b"421"):
            words = readable(unasked, 60)
            self._lost(TransportError(f"The server said something unasked: {words!r}.", cause="bad-reply"))
        try:
            channel.sendall(data)
            for block in more:
                channel.sendall(block)
        except OSError as error:
            self._lost(error)

    def getreply(self) -> tuple[int, bytes]:
        """The server's reply: its code, and its text with the lines joined by a line feed (RFC 5321, 4.2).

        Raises when the reply is not one, is longer than any server's, or is not whole within the timeout; the session
        is closed then, for what follows on the link could be anything.
        """
        channel = self._channel
        channel.begin_answer(self._patience)
        lines: list[bytes] = []
        while True:
            try:
                line = channel.readline(_LONGEST_LINE)
            except OSError as error:
                self._lost(error)
            except BaseException:
                # Interrupted: the reply that is still to come would be taken for the answer to something else.
                self.close()
                raise
            self._challenged = line.startswith(b"334")
            if self._hide is not None and not self._challenged:
                line = self._hide(line)
            # With the challenges of SCRAM, a password could be guessed at leisure.
            self._note("S", f"334 {STARS}" if self._challenged else readable(line, 500))
            if not line.endswith(b"\n"):
                self._lost(TransportError("The server closed the link.", cause="closed"))
            if not line[:3].isdigit() or line[3:4] not in b" -\r\n":
                said = readable(line, 60)
                self._lost(TransportError(f"The server's reply is not one of SMTP: {said!r}.", cause="bad-reply"))
            lines.append(line[4:].strip(b" \t\r\n"))
            if line[3:4] != b"-":
                self._last_reply = time.monotonic()
                return int(line[:3]), b"\n".join(lines)
            if len(lines) >= _MOST_LINES:
                self._lost(TransportError(f"A reply has over {_MOST_LINES} lines.", cause="too-long"))

    def _note(self, who: str, said: str) -> None:
        line = f"{who}: {said}"
        self.transcript.append(line)
        if self.debuglevel > 0:
            print(line, file=sys.stderr)  # noqa: T201  # set_debuglevel() asks for it, and smtplib prints there

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        """Send a command, and return the reply; threads take turns."""
        with self._lock:
            return super().docmd(cmd, args)

    # TLS

    def starttls(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        """Ask for STARTTLS and verify the server's certificate; raises where the server does not offer it.

        Takes no key, certificate or context: which certificates are good is the connection's business (its options).
        """
        if any(given is not None for given in (*args, *kwargs.values())):
            raise ValueError("SMTPSession makes its own TLS context: use the options of a MailConnection.")
        if self._channel.tls is not None:
            raise smtplib.SMTPNotSupportedError("The link is TLS already.")
        self.ehlo_or_helo_if_needed()
        reply = self._request_tls()
        try:
            self._channel.start_tls(TLSPolicy(), a_label(self._host))
        except TransportError as error:
            self._lost(error)
        self._forget_greeting()
        return reply

    def _request_tls(self) -> tuple[int, bytes]:
        if not self.has_extn("starttls"):
            raise NotOffered(
                "The server does not offer STARTTLS, so the link would stay plain text.",
                stage="secure",
                cause="no-starttls",
            )
        code, text = self.docmd("STARTTLS")
        if code != 220:
            raise Refused("The server offers STARTTLS and then refuses it", code, text, cause="starttls-refused")
        return code, text

    #: Whether quit() or the end of a ``with`` block has ended the session for good.
    ended = False

    def quit(self) -> tuple[int, bytes]:
        """Say farewell and close. What was sent is the server's already, so its answer is not awaited for long."""
        if isinstance(self.sock, Channel):
            self.sock.begin_farewell()
        self.ended = True
        return super().quit()

    def __exit__(self, *args: object) -> None:
        try:
            self.quit()
        except smtplib.SMTPException:
            # The server has hung up first; nothing is lost by it.
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the link at once; :meth:`quit` says farewell first."""
        sock, self.sock = self.sock, None
        self._forget_greeting()
        if sock is not None:
            sock.close()
