"""A socket of PySocks that negotiates over a :class:`~mailconn_jupyter.transport.channel.Channel`."""

from __future__ import annotations

import socks

from .channel import Channel

__all__ = ["SocksSocket"]


class SocksSocket(socks.socksocket):  # type: ignore[misc]  # PySocks ships no types
    """PySocks' SOCKS5 (RFC 1928, 1929), SOCKS4 and SOCKS4a on the socket of a channel; a context manager that leaves it open.

    What is sent and received goes through the channel: its deadline, cancel and caps hold, and what the server says right
    behind the proxy's answer is still there to be read.

    ``said`` is what PySocks read last: empty at first, and where the proxy hung up in place of an answer.
    """

    def __init__(self, channel: Channel, username: str, password: str) -> None:
        super().__init__(fileno=channel.fileno())
        self.settimeout(0)  # PySocks sets it again at the end, and the channel does the waiting
        login = (_Counted(username.encode()), _Counted(password.encode())) if username else (None, None)
        self.proxy = (None, None, None, True, *login)
        self.said = b""
        self._channel = channel

    def ask(self, kind: str, host: str, port: int) -> None:
        """Have the proxy (SOCKS5 or SOCKS4) connect to the host, an ASCII name or an address; nothing is looked up here.

        Raises :class:`socks.ProxyError`, or what the channel raises.
        """
        {"SOCKS5": self._negotiate_SOCKS5, "SOCKS4": self._negotiate_SOCKS4}[kind](_Name(host), port)

    # By these, the files that PySocks makes of its socket write and read

    def send(self, data: memoryview) -> int:
        self._channel.sendall(data)
        return len(data)

    def recv_into(self, buffer: bytearray) -> int:
        answer = self._channel.take(len(buffer))
        if answer and self.said == b"\x05\x02":
            # To the login: some proxies send the version of SOCKS in place of the login's.
            answer = b"\x01" + answer[1:]
        self.said = answer
        buffer[: len(answer)] = answer
        return len(answer)

    def close(self) -> None:
        self.detach()


class _Counted(bytes):
    """A user, password or name behind its length. PySocks writes that as ``chr(length).encode()``: two bytes from 128 on."""

    def __radd__(self, before: bytes) -> bytes:
        return before.removesuffix(chr(len(self)).encode()) + b"%c%b" % (len(self), self)

    def __bool__(self) -> bool:
        return True  # an empty password is one


class _Name(str):
    """A name in its ASCII form, for PySocks to send as it is: the codec that it calls refuses labels that proxies know."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return _Counted(super().encode("ascii"))
