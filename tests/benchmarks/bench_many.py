"""Many messages: memory and progress of 10,000, 200 over a long link, a loop of ``send()``, and what a journal costs.

Run it with ``python -m tests.benchmarks.bench_many``, as root, where Postfix and Dovecot are installed. Times are seconds of
the clock, beside smtplib's in the same run; memory is the most that the process had at once over what it had after a batch of
100, by the kernel's count (Linux).
"""

from __future__ import annotations

import imaplib
import os
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path

import mailconn_jupyter as mailconn
from mailconn_jupyter import connections
from mailconn_jupyter.delivery.many.advance import Progress
from tests.benchmarks.mail_server import mail_server
from tests.servers.certificates import make_certificates
from tests.servers.dovecot import run_dovecot
from tests.servers.postfix import Postfix
from tests.servers.relay import Relay
from tests.support.batches import to
from tests.support.mailboxes import mailbox_of

MANY, LONG, ANCHOR, ROUNDS, ROUND_TRIP = 10_000, 200, 1_000, 5, 0.025
SENDER = "bob@example.test"


def made(count: int) -> Iterator[EmailMessage]:
    for number in range(count):
        text = f"Dear customer {number}," + " this is what you used in week 47." * 100
        yield mailconn.compose(f"u{number}@sink.test", f"Usage {number}", text, sender=SENDER)


def most() -> int:
    """Bytes that the process had at most so far."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def memory(port: int, journal: str) -> None:
    """In a process of its own: 100 messages, then all, and what the second took more."""
    told: list[tuple[float, Progress]] = []
    mailconn.send_many(to(port), made(100), on_progress=False)
    before = most()
    started = time.perf_counter()
    messages = ((f"key {number}", message) for number, message in enumerate(made(MANY)))
    report = mailconn.send_many(
        to(port), messages, journal=journal or None, on_progress=lambda now: told.append((time.monotonic(), now))
    )
    seconds = time.perf_counter() - started
    assert report.counts == {"accepted": MANY}, report
    gaps = [after[0] - before[0] for before, after in pairwise(told[:-1])]
    print(  # noqa: T201  # its output
        f"{MANY:,} messages{' with a journal' if journal else ''}: {seconds:.1f} s, {(most() - before) / 1e6:.1f} MB more, "
        f"{len(told)} words of progress, the closest {min(gaps, default=0):.2f} s apart"
    )


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def by_smtplib(port: int, messages: list[EmailMessage]) -> None:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for message in messages:
            smtp.send_message(message)


def long_link(postfix: Postfix) -> None:
    messages = list(made(LONG))
    with Relay(postfix.relay, round_trip=ROUND_TRIP) as link:
        theirs = timed(lambda: by_smtplib(link.port, messages))
        print(f"{LONG} messages at {ROUND_TRIP * 1000:.0f} ms: smtplib's loop {theirs:.2f} s")  # noqa: T201  # the same
        for options in ({}, {"connections": 1}, {"connections": 4, "window": 20}):
            ours = timed(lambda options=options: mailconn.send_many(to(link.port), messages, **options))  # type: ignore[misc]
            said = ", ".join(f"{name}={value}" for name, value in options.items()) or "as it is"
            print(f"  send_many, {said}: {ours:.2f} s, {theirs / ours:.1f} times as fast")  # noqa: T201  # the same


def anchor(postfix: Postfix) -> None:
    """Over no link, beside Postfix's own client: C, whose messages are made before, on as many connections."""
    messages = list(made(ANCHOR))
    size, sink = len(messages[0].as_bytes()), f"127.0.0.1:{postfix.relay}"
    source = [
        "smtp-source",
        "-d",
        "-s",
        "4",
        "-m",
        str(ANCHOR),
        "-l",
        str(size),
        "-f",
        SENDER,
        "-t",
        "u@sink.test",
        sink,
    ]
    best = {"theirs": float("inf"), "ours": float("inf")}
    for _ in range(ROUNDS):
        best["theirs"] = min(best["theirs"], timed(lambda: subprocess.run(source, check=True)))
        best["ours"] = min(
            best["ours"],
            timed(lambda: mailconn.send_many(to(postfix.relay), messages, connections=4, window=20, on_progress=False)),
        )
    print(  # noqa: T201  # the same
        f"{ANCHOR:,} messages at 0 ms, connections=4: smtp-source {best['theirs']:.2f} s; send_many, window=20 "
        f"{best['ours']:.2f} s, {best['theirs'] / best['ours']:.2f} of its rate"
    )


def loop(postfix: Postfix) -> None:
    with Relay(postfix.relay, round_trip=0.04) as link, tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_CONFIG_DIR"] = folder
        connections.save(to(link.port))
        messages = list(made(20))
        theirs = timed(lambda: by_smtplib(link.port, messages))
        ours = timed(lambda: [mailconn.send("ops", "u@sink.test", "x", "y" * 3000) for _ in messages])
        print(  # noqa: T201  # the same
            f"{len(messages)} times send() at 40 ms: {ours:.2f} s; smtplib on one session {theirs:.2f} s: {ours / theirs:.2f}"
        )


def copies(postfix: Postfix, state: Path) -> None:
    """With a copy of each in a mailbox, over a link as long: beside smtplib and imaplib on open links, and without copies."""
    (state / "theirs").mkdir()
    certificates, messages = make_certificates(state / "theirs"), list(made(LONG))
    with (
        run_dovecot(state / "copies", certificates) as dovecot,
        Relay(dovecot.imap, round_trip=ROUND_TRIP) as mailbox,
        Relay(postfix.relay, round_trip=ROUND_TRIP) as link,
        tempfile.TemporaryDirectory() as folder,
    ):
        os.environ["JUPYTER_CONFIG_DIR"] = folder
        box = mailbox_of("IMAP", "copies", [], dovecot=dovecot, certificates=certificates, folder=state).connection
        connections.save(
            box.copy(server_port=mailbox.port, use_secure_authentication=False, allow_plaintext_password=True)
        )

        def by_hand() -> None:
            imap = imaplib.IMAP4("127.0.0.1", mailbox.port)
            imap.authenticate("PLAIN", lambda _: f"theirs\0{dovecot.master[0]}\0{dovecot.master[1]}".encode())
            imap.create("Sent")
            with smtplib.SMTP("127.0.0.1", link.port) as smtp:
                for message in messages:
                    smtp.send_message(message)
                    imap.append("Sent", "\\Seen", "", message.as_bytes())
            imap.logout()

        theirs = timed(by_hand)
        without = timed(lambda: mailconn.send_many(to(link.port), messages, on_progress=False))
        ours = timed(lambda: mailconn.send_many(to(link.port, save_sent_to="copies"), messages, on_progress=False))
        print(  # noqa: T201  # the same
            f"{LONG} messages and their copies at {ROUND_TRIP * 1000:.0f} ms: smtplib and imaplib {theirs:.2f} s; "
            f"send_many {ours:.2f} s, {theirs / ours:.1f} times as fast; {ours / without:.2f} times as long as without copies"
        )


def main() -> None:
    with mail_server() as (postfix, state):
        for journal in ("", str(state / "batch")):
            subprocess.run([sys.executable, "-m", __spec__.name, str(postfix.relay), journal], check=True)
        anchor(postfix)
        long_link(postfix)
        copies(postfix, state)
        loop(postfix)


if __name__ == "__main__":
    if sys.argv[1:]:
        memory(int(sys.argv[1]), sys.argv[2])
    else:
        main()
