"""Through a proxy: SOCKS5, SOCKS4 and SOCKS4a, by PySocks, and HTTP CONNECT (RFC 9110, 9.3.6).

All over a :class:`~mailconn_jupyter.transport.channel.Channel`, so that the deadline, a cancel and the caps hold for the
proxy too, and what the server says right behind the proxy's answer is still there to be read. PySocks' own CONNECT drops
that, and mail servers speak first.

The target's name goes to the proxy as it is: nothing is looked up here.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
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
        (_connect if route.kind == "HTTP" else _socks)(channel, route, name, port)
    except TransportError as error:
        if error.cause != "no-answer":
            raise
        raise TransportError(f"The proxy is silent. {error.message}", cause="proxy-silent") from error
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


def _socks(channel: Channel, route: ProxyRoute, host: str, port: int) -> None:
    # Imported for such a proxy alone.
    import socks  # noqa: PLC0415

    from .socks_socket import SocksSocket  # noqa: PLC0415

    _check_socks_login(route)
    with SocksSocket(channel, route.username, route.password()) as sock:
        try:
            sock.ask(route.kind, host, port)
        except TransportError as error:
            # SOCKS5 answers before it is asked for the server: from then on the proxy waits for that one.
            if error.cause != "no-answer" or sock.said in {b"", b"\x05\x02"}:
                raise
            words = f"The proxy could not reach the server. {error.message}"
            raise TransportError(words, cause="target-unreachable") from error
        except socks.ProxyError as error:
            raise _socks_refusal(route, host, sock.said, at_login=isinstance(error, socks.SOCKS5AuthError)) from error


def _socks_refusal(route: ProxyRoute, host: str, said: bytes, *, at_login: bool) -> TransportError:
    """What it means that PySocks did not go on after what the proxy said."""
    match (route.kind, *said):
        case (_,):
            return _hung_up()
        case ("SOCKS5", 5, status, _):
            cause, words = _SOCKS5_ERRORS.get(status, ("target-unreachable", f"it answered with the error {status}"))
            return TransportError(f"The proxy says: {words}.", cause=cause)
        case ("SOCKS5", 5, _):
            wants = "another kind of login" if route.username else "a login"
            return TransportError(f"The proxy wants {wants}.", cause="proxy-login")
        case ("SOCKS5", 1, _) if at_login:
            return _login_refused()
        case ("SOCKS4", 0, 0x5C | 0x5D, *_):
            return TransportError("The proxy refused its user.", cause="proxy-login")
        case ("SOCKS4", 0, *_):
            # One code for rules, for servers that cannot be reached, and for names where only addresses are known.
            plain = "; it may be one that takes no names, only addresses" if host.strip("0123456789.") else ""
            return TransportError(f"The proxy did not connect to the server{plain}.", cause="target-unreachable")
    return _not_a_proxy(route.kind)


def _check_socks_login(route: ProxyRoute) -> None:
    if route.kind == "SOCKS4":
        if "\x00" in route.username:
            raise TransportError("SOCKS4 cannot carry a NUL in the user.", cause="proxy-login")
    elif route.username:
        for what, size in ("user", len(route.username.encode())), ("password", len(route.password().encode())):
            if size > 255:
                raise TransportError(
                    f"The proxy's {what} has {size} bytes; SOCKS5 takes at most 255.",
                    cause="proxy-login",
                    hint="Use a shorter one, or an HTTP proxy.",
                )


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
            "The proxy's user contains a colon, which HTTP cannot send.",
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
            raise TransportError("The proxy's reply never ends.", cause="proxy-bad-reply") from error
        raise
    if not line.endswith(b"\n"):
        raise _hung_up()
    return line


def _login_refused(said: str = "") -> TransportError:
    return TransportError(f"The proxy refused its user or password{said and f' ({said})'}.", cause="proxy-login")


def _hung_up() -> TransportError:
    return TransportError("The proxy hung up.", cause="proxy-hung-up")


def _not_a_proxy(kind: str) -> TransportError:
    return TransportError(f"No {kind} proxy answers there.", cause="proxy-bad-reply")
