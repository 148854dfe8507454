"""A server that plays a script: what no real server would say, said on purpose.

The script is bytes, so it serves SMTP, IMAP and POP3 alike::

    with ScriptServer([Send(b"220 hi\\r\\n"), Expect(rb"EHLO .*"), Send(b"500 no\\r\\n")]) as server:
        smtplib.SMTP(server.host, server.port).ehlo()
    assert server.transcript[0] == "S: 220 hi"
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.servers.conversation import Conversation, UnexpectedError
from tests.servers.steps import (
    Close,
    Dribble,
    Expect,
    ExpectBytes,
    ExpectUntil,
    Pause,
    Send,
    Silence,
    StartTLS,
    Step,
)

__all__ = [
    "Close",
    "Dribble",
    "Expect",
    "ExpectBytes",
    "ExpectUntil",
    "Pause",
    "ScriptServer",
    "Send",
    "Silence",
    "StartTLS",
    "Step",
]


class ScriptServer:
    """Serves one connection a script, in the order given, on a port of its own.

    At a script's end the client must close without another word; write :class:`Silence` as the
    last step where it may say more. Leaving the block waits for the client's last words, and
    raises AssertionError with the transcript if the client did not keep to the script.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *scripts: Sequence[Step],
        tls: ssl.SSLContext | None = None,
        seconds: float = 5.0,
        strict: bool = True,
    ) -> None:
        """Describe the server.

        Args:
            scripts: the steps of each connection.
            tls: makes every connection start with the TLS handshake.
            seconds: how long each step waits for the client.
            strict: raise at the block's end; otherwise look into :attr:`unexpected`.
        """
        #: The port that the client is to connect to; 0 before the block is entered.
        self.port = 0
        #: Everything said, as text: ``S: 220 hi``, ``C: EHLO x``, ``== TLSv1.3``.
        self.transcript: list[str] = []
        #: Every line that a client sent, without its line end.
        self.lines: list[bytes] = []
        #: What did not go by the script.
        self.unexpected: list[str] = []
        #: Connections accepted so far.
        self.connections = 0
        start: list[Step] = [] if tls is None else [StartTLS(tls)]
        self._scripts = [[*start, *script] for script in scripts]
        self._seconds = seconds
        self._strict = strict
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="script", daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._listener = socket.create_server((self.host, 0))
        self._listener.settimeout(0.02)
        self.port = self._listener.getsockname()[1]
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for the last step, and tell what did not go by the script."""
        self._over.set()
        # A step that sends or shakes hands ends by its own timeout.
        self._thread.join(2 * self._seconds + 1)
        self._listener.close()
        report = "\n".join((*self.unexpected, "The transcript:", *self.transcript))
        if error is not None:
            error.add_note(report)
        elif self.unexpected and self._strict:
            raise AssertionError(report)

    def _run(self) -> None:
        try:
            for number, script in enumerate(self._scripts, 1):
                if (sock := self._accept()) is None:
                    self.unexpected.append(f"connection {number} never came")
                    return
                self._serve(sock, script)
            while (sock := self._accept()) is not None:
                self.unexpected.append(f"connection {self.connections} is one too many")
                sock.close()
        except Exception as error:  # noqa: BLE001 - an error of a thread is nobody's: show it in the test
            self.unexpected.append(f"the script server failed: {error!r}")

    def _accept(self) -> socket.socket | None:
        """Return the next connection, or None once the test is over and none is waiting."""
        while True:
            over = self._over.is_set()
            try:
                sock = self._listener.accept()[0]
            except TimeoutError:
                if over:
                    return None
            else:
                self.connections += 1
                return sock

    def _serve(self, sock: socket.socket, script: Sequence[Step]) -> None:
        self.transcript.append(f"== connection {self.connections}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Conversation(sock, transcript=self.transcript, lines=self.lines, over=self._over, seconds=self._seconds)
        try:
            if all(step.play(talk) for step in script):
                talk.end()
        except UnexpectedError as error:
            self._complain(str(error))
        except OSError as error:
            self._complain(f"the connection broke: {error!r}")
        finally:
            with suppress(OSError):
                talk.close()

    def _complain(self, text: str) -> None:
        self.unexpected.append(f"connection {self.connections}: {text}")
