"""Ports for servers that cannot be handed a socket and must be told a number."""

from __future__ import annotations

import os
import random
import socket

_WORKERS = 6
#: Which of several processes that share the tests this is (pytest-xdist): each has ports of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS

#: Below Linux's range for outgoing connections (32768 and up), so that no client's own port
#: is taken between the choice here and the server's start.
_RANGE = range(20_000 + _WORKER, 32_000, _WORKERS)

#: A number is given once a session: the server it was meant for may not have bound it yet.
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Return *count* different TCP ports that nothing on 127.0.0.1 listens on."""
    # The system's generator: a plugin that seeds `random` would give parallel runs one sequence.
    choose = random.SystemRandom().choice
    ports: list[int] = []
    while len(ports) < count:
        port = choose(_RANGE)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        ports.append(port)
    return ports
