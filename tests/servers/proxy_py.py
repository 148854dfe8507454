"""proxy.py: HTTP CONNECT with Basic authentication, from PyPI, for where squid is not installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.proxies import Proxy
from tests.servers.require import unavailable


@contextmanager
def run_proxy_py(state: Path, username: str = "u", password: str = "pw") -> Iterator[Proxy]:
    """Run an HTTP proxy that opens tunnels to any port, to who logs in."""
    if importlib.util.find_spec("proxy") is None:
        unavailable("proxy.py is not installed")
    state.mkdir(parents=True)
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", str(port)]
    command += ["--num-acceptors", "1", "--num-workers", "1", "--basic-auth", f"{username}:{password}"]
    command += ["--data-dir", str(state), "--cache-dir", str(state)]
    log = state / "log"
    pattern = r"CONNECT (?P<host>\S+):(?P<port>\d+) "
    with running(command, port=port, log=log):
        yield Proxy(port, username, password, log, pattern)
