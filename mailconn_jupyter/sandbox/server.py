"""The mail server of the sandbox: SMTP on loopback, with required STARTTLS and a login, in a thread of its own.

The only module that needs aiosmtpd (the extra ``sandbox``). Its ``Controller`` is not used: that cannot have the system
choose the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ..credentials import Secret
from .inbox import Inbox
from .self_signed import make_context

__all__ = ["HOST", "MailServer"]

HOST: Final = "127.0.0.1"

LARGEST: Final = 35_000_000
"""The size of message that it takes, in bytes; about what the large providers do."""

_PATIENCE: Final = 5.0
# Each link costs the kernel a descriptor, of which some systems give a process 256.
_MOST_LINKS: Final = 50
_BEFORE_LOGIN: Final = 20.0  # seconds without a word of a client that has not logged in

# Without a handler Python prints the server's warnings into whichever cell runs; who configures logging still gets them.
logging.getLogger("mail.log").addHandler(logging.NullHandler())
_log = logging.getLogger(__name__)


class MailServer:
    """A server that runs from its making to :meth:`close`; what it accepts goes into ``inbox``.

    ``ident`` is part of its greeting, so that others can tell it from whatever else may answer on the port.
    """

    def __init__(self, inbox: Inbox, *, username: str, secret: Secret, ident: str) -> None:
        self._inbox = inbox
        self._username = username
        self._secret = secret
        self._ident = ident
        self._links: set[_Link] = set()
        self._tls, self.sha256 = make_context()
        self._loop = asyncio.new_event_loop()
        # A client that hangs up in the midst of a handshake is no news for a notebook.
        self._loop.set_exception_handler(lambda _loop, context: _log.debug("sandbox: %s", context.get("message")))
        self._thread = threading.Thread(target=self._loop.run_forever, name="mailconn-sandbox", daemon=True)
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(_PATIENCE)
        except BaseException:
            self._end_loop()
            raise
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _open(self) -> asyncio.Server:
        return await self._loop.create_server(self._answer, HOST, 0)

    def _answer(self) -> _Link:
        return _Link(
            self._links,
            _Handler(self._inbox),
            loop=self._loop,
            tls_context=self._tls,
            authenticator=self._authenticate,
            ident=self._ident,
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object
    ) -> AuthResult:
        # With handled=True, the default, aiosmtpd would leave the client without an answer.
        refused = AuthResult(success=False, handled=False)
        if not isinstance(login, LoginPassword):
            return refused
        same_user = hmac.compare_digest(login.login, self._username.encode())
        same_secret = hmac.compare_digest(login.password, self._secret.reveal().encode())
        return AuthResult(success=True) if same_user and same_secret else refused

    def close(self) -> None:
        """Stop listening, hang up on everybody and end the thread. A second call does nothing."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(TimeoutError, RuntimeError):
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(_PATIENCE)
        self._end_loop()

    async def _hang_up(self) -> None:
        self._server.close()
        for link in list(self._links):
            link.abort()
        # The transports say goodbye to their sockets in the loop's next rounds.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            self._loop.close()


class _Session(Session):
    # aiosmtpd sets this one at each login, and warns that nobody should.
    login_data: Any = None


class _Link(SMTP):
    """One client's link to the server."""

    def __init__(
        self,
        links: set[_Link],
        handler: _Handler,
        *,
        loop: asyncio.AbstractEventLoop,
        tls_context: ssl.SSLContext,
        authenticator: Callable[[SMTP, Session, Envelope, str, Any], AuthResult],
        ident: str,
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident=ident,
            tls_context=tls_context,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticator,
            loop=loop,
        )
        self._links = links

    def _create_session(self) -> Session:
        return _Session(self.loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # After STARTTLS it is made once more.
        if len(self._links) >= _MOST_LINKS and self not in self._links:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(b"421 4.3.2 The sandbox has too many connections\r\n")
            transport.close()
            return
        self._links.add(self)
        super().connection_made(transport)

    @property
    def _known(self) -> bool:
        return self.session is not None and bool(self.session.authenticated)

    def _reset_timeout(self, duration: float | None = None) -> None:
        self._stranger = not self._known
        super()._reset_timeout(duration or (_BEFORE_LOGIN if self._stranger else None))

    def _timeout_cb(self) -> None:
        # The clock was set when the login began.
        if self._stranger and self._known:
            self._reset_timeout()
        else:
            super()._timeout_cb()  # type: ignore[no-untyped-call]  # aiosmtpd does not say

    def connection_lost(self, error: Exception | None) -> None:
        self._links.discard(self)
        # After a failed handshake aiosmtpd calls this itself, and asyncio does once more.
        if self.transport is not None:
            super().connection_lost(error)

    def abort(self) -> None:
        """Hang up at once."""
        for transport in (self.transport, self._original_transport):
            if isinstance(transport, asyncio.WriteTransport):
                # Python 3.11.2, which is Debian 12's, raises where a link with TLS has been closed twice.
                with contextlib.suppress(AttributeError):
                    transport.abort()


class _Handler:
    """What to do with a message, and with an error of the server's own."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        kept = self._inbox.deliver(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.original_content or b"")
        return "250 2.0.0 Kept in the sandbox" if kept else "452 4.3.1 The sandbox's inbox is full"

    async def handle_exception(self, error: Exception) -> str:
        _log.debug("sandbox: %s", type(error).__name__)
        return f"451 4.3.0 The sandbox failed ({type(error).__name__})"
