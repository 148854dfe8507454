"""A POP3 session that opens as its connection says, and is a :class:`poplib.POP3` in full."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from ...connection import MailConnection
from ...errors import OpenError, OptionError
from ...formatting import how_large
from ...transport.channel import Channel
from ...transport.dial import a_label
from ...transport.sasl.choose import Mechanism
from ...transport.transport_errors import readable
from ..opening.run_stages import Opening
from ..opening.stages import Listener
from .client import POP3Client
from .errors import LinkLost, Refused, open_error

__all__ = ["POP3Session"]

_AHEAD = 32  # commands whose answers may still be to come
_FAREWELL = 2.0  # seconds for the answer to QUIT, where nothing is to be deleted


class POP3Session(POP3Client):
    """A session with a mailbox, usable wherever a ``poplib.POP3`` is: same methods, same constructor.

    ``POP3Session(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, ready; :func:`mailconn_jupyter.connect` is the short way. As a context manager it ends with QUIT,
    and only then does the server delete what ``dele()`` has marked; when the block raises, nothing is deleted.

    Without a connection it behaves as ``poplib.POP3`` does, except that TLS verifies certificates, answers are bounded in
    size and time, arguments with a CR, an LF or a NUL are refused, and a password is not sent over plain text unless
    ``allow_plaintext_password`` is on (loopback excepted).

    ``timeout`` is in seconds, for each answer (20 by default). With a connection an answer may take, after the opening,
    its timeout or its deadline, whichever is longer. Raises
    :class:`~mailconn_jupyter.errors.OpenError`, which is also a ``poplib.error_proto``.
    """

    def __init__(
        self,
        host: str = "",
        port: int = 110,
        timeout: float | None = None,
        *,
        connection: MailConnection | None = None,
        allow_plaintext_password: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        if connection is not None and connection.protocol != "POP3":
            raise OptionError(f"{connection.name}: the protocol is {connection.protocol}, not POP3.", trait="protocol")
        self.connection = connection
        self.opening: Opening | None = None
        self._marked = False
        self._patience = 60.0
        self.plain_allowed = allow_plaintext_password
        super().__init__("" if connection else host, port, timeout or 20.0, source_address)
        if connection is None:
            return
        self.opening = Opening(connection, listener=listener, cancel=cancel, ask=ask, source_address=source_address)
        self.opening.run(self)

    # The steps of an opening

    def _attach(self, channel: Channel, connection: MailConnection) -> None:
        self.take(channel, a_label(connection.server_host))
        self.port = int(connection.port or 0)
        self.plain_allowed = connection.allow_plaintext_password
        self._patience = max(connection.timeout, connection.deadline)

    def _ask_for_tls(self) -> None:
        self.read_greeting()
        self.request_tls()

    def _greet(self, *, greeted: bool) -> dict[str, str]:
        facts = {}
        if not greeted:
            self.read_greeting()
            facts["Server says"] = readable(self.welcome[3:].strip())
        offered = self.learn()
        capabilities = [" ".join([name, *words]) for name, words in offered.items() if name != "SASL"]
        facts["Capabilities"] = ", ".join(capabilities) or "not said"
        if mechanisms := self.mechanisms():
            facts["Mechanisms"] = ", ".join(mechanisms)
        return facts

    def _mechanisms(self) -> list[str]:
        return self.mechanisms()

    def _login_with(self, mechanism: Mechanism) -> str:
        return self.login_with(mechanism)

    def _ready(self) -> dict[str, str]:
        if not self.known:
            return {"Messages": "not asked for without a login"}
        count, size = self.stat()
        # To list a large mailbox takes longer than to greet.
        self.channel.settimeout(self._patience)
        return {"Messages": str(count), "Size": how_large(size)}

    def _failure(self, error: OpenError, origin: Exception) -> OpenError:
        return open_error(error, origin)

    # Reading

    def retrieve(self, numbers: Iterable[int], lines: int | None = None) -> Iterator[tuple[int, list[bytes]]]:
        """Messages by their numbers, one by one: the number and its lines without their ends.

        With ``lines`` only the header and so many lines of the body (TOP). Where the server can (PIPELINING), several
        are asked for at once. Use the last one up, or close the iterator, before the next command. Raises
        :class:`~mailconn_jupyter.session.pop3.errors.Refused` for one that the server does not give.
        """
        most = _AHEAD if "PIPELINING" in self.learn() else 1
        waiting = iter(numbers)
        self._settle()
        asked = self._asked
        try:
            while True:
                while len(asked) < most and (number := next(waiting, None)) is not None:
                    self.say(f"RETR {number}".encode() if lines is None else f"TOP {number} {lines}".encode())
                    asked.append(number)
                if not asked:
                    return
                number = asked.popleft()
                yield number, self._getlongresp()[1]
        finally:
            self._settle()

    def _settle(self) -> None:
        """Read what was asked for and is not wanted: it must not be taken for the answer to something else."""
        while self._asked:
            self._asked.popleft()
            if self.sock is not None:
                with contextlib.suppress(Refused, LinkLost):
                    self._getlongresp()

    # Ending

    def dele(self, which: Any) -> bytes:
        """Mark a message as deleted; it is deleted when the session ends with :meth:`quit`."""
        answer: bytes = super().dele(which)
        self._marked = True
        return answer

    def rset(self) -> bytes:
        """Take back all marks."""
        answer: bytes = super().rset()
        self._marked = False
        return answer

    def quit(self) -> bytes:
        """End the session: the server deletes what was marked, and the link is closed.

        Raises when messages were marked and the server does not say that it has deleted them.
        """
        self._settle()
        try:
            if not self._marked:
                self.channel.settimeout(_FAREWELL)
            self.say(b"QUIT")
            return self._getresp()
        except LinkLost:
            if self._marked:
                raise
            # The server has hung up first; nothing is lost by it.
            return b"+OK"
        finally:
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None and self.sock is not None:
            self.quit()
        else:
            self.close()
