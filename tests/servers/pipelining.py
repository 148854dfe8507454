"""A server that takes many commands and contents at once, and counts what it took.

Postfix does, but counts nothing, and cannot be made to break off where a test wants; aiosmtpd offers neither PIPELINING nor
CHUNKING. So this one keeps to the letter: commands are carried out in their order (RFC 2920, 3.2), RSET ends a transaction,
MAIL within one is out of sequence (RFC 5321, 4.1.4), BDAT takes its bytes whatever its answer, and after one that failed
nothing but RSET helps (RFC 3030, 2).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence

from tests.servers.counting import Taken
from tests.servers.loop_thread import LoopServer

__all__ = ["BOTH", "GROUPED", "PipeliningServer"]

GROUPED = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1000000")
BOTH = (*GROUPED, "CHUNKING")


class PipeliningServer(LoopServer):
    """Speaks SMTP on loopback, in a thread; a context manager. ``taken`` is what it took, in order.

    It offers ``offers``, and after STARTTLS ``offers_in_tls``; with ``tls`` and no STARTTLS among them it is TLS from the
    first byte. Who is called ``gone``, ``grey`` or ``close`` is answered 550, 450 or 421. ``answer`` may have another
    answer to a line (``BDAT`` and ``.`` stand for a content), ``go_on`` says 354 to nobody, too, as RFC 2920 allows.
    After ``most_errors`` it hangs up, as Postfix does. With ``buffers`` the system keeps no more bytes for it than so many.
    """

    def __init__(
        self,
        offers: Sequence[str] = BOTH,
        *,
        tls: ssl.SSLContext | None = None,
        offers_in_tls: Sequence[str] | None = None,
        answer: Callable[[str], str | None] = lambda _: None,
        go_on: bool = False,
        most_errors: int = 1000,
        buffers: int = 0,
    ) -> None:
        super().__init__("pipelining")
        self.taken: list[Taken] = []
        #: Every line that came, without its end; contents are counted as ``(123 bytes)``.
        self.lines: list[str] = []
        self.offers, self.offers_in_tls = offers, offers if offers_in_tls is None else offers_in_tls
        self.answer, self.go_on, self.most_errors = answer, go_on, most_errors
        self._tls, self._buffers = tls, buffers
        self._links = 0
        self._quiet = threading.Event()
        self._quiet.set()

    @property
    def tls(self) -> ssl.SSLContext | None:
        return self._tls

    async def _listen(self) -> asyncio.Server:
        at_once = self._tls if "STARTTLS" not in self.offers else None
        listener = socket.create_server((self.host, 0))
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF) if self._buffers else ():
            listener.setsockopt(socket.SOL_SOCKET, option, self._buffers)
        return await asyncio.start_server(self._serve, sock=listener, ssl=at_once)

    def wait(self) -> None:
        """Until every link has ended, and with it all that came over it was carried out."""
        assert self._quiet.wait(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links += 1
        self._quiet.clear()
        try:
            # A link that breaks, or hangs up in the midst of a line or a content.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await _Link(self, reader, writer).run()
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()
            self._links -= 1
            if not self._links:
                self._quiet.set()


class _Link:
    """One client."""

    def __init__(self, server: PipeliningServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.failed = self.secure = False
        self.errors = 0

    async def say(self, reply: str) -> None:
        self.errors += reply[:1] in "45"
        if self.writer.is_closing():
            raise ConnectionAbortedError
        self.writer.write(f"{reply}\r\n".encode())
        await self.writer.drain()
        if reply.startswith("421"):
            # To close with commands unread would be a reset, and on some systems the client would never see the reply.
            await self.reader.read()
            raise ConnectionAbortedError

    async def run(self) -> None:
        await self.say("220 mail.test ESMTP")
        while True:
            line = (await self.reader.readuntil(b"\n")).decode().rstrip("\r\n")
            self.server.lines.append(line)
            verb, _, rest = line.partition(" ")
            carry_out = getattr(self, f"do_{verb.lower()}", None)
            said = self.server.answer(line)
            if verb.upper() == "BDAT":
                await self.do_bdat(rest)
            elif said is not None:
                await self.say(said)
            elif carry_out is None:
                await self.say("500 5.5.2 what?")
            else:
                await carry_out(rest)
            if self.errors > self.server.most_errors:
                await self.say("421 4.7.0 mail.test Error: too many errors")
            if verb.lower() == "quit":
                return

    async def do_ehlo(self, _: str) -> None:
        offers = self.server.offers_in_tls if self.secure else self.server.offers
        *more, last = ["mail.test", *offers]
        await self.say("\r\n".join([*(f"250-{each}" for each in more), f"250 {last}"]))

    async def do_starttls(self, _: str) -> None:
        await self.say("220 2.0.0 go ahead")
        await self.writer.start_tls(self.server.tls)  # type: ignore[arg-type]  # there where it is offered
        self.secure = True

    async def do_noop(self, _: str) -> None:
        await self.say("250 2.0.0 ok")

    async def do_quit(self, _: str) -> None:
        await self.say("221 2.0.0 bye")

    async def do_rset(self, _: str) -> None:
        self.end()
        await self.say("250 2.0.0 ok")

    def end(self) -> None:
        self.sender, self.recipients, self.failed = None, [], False

    async def do_mail(self, rest: str) -> None:
        if self.sender is not None or self.failed:
            return await self.say("503 5.5.1 nested MAIL command")
        self.sender = rest.partition("<")[2].partition(">")[0]
        return await self.say("250 2.1.0 ok")

    async def do_rcpt(self, rest: str) -> None:
        address = rest.partition("<")[2].partition(">")[0]
        if self.sender is None or self.failed:
            return await self.say("503 5.5.1 need MAIL command")
        refusal = {"gone": "550 5.1.1 no such user", "grey": "450 4.2.0 greylisted", "close": "421 4.3.2 bye"}
        said = refusal.get(re.split("[.@]", address)[0])
        if said is None:
            self.recipients.append(address)
        return await self.say(said or "250 2.1.5 ok")

    async def do_data(self, _: str) -> None:
        if not self.recipients and not self.server.go_on:
            return await self.say("554 5.5.1 no valid recipients")
        await self.say("354 go")
        content = b""
        while not content.endswith(b"\r\n.\r\n") and content != b".\r\n":
            content += await self.reader.readuntil(b"\n")
        await self.take(content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."), ".")
        self.end()
        return None

    async def do_bdat(self, rest: str) -> None:
        content = await self.reader.readexactly(int(rest.split(maxsplit=1)[0]))
        if not self.recipients or self.failed:
            self.failed = True
            return await self.say("503 5.5.1 no valid recipients")
        if await self.take(content, "BDAT"):
            self.end()
        else:
            self.failed = True
        return None

    async def take(self, content: bytes, what: str) -> bool:
        self.server.lines.append(f"({len(content)} bytes)")
        said = self.server.answer(what) or ("250 2.0.0 taken" if self.recipients else "554 5.5.1 no valid recipients")
        if said.startswith("250"):
            self.server.taken.append(Taken(self.sender or "", tuple(self.recipients), content))
        await self.say(said)
        return said.startswith("250")
