"""Through a proxy: SOCKS5 (RFC 1928, 1929), SOCKS4a, and HTTP CONNECT (RFC 9110, 9.3.6).

Spoken over a :class:`~mailconn_jupyter.transport.channel.Channel`, so that the deadline, a cancel and the caps hold for
the proxy too, and what the server says right behind the proxy's answer is still there to be read. PySocks 1.7 has a
timeout for each single byte (one of 0.5 s took 4.8 s) and nothing to cancel it by, writes two bytes for the length of a
user, password or host name of over 127 bytes, and takes no proxy that is given by an IPv6 address.

The target's name goes to the proxy as it is: nothing is looked up here.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .channel import Channel
from .dial import a_label
from .transport_errors import TransportError, readable

__all__ = ["ProxyRoute", "tunnel"]

_MOST_HEAD = 16384  # bytes of the answer to CONNECT; what proxies send has some hundred
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: ([^\r\n]*))?\r?\n")
_SOCKS5_ERRORS = {
    1: ("target-unreachable", "it failed to reach the server"),
    2: ("proxy-rules", "its rules do not allow this server"),
    3: ("target-unreachable", "the server's network cannot be reached"),
    4: ("target-unreachable", "the server's host cannot be reached"),
    5: ("target-unreachable", "the server refused the connection"),
    6: ("target-unreachable", "the server did not answer in time"),
}


@dataclass(frozen=True)
class ProxyRoute:
    """The proxy to go through.

    ``reveal`` gives its password when one is needed; ``accepted`` is called when the proxy has opened the way, so that a
    password that was typed can be remembered.
    """

    kind: str
    host: str
    port: int
    username: str = ""
    reveal: Callable[[], str] | None = None
    accepted: Callable[[], None] | None = None

    def password(self) -> str:
        """Not into a variable: a traceback would show it."""
        return self.reveal() if self.reveal else ""


def tunnel(channel: Channel, route: ProxyRoute, host: str, port: int) -> None:
    """Have the proxy at the other end of the channel connect it to ``host`` and ``port``, or raise.

    The frames below hold the password: the caller sees to it that no traceback shows them.
    """
    name = _target(host)
    channel.through_proxy = True
    channel.begin_answer()
    try:
        with _silence_means("proxy-silent", "The proxy is silent."):
            {"SOCKS5": _socks5, "SOCKS4": _socks4, "HTTP": _connect}[route.kind](channel, route, name, port)
    except TransportError:
        raise
    except OSError as error:
        raise _hung_up() from error
    if route.accepted is not None:
        route.accepted()


def _target(host: str) -> str:
    """The host as it goes to the proxy; what could be taken there for more than a name or an address is refused."""
    name = a_label(host)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,255}", name):
        try:
            # Without the zone of a link-local address: it is one of this machine's links.
            return str(ipaddress.IPv6Address(name.partition("%")[0]))
        except ValueError:
            raise TransportError(f"{host!r} is not a host name.", cause="host-unknown") from None
    return name


@contextmanager
def _silence_means(cause: str, words: str) -> Iterator[None]:
    try:
        yield
    except TransportError as error:
        if error.cause != "no-answer":
            raise
        raise TransportError(f"{words} {error.message}", cause=cause) from error


def _socks5(channel: Channel, route: ProxyRoute, host: str, port: int) -> None:
    login = _socks5_login(route)
    channel.sendall(b"\x05\x02\x00\x02" if login else b"\x05\x01\x00")
    version, method = _take(channel, 2)
    if version != 5:
        raise _not_a_proxy("SOCKS5")
    if method == 2 and login:
        channel.sendall(login)
        # The version is not looked at: some proxies send that of SOCKS in place of the login's.
        if _take(channel, 2)[1] != 0:
            raise _login_refused()
    elif method != 0:
        wants = "another kind of login" if login else "a login"
        raise TransportError(f"The proxy wants {wants}.", cause="proxy-login")
    channel.sendall(b"\x05\x01\x00" + _socks5_address(host) + port.to_bytes(2, "big"))
    # The proxy has answered before: from here on it waits for the server itself.
    with _silence_means("target-unreachable", "The proxy does not get through to the server."):
        version, status, _, kind = _take(channel, 4)
        if version != 5:
            raise _not_a_proxy("SOCKS5")
        if status != 0:
            cause, words = _SOCKS5_ERRORS.get(status, ("target-unreachable", f"it answered with the error {status}"))
            raise TransportError(f"The proxy says: {words}.", cause=cause)
        length = {1: 4, 4: 16}.get(kind)
        if length is None and kind != 3:
            raise _not_a_proxy("SOCKS5")
        _take(channel, (_take(channel, 1)[0] if length is None else length) + 2)


def _socks5_login(route: ProxyRoute) -> bytes:
    """The message of RFC 1929, whose lengths are one byte each; empty where there is no user."""
    if not route.username:
        return b""
    user, password = route.username.encode(), route.password().encode()
    for what, data in ("user", user), ("password", password):
        if len(data) > 255:
            raise TransportError(
                f"The proxy's {what} has {len(data)} bytes; SOCKS5 takes at most 255.",
                cause="proxy-login",
                hint="Use a shorter one, or an HTTP proxy.",
            )
    return b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password


def _socks5_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        return b"\x03" + bytes([len(name)]) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


def _socks4(channel: Channel, route: ProxyRoute, host: str, port: int) -> None:
    try:
        address = ipaddress.IPv4Address(host).packed
        name = b""
    except ValueError:
        # SOCKS4a: an address that cannot be one, and the name behind the user.
        address = b"\x00\x00\x00\x01"
        name = host.encode("ascii") + b"\x00"
    if "\x00" in route.username:
        raise TransportError("SOCKS4 takes no user with a NUL.", cause="proxy-login")
    channel.sendall(b"\x04\x01" + port.to_bytes(2, "big") + address + route.username.encode() + b"\x00" + name)
    version, status, *_ = _take(channel, 8)
    if version != 0:
        raise _not_a_proxy("SOCKS4")
    if status in {0x5C, 0x5D}:
        raise TransportError("The proxy refused its user.", cause="proxy-login")
    if status != 0x5A:
        # One code for rules, for servers that cannot be reached, and for names where only addresses are known.
        plain = "; it may be one that takes no names, only addresses" if name else ""
        raise TransportError(f"The proxy did not connect to the server{plain}.", cause="target-unreachable")


def _connect(channel: Channel, route: ProxyRoute, host: str, port: int) -> None:
    login = _basic_login(route)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n"
    if login:
        head += f"Proxy-Authorization: Basic {login}\r\n"
    channel.sendall(head.encode() + b"\r\n")
    match = _STATUS.fullmatch(_line(channel, _MOST_HEAD))
    if match is None:
        raise _not_a_proxy("HTTP")
    left = _MOST_HEAD - len(match.group())
    while (line := _line(channel, left)) not in {b"\r\n", b"\n"}:
        left -= len(line)
    code = int(match.group(1))
    if 200 <= code < 300:
        return
    words = readable(match.group(2) or b"", 100)
    if login and (login in words or route.password() in words):
        words = ""  # it sends our secret back
    said = f"{code} {words}".strip()
    if code == 407:
        raise (
            _login_refused(said) if login else TransportError(f"The proxy wants a login ({said}).", cause="proxy-login")
        )
    cause = "proxy-rules" if code in {400, 401, 403, 405} else "target-unreachable"
    raise TransportError(f"The proxy did not connect to the server ({said}).", cause=cause)


def _basic_login(route: ProxyRoute) -> str:
    """User and password as RFC 7617 joins them; empty where there is no user."""
    if ":" in route.username:
        raise TransportError(
            "The proxy's user holds a colon, which HTTP cannot send.",
            cause="proxy-login",
            hint="Use another user, or a SOCKS5 proxy.",
        )
    if not route.username:
        return ""
    return base64.b64encode(f"{route.username}:{route.password()}".encode()).decode()


def _line(channel: Channel, size: int) -> bytes:
    try:
        line = channel.readline(max(size, 1))
    except TransportError as error:
        if error.cause == "too-long":
            raise TransportError("The proxy's answer does not end.", cause="proxy-bad-reply") from error
        raise
    if not line.endswith(b"\n"):
        raise _hung_up()
    return line


def _take(channel: Channel, count: int) -> bytes:
    data = channel.take(count)
    if len(data) < count:
        raise _hung_up()
    return data


def _login_refused(said: str = "") -> TransportError:
    return TransportError(f"The proxy refused its user or password{said and f' ({said})'}.", cause="proxy-login")


def _hung_up() -> TransportError:
    return TransportError("The proxy hung up.", cause="proxy-hung-up")


def _not_a_proxy(kind: str) -> TransportError:
    return TransportError(f"What answers there is no {kind} proxy.", cause="proxy-bad-reply")
