"""One connection of the scripted server: what was said, and how long to wait for more."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time

#: How often a waiting server looks whether the test is over, in seconds.
_SLICE = 0.02

#: How long the server still waits for a client after the test's block ended, in seconds.
_GRACE = 0.5


class UnexpectedError(Exception):
    """The client did something else than the script says."""


class Conversation:
    """A connection that records both sides and never waits longer than it is told.

    *transcript* takes what both sides said, *lines* what the client did; both may be shared by
    several connections. *over* is set once the test wants the server to end.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        transcript: list[str],
        lines: list[bytes],
        over: threading.Event,
        seconds: float,
    ) -> None:
        self._sock = sock
        self._transcript = transcript
        self._lines = lines
        self._over = over
        self._seconds = seconds
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send *data* and record it."""
        for line in data.splitlines():
            self._transcript.append(f"S: {_shown(line)}")
        self._sock.settimeout(self._seconds)
        self._sock.sendall(data)

    def send_raw(self, data: bytes) -> None:
        """Send *data* and record nothing: the caller sends it in pieces."""
        self._sock.settimeout(self._seconds)
        self._sock.sendall(data)

    def note(self, text: str) -> None:
        """Record something that is neither side's line."""
        self._transcript.append(f"== {text}")

    def line(self) -> bytes:
        """Return the client's next line without its line end."""
        line = self.until(b"\n")
        return line.removesuffix(b"\n").removesuffix(b"\r")

    def until(self, terminator: bytes) -> bytes:
        """Return what the client sends up to *terminator* and with it."""
        deadline = time.monotonic() + self._seconds
        while terminator not in self._buffer:
            self._fill(deadline, f"up to {terminator!r}")
        return self._take(self._buffer.index(terminator) + len(terminator))

    def exactly(self, count: int) -> bytes:
        """Return the client's next *count* bytes."""
        deadline = time.monotonic() + self._seconds
        while len(self._buffer) < count:
            self._fill(deadline, f"{count} bytes")
        return self._take(count)

    def comes(self, seconds: float) -> bool:
        """Return whether the client has said more, or does so within *seconds*."""
        if not self._buffer:
            with contextlib.suppress(TimeoutError):
                self._buffer = self._receive(time.monotonic() + seconds)
        return bool(self._buffer)

    def rest(self, seconds: float, *, words: bool = True) -> bool:
        """Record what the client sends until it closes, the test is over or *seconds* passed.

        Without *words*, its first word ends the wait as well. Returns whether the client closed.
        """
        closed = False
        deadline = time.monotonic() + seconds
        while (now := time.monotonic()) < deadline:
            last = self._over.is_set()
            try:
                data = self._receive(min(deadline, now + _SLICE))
            except TimeoutError:
                if last:
                    break
                continue
            except OSError:
                data = b""
            self._buffer += data
            closed = not data
            if closed or not words:
                break
        self._take(len(self._buffer))
        return closed

    def end(self) -> None:
        """Wait for the client to close.

        Raises:
            UnexpectedError: it said something more.
        """
        before = len(self._lines)
        self.rest(self._seconds, words=False)
        if len(self._lines) > before:
            raise UnexpectedError(f"after the script's end the client sent {self._lines[before:]!r}")

    def pause(self, seconds: float) -> bool:
        """Wait; return whether the test ended meanwhile."""
        return self._over.wait(seconds)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on.

        Raises:
            UnexpectedError: the client sent something that was to come after the handshake.
            ssl.SSLError, OSError: the client refused.
        """
        if self._buffer:
            raise UnexpectedError(f"before the TLS handshake the client sent {self._buffer!r}")
        self._sock.settimeout(self._seconds)
        secure = context.wrap_socket(self._sock, server_side=True)
        self._sock = secure
        self.note(str(secure.version()))

    def close(self, *, reset: bool = False) -> None:
        """Close the connection; with *reset* the client sees ECONNRESET in place of the end."""
        if reset:
            # To close with no time to linger is what sends a reset.
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def _fill(self, deadline: float, wanted: str) -> None:
        """Receive something more, or raise UnexpectedError."""
        while True:
            now = time.monotonic()
            if self._over.is_set():
                deadline = min(deadline, now + _GRACE)
            if now >= deadline:
                raise UnexpectedError(
                    f"the client was silent while the script waited for {wanted}, after {self._buffer!r}"
                )
            try:
                data = self._receive(min(deadline, now + _SLICE))
            except TimeoutError:
                continue
            if not data:
                raise UnexpectedError(f"the client closed while the script waited for {wanted}, after {self._buffer!r}")
            self._buffer += data
            return

    def _receive(self, until: float) -> bytes:
        self._sock.settimeout(max(0.001, until - time.monotonic()))
        return self._sock.recv(65536)

    def _take(self, count: int) -> bytes:
        """Remove *count* bytes from the buffer and record their lines."""
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        lines = taken.removesuffix(b"\n").removesuffix(b"\r").split(b"\n") if taken else []
        for line in lines:
            self._lines.append(line.removesuffix(b"\r"))
            self._transcript.append(f"C: {_shown(self._lines[-1])}")
        return taken


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
