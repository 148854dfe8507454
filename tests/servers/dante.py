"""dante: SOCKS4, which knows no password, and SOCKS5 with the password of a system user."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.proxies import Proxy
from tests.servers.require import require, require_root
from tests.servers.templates import fill

#: The port that its rules let nobody connect to.
FORBIDDEN = 7


@contextmanager
def run_dante(state: Path) -> Iterator[Proxy]:
    """Run a SOCKS4 and SOCKS5 proxy; the login is for SOCKS5.

    Of SOCKS4 it knows no names (SOCKS4a): it takes their 0.0.0.x for an address and fails.
    """
    program = require("danted")
    require_root("danted")
    state.mkdir(parents=True)
    (port,) = free_ports(1)
    log, configuration = state / "log", state / "dante.conf"
    configuration.write_text(fill("dante.conf", port=port, forbidden=FORBIDDEN))
    command = [program, "-f", str(configuration), "-p", str(state / "pid")]
    pattern = r"Packet: .* address: (?P<host>\S+)\.(?P<port>\d+)"
    with _system_user() as (username, password), running(command, port=port, log=log):
        yield Proxy(port, username, password, log, pattern)


@contextmanager
def _system_user() -> Iterator[tuple[str, str]]:
    """Make a system user that can log in nowhere else, and remove it: dante knows no other."""
    useradd, userdel, openssl = require("useradd"), require("userdel"), require("openssl")
    username, password = f"mailconn-{secrets.token_hex(4)}", secrets.token_hex(8)
    hashed = subprocess.run(
        [openssl, "passwd", "-6", "-stdin"],
        input=password,
        text=True,
        check=True,
        capture_output=True,
    ).stdout.strip()
    nologin = ["-M", "-N", "-g", "nogroup", "-s", "/usr/sbin/nologin"]
    subprocess.run([useradd, "-r", *nologin, "-p", hashed, username], check=True, capture_output=True)
    try:
        yield username, password
    finally:
        subprocess.run([userdel, username], check=True, capture_output=True)
