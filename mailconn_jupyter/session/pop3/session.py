"""A POP3 session that opens as its connection says, and is a :class:`poplib.POP3` in full."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterable, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Self

from ...connection import MailConnection
from ..opening.over_network import Opening
from ..opening.stages import Listener
from .adapter_pop3 import POP3Adapter
from .client import POP3Client
from .errors import LinkLost, MailboxChanged, Refused

__all__ = ["POP3Session"]

_AHEAD = 32  # commands whose answers may still be to come


class POP3Session(POP3Client):
    """A session with a mailbox, usable wherever a ``poplib.POP3`` is: same methods, same constructor.

    ``POP3Session(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, ready; :func:`mailconn_jupyter.connect` is the short way. As a context manager it ends with QUIT,
    and only then does the server delete what ``dele()`` has marked; when the block raises, nothing is deleted.

    Without a connection it behaves as ``poplib.POP3`` does, except that TLS verifies certificates, answers are bounded in
    size and time, arguments with a CR, an LF or a NUL are refused, and a password is not sent over plain text unless
    ``allow_plaintext_password`` is on (loopback excepted).

    ``timeout`` is in seconds, for each answer (20 by default). With a connection an answer may take, after the opening,
    its timeout or its deadline, whichever is longer; messages have the time that their bytes take, besides. ``cancel``
    ends an answer after the opening, too. With a connection, a process that is forked from this one has a link of its own.

    Raises :class:`~mailconn_jupyter.errors.OpenError`, which is also a ``poplib.error_proto``.
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
        self.connection = connection
        self.opening: Opening | None = None
        self._marked = False
        self.plain_allowed = allow_plaintext_password
        super().__init__("" if connection else host, port, timeout or 20.0, source_address)
        if connection is None:
            return
        self.opening = Opening(connection, listener=listener, cancel=cancel, ask=ask, source_address=source_address)
        self.opening.run(self.adapter)

    def reopen(self) -> None:
        """Open a link of this process's own. Messages have the numbers that they had in the parent's, or it raises."""
        if self.connection is None:
            super().reopen()
        assert self.connection is not None
        before, self._marked = self.told, False
        self.opening = Opening(self.connection, ask=False, source_address=self._source)
        self.opening.run(self.adapter)
        if self.told != before:
            raise MailboxChanged(
                "The mailbox has changed since another process opened this session: its message numbers now mean "
                "other messages.",
                hint="List the messages again. Nothing was sent.",
            )

    #: What opens it.
    opening_class = Opening

    @property
    def adapter(self) -> POP3Adapter:
        """How a session of this protocol is opened."""
        return POP3Adapter(self)

    # Reading

    def retrieve(
        self, numbers: Iterable[int], lines: int | None = None, *, sizes: Mapping[int, int] | None = None
    ) -> Generator[tuple[int, list[bytes]], None, None]:
        """Messages by their numbers, one by one: the number and its lines without their ends.

        With ``lines`` only the header and so many lines of the body (TOP). Where the server can (PIPELINING), several
        are asked for at once. ``sizes`` are those of LIST: where an answer is shorter, it is made sure that the next one is
        the next. Use the last one up, or close the iterator, before the next command. Raises
        :class:`~mailconn_jupyter.session.pop3.errors.Refused` for one that the server does not give.
        """
        self.own()
        self.require_login("RETR" if lines is None else "TOP")
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
                number = asked[0]
                try:
                    _, got, octets = self.long_answer(of_message=True)
                    if sizes is not None and lines != 0 and octets < sizes.get(number, 0):
                        got += self.undoubled(sizes[number] - octets, idle=len(asked) == 1)
                finally:
                    if asked:
                        asked.popleft()
                yield number, got
        finally:
            self._settle()

    def _settle(self) -> None:
        """Read what was asked for and is not wanted: it must not be taken for the answer to something else."""
        while self._asked:
            self._asked.popleft()
            if self.sock is not None and not self.sock.forked:
                with contextlib.suppress(Refused, LinkLost):
                    self.long_answer(of_message=True)

    # Ending

    def dele(self, which: Any) -> bytes:
        """Mark a message as deleted; it is deleted when the session ends with :meth:`quit`."""
        answer: bytes = super().dele(which)
        self._marked = True
        return answer

    def mark_deleted(self, numbers: Iterable[int]) -> None:
        """:meth:`dele` for many messages, several at once where the server can (PIPELINING)."""
        self.own()
        self.require_login("DELE")
        self._settle()
        most = _AHEAD if "PIPELINING" in self.learn() else 1
        waiting = iter(numbers)
        while some := list(islice(waiting, most)):
            refusals = []
            try:
                for place, number in enumerate(some):
                    self.say(f"DELE {number}".encode(), ahead=place > 0)
                for _ in some:
                    try:
                        self._getresp()
                        self._marked = True
                    except Refused as error:
                        refusals.append(error)
            except BaseException:
                # What is still to come would be taken for the answer to something else.
                self.close()
                raise
            if refusals:
                raise refusals[0]

    def rset(self) -> bytes:
        """Take back all marks."""
        answer: bytes = super().rset()
        self._marked = False
        return answer

    def quit(self) -> bytes:
        """End the session: the server deletes what was marked, and the link is closed.

        Raises when messages were marked and the server does not say that it has deleted them.
        """
        if self.sock is not None and self.sock.forked:
            # Neither the link nor what was marked over it is this process's.
            self.close()
            return b"+OK"
        self._settle()
        try:
            if not self._marked:
                self.channel.begin_farewell()
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
