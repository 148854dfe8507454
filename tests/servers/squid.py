"""squid: HTTP CONNECT with Basic authentication."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.proxies import Proxy
from tests.servers.require import is_root, require
from tests.servers.templates import fill

#: A second user, with a password that is not ASCII.
FOREIGNER = ("zoë", "pässwörd-✓")


@contextmanager
def run_squid(state: Path, allowed: Iterable[int], username: str = "u", password: str = "pw") -> Iterator[Proxy]:
    """Run an HTTP proxy that opens tunnels to the *allowed* ports, to who logs in.

    It alone knows the name mail.test. A wrong or missing login is answered with 407, any other port with 403.
    """
    program, openssl = require("squid"), require("openssl")
    helper = require("/usr/lib/squid/basic_ncsa_auth")
    state.mkdir(parents=True)
    (port,) = free_ports(1)
    (state / "hosts").write_text("127.0.0.1 localhost mail.test\n")
    logins = [(username, password), FOREIGNER]
    hashed = subprocess.run(
        [openssl, "passwd", "-apr1", "-stdin"],
        input="\n".join(secret for _, secret in logins),
        encoding="utf-8",
        check=True,
        capture_output=True,
    ).stdout.split()
    lines = [f"{user}:{digest}\n" for (user, _), digest in zip(logins, hashed, strict=True)]
    (state / "htpasswd").write_text("".join(lines), encoding="utf-8")
    configuration = state / "squid.conf"
    ports = " ".join(str(each) for each in allowed)
    configuration.write_text(fill("squid.conf", port=port, state=state, helper=helper, ports=ports))
    if is_root():
        # As root, squid gives up its rights before it opens its logs.
        shutil.chown(state, "proxy")
    pattern = r"CONNECT (?P<host>\S+):(?P<port>\d+) "
    # -N: no second process. Killed, because it takes seconds to say goodbye and has nothing
    # to save.
    with running(
        [program, "-N", "-f", str(configuration)],
        port=port,
        log=state / "log",
        stop=signal.SIGKILL,
    ):
        yield Proxy(port, username, password, state / "access.log", pattern)
