"""Postfix: every kind of SMTP port that a client may meet, each on a port of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.maildirs import Maildirs
from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.require import require, require_root
from tests.servers.templates import fill

#: Who has a mailbox at example.test.
MAILBOXES = ("alice", "bob", "carol", "dave", "zoe", "ünïcode")

#: Who has a mailbox file (mbox) at example.test in place of a maildir.
FILE = "archive"

#: The mechanisms of :attr:`Postfix.only`.
MECHANISMS = (
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "XOAUTH2",
    "OAUTHBEARER",
)

#: Bytes that a message to the port :attr:`Postfix.big` may have; elsewhere it is 1,000,000.
BIG = 50_000_000

_AUTH = "smtpd_sasl_auth_enable=yes"
_STARTTLS = f"smtpd_tls_security_level=encrypt {_AUTH} smtpd_tls_auth_only=yes"
_IMPLICIT = f"smtpd_tls_wrappermode=yes smtpd_tls_security_level=encrypt {_AUTH}"

#: What makes each port differ from main.cf.
_PORTS: Mapping[str, str] = MappingProxyType(
    {
        "plain": "",
        "submission": f"{_STARTTLS} smtpd_sender_restrictions=permit_sasl_authenticated,reject",
        "plain_auth": f"smtpd_tls_security_level=none {_AUTH}",
        "smtps": _IMPLICIT,
        "smtps12": f"{_IMPLICIT} smtpd_tls_mandatory_protocols=TLSv1.2",
        "smtps13": f"{_IMPLICIT} smtpd_tls_mandatory_protocols=>=TLSv1.3",
        "starttls12": f"{_STARTTLS} smtpd_tls_mandatory_protocols=TLSv1.2",
        "starttls13": f"{_STARTTLS} smtpd_tls_mandatory_protocols=>=TLSv1.3",
        "relay": "smtpd_tls_security_level=none",
        "client_certificate": f"{_IMPLICIT} smtpd_tls_req_ccert=yes",
        "big": f"message_size_limit={BIG} cleanup_service_name=cleanup-big",
    }
)


@dataclass(frozen=True)
class Postfix:
    """A running Postfix; the numbers are ports on :attr:`host`.

    Every port takes mail for :data:`MAILBOXES` and :data:`FILE` at example.test and, to be thrown
    away, for anyone at sink.test. At example.test, ``grey`` answers 450, ``gone`` 550, ``close`` 421 and
    hangs up. PIPELINING, SIZE, CHUNKING, DSN, ENHANCEDSTATUSCODES, 8BITMIME and SMTPUTF8 are on.
    Users and passwords are Dovecot's.
    """

    #: STARTTLS is offered, AUTH is not.
    plain: int
    #: STARTTLS is required; AUTH over TLS only; a sender must be logged in.
    submission: int
    #: AUTH without TLS, which is not offered.
    plain_auth: int
    #: Implicit TLS and AUTH; likewise with TLS 1.2 only and with 1.3 only.
    smtps: int
    smtps12: int
    smtps13: int
    #: STARTTLS is required, with TLS 1.2 only and with 1.3 only; AUTH over TLS only.
    starttls12: int
    starttls13: int
    #: Neither TLS nor AUTH.
    relay: int
    #: Implicit TLS that requires a client certificate of the tests' authority.
    client_certificate: int
    #: As plain, for messages up to :data:`BIG` bytes.
    big: int
    #: The mailbox file of :data:`FILE`; there is none before its first mail.
    file: Path
    #: Implicit TLS with AUTH of one mechanism, by the mechanism's name.
    only: Mapping[str, int]
    #: What Postfix logged.
    log: Path
    _maildirs: Maildirs
    host: str = "127.0.0.1"

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port."""
        return (*(getattr(self, name) for name in _PORTS), *self.only.values())

    def mailbox(self, user: str) -> list[bytes]:
        """Return the messages that were delivered to *user*, oldest first."""
        return self._maildirs.messages(user)

    def wait_for(self, user: str, token: bytes | str, seconds: float = 10.0) -> bytes:
        """Return the first message to *user* that contains *token*.

        Raises:
            TimeoutError: none came within *seconds*.
        """
        return self._maildirs.wait_for(user, token, seconds)

    def clear(self) -> None:
        """Remove every delivered message."""
        self._maildirs.clear()


@contextmanager
def run_postfix(state: Path, certificates: Certificates, dovecot: Dovecot) -> Iterator[Postfix]:
    """Run a Postfix whose files are all under *state*, a new folder with a short path."""
    program = require("postfix")
    master = require("/usr/lib/postfix/sbin/master")
    require_root("postfix")
    etc = state / "etc"
    for folder in (etc, state / "spool", state / "data"):
        folder.mkdir(parents=True)
    shutil.chown(state / "data", "postfix")
    # Dovecot was told a port to pass submitted mail on to before Postfix ran.
    ports = dict(zip(_PORTS, (dovecot.relay, *free_ports(len(_PORTS) - 1)), strict=True))
    only = dict(zip(MECHANISMS, free_ports(len(MECHANISMS)), strict=True))
    owner = dovecot.mail.stat()
    main = fill(
        "main.cf",
        state=state,
        daemons=Path(master).parent,
        mail=dovecot.mail,
        # Without the slash it is a file.
        mailboxes=", ".join(
            f"{{{path.rstrip('/')}@example.test={path}}}" for path in (*(f"{user}/" for user in MAILBOXES), FILE)
        ),
        uid=owner.st_uid,
        gid=owner.st_gid,
        ca=certificates.ca.pem,
        certificate=certificates.good.pem,
        key=certificates.good.key,
        auth=dovecot.auth,
    )
    services = [_service(ports[name], options) for name, options in _PORTS.items()]
    services += [
        _service(port, f"{_IMPLICIT} smtpd_sasl_mechanism_filter={mechanism}") for mechanism, port in only.items()
    ]
    for name, text in (
        ("main.cf", main),
        ("master.cf", "\n".join((*services, fill("master.cf", big=BIG)))),
    ):
        (etc / name).write_text(text, encoding="utf-8")
        # Postfix waits for about 2 s before it trusts a file that was just written.
        os.utime(etc / name, (time.time() - 60,) * 2)
    # Makes the queue's folders, without which Postfix does not start.
    subprocess.run([program, "-c", str(etc), "check"], check=True, capture_output=True)
    log = state / "log"
    # Not `postfix start-fg`: its wrapper ignores SIGTERM.
    # Every port opens before the first connection is served: one answer stands for all.
    with running([master, "-c", str(etc), "-s"], port=ports["plain"], log=log):
        settings: dict[str, Any] = {**ports, "only": MappingProxyType(only)}
        yield Postfix(**settings, file=dovecot.mail / FILE, log=log, _maildirs=Maildirs(dovecot.mail))


def _service(port: int, options: str) -> str:
    """Return the lines of master.cf for one listening port."""
    lines = [f"127.0.0.1:{port} inet n - n - - smtpd"]
    return "\n  ".join((*lines, *(f"-o {option}" for option in options.split())))
