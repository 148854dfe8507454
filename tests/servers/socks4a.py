"""SOCKS4 with names (SOCKS4a), which no proxy that Debian has speaks: a small one of the tests' own."""

from __future__ import annotations

import select
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_GRANTED, _FAILED, _WRONG_USER = 0x5A, 0x5B, 0x5D


class Socks4a:
    """A SOCKS4a proxy on loopback; a context manager.

    It knows the *names* it is told and no others, so that nothing else can have looked them up, and refuses every user
    but the one it is told, if it is told one.
    """

    host = "127.0.0.1"

    def __init__(self, names: Mapping[str, str], username: str = "") -> None:
        self.names = names
        self.username = username
        #: What was asked for, each as ``host:port``; the host as it came.
        self.asked: list[str] = []
        self._server = _Server((self.host, 0), _Tunnel)
        self._server.proxy = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="socks4a", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    proxy: Socks4a


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Server
    request: socket.socket
    rbufsize = 0  # what follows the request is the tunnel's

    def handle(self) -> None:
        proxy = self.server.proxy
        version, command, port, address = struct.unpack("!BBH4s", self.rfile.read(8))
        username = self._text()
        host = socket.inet_ntoa(address)
        if address[:3] == b"\0\0\0" and address[3]:
            host = self._text()
        proxy.asked.append(f"{host}:{port}")
        if (version, command) != (4, 1) or (proxy.username and username != proxy.username):
            self._answer(_WRONG_USER)
            return
        target = socket.socket()
        with target:
            try:
                # No name is looked up here, for the tests listen for that.
                socket.inet_aton(found := proxy.names.get(host, host))
                target.connect((found, port))
            except OSError:
                self._answer(_FAILED)
                return
            self._answer(_GRANTED)
            _pass_on(self.request, target)

    def _text(self) -> str:
        text = b""
        while (byte := self.rfile.read(1)) not in {b"\0", b""}:
            text += byte
        return text.decode()

    def _answer(self, code: int) -> None:
        self.wfile.write(struct.pack("!BBH4s", 0, code, 0, b"\0\0\0\0"))


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until either side ends."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            try:
                data = source.recv(65536)
                (other if source is one else one).sendall(data)
            except OSError:
                return
            if not data:
                return
