"""What EHLO says of this side (RFC 5321, 4.1.1.1): a name where there is a true one, else the address as a literal."""

from __future__ import annotations

import functools
import re
import socket
from typing import Final

from ...connection import MailConnection
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import is_loopback, look_up
from ...transport.transport_errors import TransportError

__all__ = ["literal_of", "other_name", "own_name"]

# A full name that others may know: what ends so is known on one machine or in one house.
_FULL: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?!local$|localdomain$|lan$|home$|internal$)[a-z](?:[a-z0-9-]*[a-z0-9])?",
    re.IGNORECASE,
)
_PATIENCE: Final = 1.0  # seconds for a look-up of this machine's own name, which is at hand where it is right
_ELSEWHERE: Final = "192.0.2.1", 9  # an address of nobody's (RFC 5737)


def literal_of(address: str) -> str:
    """An address as it stands for a name (RFC 5321, 4.1.3).

    >>> literal_of("192.0.2.7"), literal_of("fe80::1%eth0")
    ('[192.0.2.7]', '[IPv6:fe80::1]')
    """
    plain = address.partition("%")[0]
    return f"[IPv6:{plain}]" if ":" in plain else f"[{plain}]"


def own_name(channel: Channel) -> str:
    """The machine's full name, if it is that of this end of the link; else the address, and through a proxy no loopback one."""
    address = str(channel.getsockname()[0]).partition("%")[0]
    name = socket.gethostname()
    if _FULL.fullmatch(name) and _is_of(name, address):
        return name
    if channel.through_proxy and is_loopback(address):
        # Nothing is sent by this: it asks by which address this machine would go.
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.connect(_ELSEWHERE)
                address = str(asking.getsockname()[0])
        except OSError:
            return name if re.fullmatch(r"[A-Za-z0-9.-]+", name) else "localhost.localdomain"
    return literal_of(address)


@functools.lru_cache(maxsize=8)
def _is_of(name: str, address: str) -> bool:
    try:
        return any(address == where[0] for _, where in look_up(name, 25, Limit(_PATIENCE)))
    except TransportError:
        return False


def other_name(connection: MailConnection) -> str:
    """What to say to a server that takes no address: this machine's full name, or the domain of the user's own mail.

    Empty where there is neither.
    """
    own = (
        text.rpartition("@")[2].rstrip("> ") for text in (connection.from_address, connection.username) if "@" in text
    )
    return next((name for name in (socket.gethostname(), *own) if _FULL.fullmatch(name)), "")
