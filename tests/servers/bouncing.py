"""A Postfix that takes mail for anybody, passes it on to a server that refuses some of it, and sends back what it must."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.counting import CountingServer
from tests.servers.dovecot import Dovecot
from tests.servers.maildirs import Maildirs
from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.require import require, require_root
from tests.servers.templates import fill

__all__ = ["SENDERS", "Bouncing", "run_bouncing"]

#: Whose mailboxes are at example.test: each test has its own.
SENDERS = tuple(f"sender{number}" for number in range(8))

#: What the next server answers to those whose names begin so, at example.net.
_AT_RCPT = {
    "gone": "550 5.1.1 No such user here",
    "full": "552 5.2.2 The mailbox is full",
    "late": "451 4.7.1 Come later",
}
_AT_DATA = {"spam": "554 5.7.1 This content is refused"}


class Refusing(CountingServer):
    """The next server: it refuses some recipients, and some content."""

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        for name, answer in _AT_RCPT.items():
            if address.startswith(name):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        for name, answer in _AT_DATA.items():
            if any(address.startswith(name) for address in envelope.rcpt_tos):
                return answer
        return await super().handle_DATA(server, session, envelope)


@dataclass(frozen=True)
class Bouncing:
    """A running Postfix; it listens at ``port``, without TLS and login, and what came back is in :data:`SENDERS`' mailboxes.

    At example.net ``gone...``, ``full...`` and ``spam...`` are refused for good, ``late...`` for the moment, and all others get
    their mail; at example.test whoever has no mailbox is unknown.
    """

    port: int
    log: Path
    _maildirs: Maildirs

    def wait_for(self, user: str, token: bytes | str, seconds: float = 20.0) -> bytes:
        """As :meth:`~tests.servers.postfix.Postfix.wait_for`."""
        return self._maildirs.wait_for(user, token, seconds)


@contextmanager
def run_bouncing(state: Path, dovecot: Dovecot) -> Iterator[Bouncing]:
    """Run it; all its files are under *state*, a new folder with a short path."""
    program, master = require("postfix"), require("/usr/lib/postfix/sbin/master")
    require_root("postfix")
    etc = state / "etc"
    for folder in (etc, state / "spool", state / "data"):
        folder.mkdir(parents=True)
    shutil.chown(state / "data", "postfix")
    (port,) = free_ports(1)
    owner = dovecot.mail.stat()
    with Refusing() as upstream:
        main = fill(
            "bouncing-main.cf",
            state=state,
            daemons=Path(master).parent,
            mail=dovecot.mail,
            mailboxes=", ".join(f"{{{user}@example.test={user}/}}" for user in SENDERS),
            uid=owner.st_uid,
            gid=owner.st_gid,
            upstream=upstream.port,
        )
        for name, text in (("main.cf", main), ("master.cf", fill("bouncing-master.cf", port=port))):
            (etc / name).write_text(text, encoding="utf-8")
            # Postfix waits for about 2 s before it trusts a file that was just written.
            os.utime(etc / name, (time.time() - 60,) * 2)
        subprocess.run([program, "-c", str(etc), "check"], check=True, capture_output=True)
        with running([master, "-c", str(etc), "-s"], port=port, log=state / "log"):
            yield Bouncing(port, state / "log", Maildirs(dovecot.mail))
