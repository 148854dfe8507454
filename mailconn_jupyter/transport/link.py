"""A link to a host, through a proxy or not: what every protocol begins with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .channel import Channel
from .deadline import Limit
from .dial import Address, connect_any, look_up
from .proxy import ProxyRoute, tunnel
from .transport_errors import TransportError

__all__ = ["blaming_the_proxy", "find", "open_link"]

_PROXYS_FAULT = {
    "host-unknown": "proxy-unknown",
    "refused": "proxy-unreachable",
    "unreachable": "proxy-unreachable",
    "no-answer": "proxy-unreachable",
}


@contextmanager
def blaming_the_proxy(route: ProxyRoute | None) -> Iterator[None]:
    """Turn the failures of reaching a host into those of reaching the proxy, where there is one."""
    try:
        yield
    except TransportError as error:
        cause = _PROXYS_FAULT.get(error.cause)
        if route is None or cause is None:
            raise
        raise TransportError(f"The proxy {route.host} port {route.port}: {error.message}", cause=cause) from error


def find(host: str, port: int, route: ProxyRoute | None, limit: Limit) -> list[Address]:
    """The addresses to connect to: the host's, or its proxy's, which looks up the host by itself."""
    if route is None:
        return look_up(host, port, limit)
    with blaming_the_proxy(route):
        return look_up(route.host, route.port, limit)


def open_link(
    addresses: Sequence[Address],
    host: str,
    port: int,
    route: ProxyRoute | None,
    *,
    timeout: float,
    limit: Limit,
    source: tuple[str, int] | None = None,
) -> Channel:
    """A plain link to ``host`` and ``port`` by one of the addresses that :func:`find` gave; ``timeout`` in seconds.

    The frames below hold the proxy's password: the caller sees to it that no traceback shows them.
    """
    with blaming_the_proxy(route):
        sock = connect_any(addresses, limit.within(timeout), source)
    channel = Channel(sock, timeout=timeout, limit=limit)
    try:
        if route is not None:
            tunnel(channel, route, host, port)
    except BaseException:
        channel.close()
        raise
    return channel
