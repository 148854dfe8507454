"""microsocks: SOCKS5, with or without a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.proxies import Proxy
from tests.servers.require import require


@contextmanager
def run_microsocks(state: Path, username: str | None = None, password: str | None = None) -> Iterator[Proxy]:
    """Run a SOCKS5 proxy that asks for the login given, or for none."""
    program = require("microsocks")
    state.mkdir(parents=True)
    (port,) = free_ports(1)
    command = [program, "-i", "127.0.0.1", "-p", str(port)]
    if username is not None and password is not None:
        command += ["-u", username, "-P", password]
    log = state / "log"
    pattern = r"connected to (?P<host>\S+):(?P<port>\d+)"
    with running(command, port=port, log=log):
        yield Proxy(port, username, password, log, pattern)
