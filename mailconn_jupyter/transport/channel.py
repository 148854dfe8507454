"""A socket with a clock and a cap: what every protocol reads from and writes to."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..forks import in_children
from .certificate import Certificate
from .deadline import READ, SLOWEST, WRITE, Limit
from .dial import is_loopback
from .tls import TLSFacts, TLSPolicy, explain, hung_up
from .transport_errors import TransportError

__all__ = ["Channel"]

T = TypeVar("T")
_CHUNK = 65536
_FAREWELL = 2.0  # seconds for the answer to a farewell
_MOST_UNREAD = 8 * 1024 * 1024  # bytes that are read while others are written
# Linux alone has it, and forgets it: what came is acknowledged at once, so that Nagle's algorithm there holds nothing back.
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Channel:
    """A connected socket, plain or TLS, on which nothing waits for ever and no line grows without bound.

    It has the methods that :mod:`smtplib`, :mod:`imaplib`, :mod:`poplib` and :mod:`http.client` use of a socket and of
    its file (``sendall``, ``readline``, ``read``, ``makefile``, ``close``), so it stands where their socket stands.

    ``timeout`` is the time in seconds for one answer, from :meth:`begin_answer` on, or for one chunk that is sent;
    ``limit`` goes over everything, as long as it is set.
    """

    def __init__(self, sock: socket.socket, *, timeout: float, limit: Limit | None = None) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._buffer = bytearray()
        self._eof = self._closed = self._busy = False
        #: Whether this process was forked from the one that has the link.
        self.forked = False
        self.timeout = timeout
        self.limit = limit or Limit()
        self._whole = self._answer = self.limit.within(timeout)
        #: How many bytes the socket has taken. While it is being asked, and after an interrupt then, the most it may have.
        self.handed = 0
        self.tls: TLSFacts | None = None
        self.through_proxy = False
        in_children(self._let_go)

    def _let_go(self) -> None:
        # Neither a farewell nor TLS's close_notify: the link is the parent's. What TLS keeps of it is not freed either, for
        # a thread of the parent's may have been at work in it.
        self._parents, self._sock = self._sock, socket.socket()
        self._sock.close()
        with contextlib.suppress(OSError):
            os.close(self._parents.detach())
        self._buffer.clear()
        self._eof = self._closed = self.forked = True
        self._busy = False

    # The clock

    def begin_answer(self, timeout: float | None = None) -> None:
        """Start the clock of the next answer: it must be whole after so many seconds, however it dribbles in."""
        self._whole = self._answer = self.limit.within(self.timeout if timeout is None else timeout)

    def begin_farewell(self) -> None:
        """What follows is a courtesy: it is not awaited for long, and a cancel does not stop it."""
        self.timeout, self.limit = min(self.timeout, _FAREWELL), Limit()

    def allow_for(self, size: int) -> None:
        """Give the answer the time that so many bytes of a message, which have come, take on the slowest link.

        For the next ones it still waits no longer than the timeout.
        """
        self._whole.extend(size / SLOWEST)
        self._answer = self._whole.within(self.timeout)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Not to count while the caller does something else, in the middle of an answer."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._whole.extend(time.monotonic() - started)
            self.allow_for(0)

    def _retry(self, operation: Callable[[], T], waiting_for: int, limit: Limit) -> T:
        self._busy = True
        try:
            while not self._closed:
                try:
                    return operation()
                except (BlockingIOError, InterruptedError):
                    events = waiting_for
                except ssl.SSLWantReadError:
                    events = READ
                except ssl.SSLWantWriteError:
                    events = WRITE
                if events == WRITE and waiting_for == WRITE:
                    self._wait_to_write(limit)
                else:
                    self._acknowledge()
                    limit.wait(self._sock, events)
        except OSError:
            # What a socket says that another thread has shut depends on the moment.
            if not self._closed:
                raise
        finally:
            self._busy = False
            if self._closed:
                self._sock.close()
        raise self.closed_here()

    def _wait_to_write(self, limit: Limit) -> None:
        """Read meanwhile: a server that nobody listens to may stop to listen itself, and each would wait for the other."""
        reads = not self._eof and len(self._buffer) < _MOST_UNREAD
        if limit.wait(self._sock, READ | WRITE if reads else WRITE) & READ:
            self._take_in()

    def _acknowledge(self) -> None:
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):  # not TCP, or reset already
                self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def closed_here(self) -> TransportError:
        """What is said of a link that was closed on this side."""
        if self.forked:
            return TransportError(
                "This session belongs to another process: it was opened before this one was forked.",
                cause="forked",
                hint="Open a session in each process: mailconn.connect(...)",
            )
        return TransportError("The link was closed from this side.", cause="closed")

    # Reading

    def _fill(self) -> bool:
        """Read what is there into the buffer; False at the end of the stream."""
        self._answer.left()
        if self.forked:
            raise self.closed_here()
        if self._eof:
            return False
        try:
            chunk = self._retry(lambda: self._sock.recv(_CHUNK), READ, self._answer)
        except (ConnectionError, ssl.SSLError):
            chunk = b""
        self._eof = not chunk
        self._buffer += chunk
        return bool(chunk)

    def readline(self, size: int = 8192) -> bytes:
        """One line with its end; what is left of one at the end of the stream; an error when it is over ``size``."""
        # Also where it lies in the buffer already: who never stops talking is never waited for.
        self._answer.left()
        cap = size if size >= 0 else math.inf
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0 and (searched := len(self._buffer)) < cap:
            if not self._fill():
                end = len(self._buffer) - 1
                break
        else:
            if end < 0 or end >= cap:
                raise TransportError(f"The server sent a line of more than {size} bytes.", cause="too-long")
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def take(self, size: int) -> bytes:
        """Exactly ``size`` bytes of the answer that was begun, fewer only at the end of the stream."""
        self._answer.left()
        while len(self._buffer) < size and self._fill():
            pass
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def read(self, size: int = -1) -> bytes:
        """As of a file: ``size`` bytes, or all that comes; the clock starts anew with each chunk, for it may be long."""
        self.begin_answer()
        while (size < 0 or len(self._buffer) < size) and self._fill():
            self.begin_answer()
        return self.take(len(self._buffer) if size < 0 else size)

    def buffered(self) -> bytes:
        """What the server has sent without being asked: read, but not yet taken, or waiting in the socket."""
        self._take_in()
        return bytes(self._buffer)

    def _take_in(self) -> None:
        """Read what is there, without waiting."""
        if not self._eof:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                try:
                    chunk = self._sock.recv(_CHUNK)
                except OSError as error:
                    if isinstance(error, (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)):
                        raise
                    chunk = b""
                self._eof = not chunk
                self._buffer += chunk

    def read_no_more(self) -> None:
        """Take in what is there, and let that be the end: the link is broken, and what was said before still counts."""
        before = -1
        while before < len(self._buffer) < _MOST_UNREAD:
            before = len(self._buffer)
            self._take_in()
        self._eof = True

    @property
    def hung_up(self) -> bool:
        """Whether the server has closed the link, or said something unasked, which is its farewell; does not wait."""
        return bool(self.buffered()) or self._eof

    @property
    def at_end(self) -> bool:
        """Whether the server has closed the link, as far as :meth:`buffered` has seen."""
        return self._eof

    # Writing

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it; each chunk of 64 KiB must leave whole within the timeout, so that no reader stretches it."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _CHUNK):
            part = view[start : start + _CHUNK]
            limit = self.limit.within(self.timeout)
            while part:
                limit.left()
                part = part[self._retry(lambda part=part: self._hand(part), WRITE, limit) :]  # type: ignore[misc]

    def _hand(self, part: memoryview) -> int:
        size = len(part)
        self.handed += size
        try:
            size -= (taken := self._sock.send(part))
        except OSError:
            # Of TLS a record may have left in part, which nobody can read.
            self.handed -= size
            raise
        self.handed -= size
        return taken

    # TLS

    def start_tls(self, policy: TLSPolicy, host: str) -> TLSFacts:
        """Turn the link into TLS, or raise. Bytes that came in before the handshake end it: they are an injection."""
        # First, for it takes long: what is looked at next must still be so when the handshake begins.
        context = policy.context()
        # RFC 6066, 3: a host is named without the final dot that says to DNS that it is complete.
        host = host.removesuffix(".")
        if self.buffered():
            self.close()
            raise TransportError("The server sent something before TLS began.", cause="injected")
        if self._eof:
            # ssl leaves a socket unclosed when it is to wrap one that was reset.
            self.close()
            raise hung_up()
        wrapped: ssl.SSLSocket | None = None
        try:
            wrapped = context.wrap_socket(self._sock, server_hostname=host, do_handshake_on_connect=False)
            self._sock = wrapped
            self._retry(wrapped.do_handshake, READ, self.limit.within(self.timeout))
            certificate = Certificate.read(wrapped.getpeercert(binary_form=True) or b"")
            accepted = policy.judge(certificate, host)
        except TransportError as error:
            self.close()
            if error.cause == "no-answer":
                raise TransportError("The server did not answer the TLS handshake.", cause="tls-silent") from error
            raise
        except (ssl.SSLError, OSError, ValueError) as error:
            self.close()
            if isinstance(error, ValueError) and not isinstance(error, OSError):
                raise TransportError(f"{host!r} is not a host name.", cause="host-unknown") from error
            raise explain(error, host) from error
        cipher = wrapped.cipher()
        self.tls = TLSFacts(wrapped.version() or "", cipher[0] if cipher else "", certificate, accepted)
        return self.tls

    # What the standard library uses of a socket, and of its file

    def makefile(self, mode: str = "rb", *_: Any, **__: Any) -> Channel:
        return self

    def settimeout(self, timeout: float | None) -> None:
        self.timeout = math.inf if timeout is None else timeout

    def gettimeout(self) -> float | None:
        return None if math.isinf(self.timeout) else self.timeout

    def fileno(self) -> int:
        return self._sock.fileno()

    def getpeername(self) -> Any:
        return self._sock.getpeername()

    def getsockname(self) -> Any:
        return self._sock.getsockname()

    def setsockopt(self, *args: Any) -> None:
        self._sock.setsockopt(*args)

    # As of an ssl.SSLSocket; None on a plain link

    def getpeercert(self, binary_form: bool = False) -> Any:
        return self._sock.getpeercert(binary_form) if isinstance(self._sock, ssl.SSLSocket) else None

    def version(self) -> str | None:
        return self._sock.version() if isinstance(self._sock, ssl.SSLSocket) else None

    def cipher(self) -> tuple[str, str, int] | None:
        return self._sock.cipher() if isinstance(self._sock, ssl.SSLSocket) else None

    def selected_alpn_protocol(self) -> str | None:
        return self._sock.selected_alpn_protocol() if isinstance(self._sock, ssl.SSLSocket) else None

    def shutdown(self, how: int) -> None:
        self._sock.shutdown(how)

    def flush(self) -> None:
        """Nothing is held back; :mod:`http.client` asks."""

    def close(self) -> None:
        """Close it; a thread that waits for it is woken, and gets an error that says so."""
        self._eof = self._closed = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        # A descriptor that is closed wakes nobody: who waits for it closes it.
        if not self._busy:
            self._sock.close()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def loopback(self) -> bool:
        """Whether the link ends on this machine, as far as it can be seen: not through a proxy."""
        try:
            return not self.through_proxy and is_loopback(str(self._sock.getpeername()[0]))
        except (OSError, IndexError):
            return False
