"""Opening sessions over a link that delays, beside smtplib: one after the other, and many side by side to test them.

Run it with ``python -m tests.benchmarks.bench_opening``, as root, where Postfix and Dovecot are installed. What counts is the
ratio, in one run.
"""

from __future__ import annotations

import smtplib
import ssl
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.check import check, check_all
from mailconn_jupyter.session.connect import connect
from tests.benchmarks.bench_delivery import fastest, table
from tests.benchmarks.long_link import long_link
from tests.benchmarks.mail_server import mail_server
from tests.support.isolation import give_password

MANY = 50


def connection_to(port: int, authority: Path, name: str = "ops", **options: Any) -> MailConnection:
    """One that has to ask for TLS and log in."""
    give_password(name, "s3cret")
    given = {"server_host": "localhost", "server_port": port, "username": "alice", "ca_file": str(authority)}
    return MailConnection(name=name, **{**given, **options})


def theirs(port: int, context: ssl.SSLContext, mechanism: str = "PLAIN") -> smtplib.SMTP:
    """The same session by smtplib, which without a word from us takes CRAM-MD5, a round trip more than PLAIN."""
    session = smtplib.SMTP("localhost", port)
    session.starttls(context=context)
    session.ehlo()
    session.esmtp_features["auth"] = mechanism
    session.login("alice", "s3cret")
    return session


def opening(opened: Callable[[], Any]) -> float:
    """Milliseconds of the opening alone: nobody waits for a farewell."""
    times = []
    for _ in range(10):
        start = time.perf_counter()
        session = opened()
        times.append(time.perf_counter() - start)
        session.close()
    return min(times) * 1000


def one(port: int, authority: Path) -> None:
    context = ssl.create_default_context(cafile=str(authority))

    def as_in_the_manual() -> smtplib.SMTP:
        # The system's authorities are read each time.
        fresh = ssl.create_default_context()
        fresh.load_verify_locations(cafile=str(authority))
        return theirs(port, fresh, "CRAM-MD5 PLAIN LOGIN")

    rows = {
        "smtplib, as its manual has it": opening(as_in_the_manual),
        "smtplib, PLAIN, the TLS context kept by hand": opening(lambda: theirs(port, context)),
        "ours, PLAIN": opening(lambda: connect(connection_to(port, authority, sasl_mechanism="PLAIN"))),
        "ours, as it comes (SCRAM-SHA-256)": opening(lambda: connect(connection_to(port, authority))),
    }
    table("Opening with STARTTLS and a login, 40 ms (PLAIN: at most 0.82)", rows, "smtplib, as its manual has it")


def many(port: int, authority: Path) -> None:
    """The slowest alone is that of some that are tested one by one. Smtplib shows what the servers take here."""
    connections = [connection_to(port, authority, f"c{number}", sasl_mechanism="PLAIN") for number in range(MANY)]
    context = ssl.create_default_context(cafile=str(authority))

    def by_smtplib() -> None:
        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(lambda _: theirs(port, context).quit(), range(MANY)))

    rows = {"one": fastest(lambda: theirs(port, context).quit()), f"{MANY} threads": fastest(by_smtplib)}
    table(f"smtplib, PLAIN, {MANY} side by side, 40 ms", rows, "one")
    start = time.perf_counter()
    _all_pass(connections)
    first = (time.perf_counter() - start) * 1000
    alone = max(fastest(lambda one=one: check(one), 2) for one in connections[:4])  # type: ignore[misc]  # bound now
    rows = {"the slowest alone": alone, "all": fastest(lambda: _all_pass(connections))}
    table(f"check_all of {MANY}, 40 ms (at most 1.5)", rows | {"all, the first time": first}, "the slowest alone")


def _all_pass(connections: list[MailConnection]) -> None:
    assert all(check_all(connections))


def main() -> None:
    warnings.simplefilter("ignore")
    with mail_server() as (postfix, state), long_link(postfix.submission, 0.04) as link:
        authority = state / "certificates" / "ca.pem"
        # First: nothing is kept yet.
        many(link.port, authority)
        one(link.port, authority)


if __name__ == "__main__":
    main()
