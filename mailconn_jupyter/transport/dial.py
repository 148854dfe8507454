"""From a host name to a connected TCP socket."""

from __future__ import annotations

import errno
import ipaddress
import os
import selectors
import socket
import time
from collections.abc import Sequence
from typing import Any

from ..domains import ascii_domain
from .deadline import WRITE, Limit, in_thread
from .transport_errors import TransportError

__all__ = ["Address", "a_label", "connect_any", "is_loopback", "look_up"]

Address = tuple[socket.AddressFamily, Any]

# RFC 8305: the next address is tried when the one before has not answered for so long (seconds).
_STAGGER = 0.25
_UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, getattr(errno, "WSAEWOULDBLOCK", 0)}


def a_label(host: str) -> str:
    """The host name as DNS and TLS carry it."""
    try:
        return ascii_domain(host)
    except UnicodeError:
        raise TransportError(f"{host!r} is not a host name.", cause="host-unknown") from None


def is_loopback(address: str) -> bool:
    """Whether the address cannot leave this machine."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def look_up(host: str, port: int, limit: Limit) -> list[Address]:
    """The addresses of a host, in the system's order of preference."""
    name = a_label(host)
    try:
        found = in_thread(lambda: socket.getaddrinfo(name, port, type=socket.SOCK_STREAM), limit)
    except (socket.gaierror, UnicodeError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise TransportError(f"The host {host!r} is unknown ({words}).", cause="host-unknown") from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def connect_any(addresses: Sequence[Address], limit: Limit, source: tuple[str, int] | None = None) -> socket.socket:
    """A socket connected to the first address that answers; later ones start while earlier ones are silent."""
    waiting = list(addresses)
    errors: list[OSError] = []
    under_way: set[socket.socket] = set()
    next_start = 0.0
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or under_way:
                if waiting and (not under_way or time.monotonic() >= next_start):
                    next_start = time.monotonic() + _STAGGER
                    try:
                        sock = _begin(waiting.pop(0), source)
                    except OSError as error:
                        errors.append(error)
                        continue
                    under_way.add(sock)
                    selector.register(sock, WRITE)
                step = limit.step()
                if waiting:
                    step = min(_STAGGER, step if step is not None else _STAGGER)
                for key, _ in selector.select(step):
                    sock = key.fileobj  # type: ignore[assignment]  # only sockets were registered
                    selector.unregister(sock)
                    under_way.discard(sock)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        return sock
                    sock.close()
                    errors.append(OSError(code, os.strerror(code)))
        finally:
            for sock in under_way:
                sock.close()
    raise _refusal(errors)


def _begin(address: Address, source: tuple[str, int] | None) -> socket.socket:
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if source is not None:
            sock.bind(source)
        code = sock.connect_ex(where)
        if code not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _refusal(errors: Sequence[OSError]) -> TransportError:
    last = errors[-1]
    if last.errno == errno.ECONNREFUSED:
        return TransportError("Nothing is listening there: the connection was refused.", cause="refused")
    if last.errno == errno.ETIMEDOUT:
        return TransportError("There was no answer.", cause="no-answer")
    return TransportError(f"The host cannot be reached ({last.strerror}).", cause="unreachable")
