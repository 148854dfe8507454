"""Sending over a link that delays, beside smtplib, aiosmtplib, redmail and ``smtp-source``, into the same Postfix.

Run it with ``python -m tests.benchmarks.bench_delivery``, as root, where Postfix and Dovecot are installed. Times are on the
wall, in milliseconds, the shortest of several; the CPU's are of this process alone. What counts is the ratio, in one run.
"""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

import aiosmtplib
from redmail.email.sender import EmailSender

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.envelope import Envelope
from mailconn_jupyter.session.smtp.pipeline import Posted, post
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.benchmarks.mail_server import mail_server
from tests.servers.postfix import Postfix
from tests.servers.relay import Relay

SENDER, SINK = "bob@example.test", "ana@sink.test"
ROUNDS, MANY = 5, 200
Clock = Callable[[], float]


def letter(*to: str) -> EmailMessage:
    """4 kB of text."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, ", ".join(to or (SINK,)), "Churn, week 47"
    message["Date"], message["Message-ID"] = "Mon, 23 Nov 2026 10:00:00 +0000", "<1@example.test>"
    message.set_content("Three things moved, says Ana.\n" * 135)
    return message


def fastest(work: Callable[[], object], rounds: int = ROUNDS, clock: Clock = time.perf_counter) -> float:
    """The shortest of several times, in milliseconds; the first one pays for what is kept."""
    times = []
    for _ in range(rounds + 1):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times[1:] if rounds > 1 else times) * 1000


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  # its output


def table(title: str, rows: dict[str, float], base: str) -> None:
    """The times, and the ratio of each to that of ``base``."""
    say(f"\n{title}")
    for name, milliseconds in rows.items():
        say(f"  {name:44}{milliseconds:10.2f} ms   x{milliseconds / rows[base]:.3f}")


@contextmanager
def session_to(port: int, *without: str) -> Iterator[SMTPSession]:
    """An open session, with a server that seems not to offer some extensions."""
    connection = MailConnection(
        name="bench",
        server_host="127.0.0.1",
        server_port=port,
        use_secure_authentication=False,
        use_authentication=False,
    )
    with connect(connection) as session:
        for extension in without:
            session.esmtp_features.pop(extension, None)
        yield session


def by_redmail(port: int) -> Callable[[], object]:
    """Redmail on a link of its own that stays open."""
    sender = EmailSender(host="127.0.0.1", port=port, use_starttls=False)
    sender.connect()  # type: ignore[no-untyped-call]  # theirs
    text = letter().get_content()
    return lambda: sender.send(subject="Churn, week 47", sender=SENDER, receivers=[SINK], text=text)


def by_aiosmtplib(port: int, messages: list[EmailMessage]) -> float:
    """One message after the other on one link: aiosmtplib lets no more be on their way."""

    async def run() -> float:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            await client.send_message(letter())
            start = time.perf_counter()
            for message in messages:
                await client.send_message(message)
            return (time.perf_counter() - start) * 1000

    return asyncio.run(run())


def posted(session: SMTPSession, count: int) -> Iterator[Posted]:
    """Personal messages, made as they are taken."""
    for number in range(count):
        to = f"ana{number}@sink.test"
        envelope, data = session.serialised(Envelope.of(SENDER, [to]), letter(to))
        yield Posted(number, envelope, data)


def post_all(session: SMTPSession, count: int, window: int) -> None:
    for posted_one, fates in post(session, posted(session, count), window=window):
        assert all(fate.outcome == "accepted" for fate in fates.values()), posted_one.key


def one_message(port: int) -> None:
    rows: dict[str, float] = {}
    with smtplib.SMTP("127.0.0.1", port) as theirs:
        rows["smtplib"] = fastest(lambda: theirs.send_message(letter()))
    rows["aiosmtplib"] = by_aiosmtplib(port, [letter()] * ROUNDS) / ROUNDS
    rows["redmail"] = fastest(by_redmail(port))
    for name, without in {
        "ours, CHUNKING": (),
        "ours, PIPELINING alone": ("chunking",),
        "ours, neither": ("chunking", "pipelining"),
    }.items():
        with session_to(port, *without) as session:
            rows[name] = fastest(lambda session=session: session.send_message(letter()))  # type: ignore[misc]  # bound now
    table("One message of 4 kB on an open session, 40 ms (at most 0.30, 0.55, 1.0)", rows, "smtplib")


def fifty_recipients(port: int) -> None:
    to = [f"ana{number}@sink.test" for number in range(50)]
    rows: dict[str, float] = {}
    with smtplib.SMTP("127.0.0.1", port) as theirs:
        rows["smtplib"] = fastest(lambda: theirs.send_message(letter(*to)), 1)
    for name, without in {"ours, CHUNKING": (), "ours, PIPELINING alone": ("chunking",)}.items():
        with session_to(port, *without) as session:
            rows[name] = fastest(lambda session=session: session.send_message(letter(*to)))  # type: ignore[misc]  # the same
    table("One message to 50 recipients, 40 ms (at most 0.05)", rows, "smtplib")


def many(port: int, postfix: Postfix, delay: float) -> None:
    """On one connection each: what more of them bring is the business of send_many()."""
    rows: dict[str, float] = {}

    def loop() -> None:
        with smtplib.SMTP("127.0.0.1", port) as theirs:
            for number in range(MANY):
                theirs.send_message(letter(f"ana{number}@sink.test"))

    rows["smtplib, a loop"] = fastest(loop, 1)
    rows["aiosmtplib, a loop"] = by_aiosmtplib(port, [letter() for _ in range(MANY)])
    for window in 1, 5, 20:
        with session_to(port) as session:
            name = f"ours, post(), {f'BDAT, a window of {window}' if window > 1 else 'grouped DATA'}"
            rows[name] = fastest(lambda session=session, window=window: post_all(session, MANY, window), 1)  # type: ignore[misc]
    source = ["smtp-source", "-m", str(MANY), "-l", "4096", "-f", SENDER, "-t", SINK, f"127.0.0.1:{port}"]
    # The anchor: C, one command at a time; -d keeps its connection.
    rows["smtp-source, one connection"] = fastest(
        lambda: subprocess.run([*source[:1], "-d", *source[1:]], check=True), 1
    )
    table(f"{MANY} personal messages, {delay * 1000:.0f} ms, one connection", rows, "smtplib, a loop")


def processor(port: int) -> None:
    """Of ``send_message`` alone: the messages are there."""
    rows: dict[str, float] = {}

    def works(send: Callable[[EmailMessage], object]) -> float:
        batches = iter([[letter() for _ in range(100)] for _ in range(ROUNDS + 1)])
        return fastest(lambda: [send(message) for message in next(batches)], clock=time.process_time) / 100

    with smtplib.SMTP("127.0.0.1", port) as theirs, session_to(port) as ours:
        rows["smtplib"] = works(theirs.send_message)
        rows["ours"] = works(ours.send_message)
        envelope, data = ours.serialised(Envelope.of(SENDER, [SINK]), letter())
        rows["ours, serialised before"] = works(lambda _: ours.sendmail(SENDER, [SINK], data, envelope.parameters))
    table("CPU of send_message, 4 kB (at most 1.2)", rows, "smtplib")


def main() -> None:
    warnings.simplefilter("ignore")
    with mail_server() as (postfix, _):
        with Relay(postfix.relay, round_trip=0.04) as link:
            one_message(link.port)
            fifty_recipients(link.port)
        with Relay(postfix.relay, round_trip=0.025) as link:
            many(link.port, postfix, 0.025)
        many(postfix.relay, postfix, 0.0)
        processor(postfix.relay)


if __name__ == "__main__":
    main()
