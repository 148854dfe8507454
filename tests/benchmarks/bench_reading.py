"""Reading: whether it grows with the folder, beside a plain ``imaplib`` loop, and mailbox files: of 1 GB, of short messages.

Run it with ``python -m tests.benchmarks.bench_reading``; it needs Dovecot.
"""

from __future__ import annotations

import email
import email.header
import email.policy
import imaplib
import ssl
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mailconn_jupyter import messages, to_frame
from mailconn_jupyter.session.connect import connect
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.servers.state_folder import certified_folder
from tests.support.mailboxes import Mail, Mailbox, mail, mailbox_of

SMALL, LARGE = 1_000, 10_000
RECEIVED = "".join(
    f"Received: from relay{hop}.example.net by relay{hop + 1}.example.net with ESMTPS id {hop:032x};\n"
    f" Sun, 22 Nov 2026 08:3{hop}:00 +0000\n"
    for hop in range(4)
)


# On the wall, and of this process alone.
CLOCKS = (time.perf_counter, time.process_time)


def fastest(work: Callable[[], object], rounds: int = 5, clock: Callable[[], float] = time.perf_counter) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(rounds):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def peak(work: Callable[[], object]) -> int:
    """The most memory that Python had at once, in bytes."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def mails(count: int) -> list[Mail]:
    made = [mail(f"Grüße number {number}", text="Hello.\n" * 100) for number in range(100)]
    return [Mail(RECEIVED.encode() + each.raw) for each in made] * (count // 100)


@contextmanager
def logged_in(dovecot: Dovecot, box: Mailbox) -> Iterator[imaplib.IMAP4]:
    """A bare ``imaplib``, over the same TLS."""
    context = ssl.create_default_context(cafile=str(box.connection.ca_file))
    with imaplib.IMAP4("localhost", dovecot.imap) as client:
        client.starttls(context)
        user = box.connection.name
        login = f"{user}\0{dovecot.master[0]}\0{dovecot.master[1]}"
        client.authenticate("PLAIN", lambda _: login.encode())
        yield client


def plain_loop(dovecot: Dovecot, box: Mailbox) -> list[str]:
    """What people write: one FETCH a message."""
    found = []
    with logged_in(dovecot, box) as client:
        client.select("INBOX", readonly=True)
        for uid in client.uid("SEARCH", "ALL")[1][0].split():
            _, data = client.uid("FETCH", uid.decode(), "(BODY.PEEK[HEADER])")
            subject = email.message_from_bytes(data[0][1])["Subject"]
            found.append(str(email.header.make_header(email.header.decode_header(subject))))
    return found


def bare(dovecot: Dovecot, box: Mailbox) -> None:
    """The same headers by one command of a bare ``imaplib``: what the server takes for them, however they are asked for."""
    with logged_in(dovecot, box) as client:
        _, count = client.select("INBOX", readonly=True)
        last = int(count[0] or 0)
        client.fetch(f"{last - 99}:{last}", "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER])")


def growth(dovecot: Dovecot, boxes: dict[int, Mailbox]) -> None:
    """The newest 100 headers as a DataFrame, in a small and in a large folder."""
    figures: dict[str, list[float]] = {}
    for size, box in boxes.items():
        with connect(box.connection) as session:
            # The server has indexed it, as it has any folder that was used before.
            list(session.stream("1:*", "(UID RFC822.SIZE BODY.PEEK[HEADER])"))
        ours = [fastest(lambda box=box: to_frame(box.connection, limit=100), clock=clock) for clock in CLOCKS]  # type: ignore[misc]
        memory = peak(lambda box=box: to_frame(box.connection, limit=100))  # type: ignore[misc]
        theirs = fastest(lambda box=box: bare(dovecot, box))  # type: ignore[misc]
        say(
            f"newest 100 of {size:6} to a DataFrame: {ours[0] * 1000:6.1f} ms, of which {ours[1] * 1000:5.1f} ms are ours;"
            f" {memory / 1e6:.2f} MB. The server, asked by a bare imaplib: {theirs * 1000:6.1f} ms"
        )
        figures[f"{size}"] = [*ours, memory, theirs]
    ratios = [large / small for small, large in zip(figures[f"{SMALL}"], figures[f"{LARGE}"], strict=True)]
    said = zip(("time", "our own time", "memory", "a bare imaplib's time"), ratios, strict=True)
    say(f"  ratio {LARGE} : {SMALL}   " + "   ".join(f"{what} {ratio:.2f}" for what, ratio in said))


def subjects(dovecot: Dovecot, box: Mailbox) -> None:
    """All subjects, here and by the plain loop."""

    def ours() -> list[str]:
        return [message.subject for message in messages(box.connection, body=False)]

    assert ours() == plain_loop(dovecot, box)[::-1]
    quick, plain = fastest(ours, 3), fastest(lambda: plain_loop(dovecot, box), 3)
    say(f"{LARGE} subjects: messages() {quick:.2f} s, a plain imaplib loop {plain:.2f} s   ratio {plain / quick:.1f}")


def gigabyte(path: Path) -> None:
    """The first and the last message of a file of 1 GB."""
    size = fill(path, 3_000, 10**9)
    for name, code in {
        "opened only": "connect(box).close()",
        "first message": "print(next(iter(connect(box)))['Subject'], file=sys.stderr)",
        "newest message": "print(next(messages(box)).subject, file=sys.stderr)",
        "all subjects": SUBJECTS,
        "mailbox.mbox: first message": "print(next(iter(mailbox.mbox(sys.argv[1])))['Subject'], file=sys.stderr)",
    }.items():
        taken, own, grown = alone(path, code)
        say(
            f"{size / 1e9:.2f} GB file, {name:28} {taken * 1000:8.1f} ms, {own * 1000:8.1f} ms of CPU"
            f"  {grown / 1000:6.1f} MB more memory"
        )


def short_messages(path: Path) -> None:
    """What a list shows of each message of a file of many short ones."""
    size = fill(path, 140, 200 * 10**6)
    for name, code in {
        "all subjects": SUBJECTS,
        "and dates and senders": "print(len([(m.subject, m.date, m.sender) for m in messages(box, body=False)]), file=sys.stderr)",
        "keys of the session": "print(len(connect(box)), file=sys.stderr)",
    }.items():
        own = min(alone(path, code)[1] for _ in range(5))
        say(f"{size / 1e6:.0f} MB in short messages, {name:22} {own * 1000:8.1f} ms of CPU")


SUBJECTS = "print(len([m.subject for m in messages(box, body=False)]), file=sys.stderr)"


def fill(path: Path, lines: int, size: int) -> int:
    """Write a mailbox file of equal messages of so many lines of 70 characters; returns its bytes."""
    body = mail("number", text=f"{'Hello. ' * 10}\n" * lines).raw
    message = b"From ana@example.org Sun Nov 22 08:30:00 2026\n" + body + b"\n"
    with path.open("wb", buffering=2**24) as file:
        while file.tell() < size:
            file.write(message)
    return path.stat().st_size


def alone(path: Path, code: str) -> tuple[float, ...]:
    """Do it in a process of its own: the seconds that it takes, those of CPU among them, and the memory, in kB."""
    program = (
        "import mailbox, sys, time\n"
        "from mailconn_jupyter import MailConnection, messages\n"
        "from mailconn_jupyter.session.connect import connect\n"
        "from mailconn_jupyter.mailbox import by_mbox\n"
        "from mailconn_jupyter.session.mbox import session\n"
        "box = MailConnection(name='large', protocol='MBOX', server_host=sys.argv[1])\n"
        "def most(): return int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])\n"
        "before = most()\n"
        "start, own = time.perf_counter(), time.process_time()\n"
        f"{code}\n"
        "print(time.perf_counter() - start, time.process_time() - own, most() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


def say(line: str) -> None:
    print(line)  # noqa: T201  # the figures are its output


def main() -> None:
    with certified_folder() as (folder, certificates):
        with run_dovecot(folder / "dovecot", certificates) as dovecot:
            boxes = {
                size: mailbox_of(
                    "IMAP", f"size{size}", mails(size), dovecot=dovecot, certificates=certificates, folder=folder
                )
                for size in (SMALL, LARGE)
            }
            growth(dovecot, boxes)
            subjects(dovecot, boxes[LARGE])
        gigabyte(folder / "large.mbox")
        short_messages(folder / "many.mbox")


if __name__ == "__main__":
    main()
