"""A server that takes every message and keeps it: what was really delivered, to be compared with what was said."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.loop_thread import LoopServer

__all__ = ["CountingServer", "Fickle", "Moody", "Taken", "Watched"]

# What breaks off in the midst is what these tests are about; no news.
logging.getLogger("mail.log").addHandler(logging.NullHandler())
logging.getLogger("mail.log").propagate = False


@dataclass(frozen=True)
class Taken:
    """A message that the server has answered for with 250."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class CountingServer(LoopServer):
    """An SMTP server on loopback, by aiosmtpd, in a thread; a context manager.

    ``taken`` is what it took, in order. With ``tls`` it speaks TLS from the first byte.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__("counting")
        self.taken: list[Taken] = []
        self._tls = tls

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        content = envelope.original_content or b""
        self.taken.append(Taken(envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        return "250 2.0.0 counted"

    def _link(self) -> Any:
        return SMTP(self, hostname="mail.test", enable_SMTPUTF8=True, loop=self._loop, auth_require_tls=False)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._link, self.host, 0, ssl=self._tls)


class Fickle(CountingServer):
    """Gives these answers to the first recipients and messages, and then takes everything."""

    def __init__(self, *, rcpt: tuple[str, ...] = (), data: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._rcpt, self._data = list(rcpt), list(data)
        self.asked: list[str] = []

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        answer = self._rcpt.pop(0) if self._rcpt else "250 ok"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # the same
        answer = self._data.pop(0) if self._data else "250"
        return answer if not answer.startswith("250") else await super().handle_DATA(server, session, envelope)


class Watched(CountingServer):
    """Counts the sessions that were ``opened``, and those that said farewell (``quits``)."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.opened = self.quits = 0
        self.left = threading.Event()
        self.links: list[Any] = []

    def _link(self) -> Any:
        self.opened += 1
        self.links.append(super()._link())
        return self.links[-1]

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        self.quits += 1
        self.left.set()
        return "221 bye"

    def hang_up(self) -> None:
        """Close every link, without a word."""

        async def close() -> None:
            for link in self.links:
                if link.transport is not None:
                    link.transport.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)


class Moody(Watched):
    """Answers as the first recipient's name asks: ``gone`` 550; ``grey`` 450 the first time it comes; ``close`` 421.

    With ``crowd`` it takes that many sessions at a time, and turns away further ones: with a 421 for a greeting, as Postfix
    does, or where ``crowd_at_mail`` is on with Exchange's 432 to MAIL.
    """

    def __init__(self, *, crowd: int = 1000, crowd_at_mail: bool = False) -> None:
        super().__init__()
        self._crowd, self._at_mail = crowd, crowd_at_mail
        self._open: set[object] = set()
        self._seen: set[str] = set()
        self.turned_away = 0
        #: The recipients, in the order in which they were asked for.
        self.asked: list[str] = []

    def _link(self) -> Any:
        self._open = {link for link in self._open if link.transport is not None and not link.transport.is_closing()}  # type: ignore[attr-defined]
        if len(self._open) >= self._crowd and not self._at_mail:
            self.turned_away += 1
            return _TurnedAway()
        self._open.add(link := super()._link())
        return link

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._at_mail and self.links.index(server) >= self._crowd:
            self.turned_away += 1
            return "432 4.3.2 Concurrent connections limit exceeded"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 ok"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        name = address.partition("@")[0].rstrip("0123456789")
        if name == "gone":
            return "550 5.1.1 nobody of that name"
        if name == "grey" and address not in self._seen:
            self._seen.add(address)
            return "450 4.2.0 greylisted"
        if name == "close":
            server.transport.write(b"421 4.4.2 closing\r\n")  # type: ignore[union-attr]
            server.transport.close()  # type: ignore[union-attr]
            return "421 4.4.2 closing"
        envelope.rcpt_tos.append(address)
        return "250 ok"


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.7.0 mail.test Error: too many connections from 127.0.0.1\r\n")
        transport.close()
