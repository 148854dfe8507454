"""Reading beside imap_tools and imaplib: times, round trips and memory, over a long link and over none; and the parser's rate.

Run it with ``python -m tests.benchmarks.bench_reading_peers``; it needs Dovecot. imap_tools is asked in bulk, imaplib by one
FETCH whose messages the standard library's quickest policy (compat32) takes apart. A ratio over 1 says how many times as fast
ours is as the better of both. The relay is a process of its own; the least of several rounds, taken in turn, counts.
"""

from __future__ import annotations

import contextlib
import email
import email.header
import email.message
import email.utils
import imaplib
import random
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from typing import Any, Final

import imap_tools
import pandas as pd

from mailconn_jupyter import ParsedMessage, messages, to_frame
from mailconn_jupyter.session.connect import connect
from tests.benchmarks.bench_reading import RECEIVED, fastest, mails, say
from tests.benchmarks.long_link import LongLink, long_link
from tests.fuzz.corpus import MESSAGES
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.servers.state_folder import certified_folder
from tests.support.broken_mail import BROKEN
from tests.support.mailboxes import Mail, Mailbox, mailbox_of

ROUND_TRIPS: Final = (0.0, 0.04)
ROUNDS: Final = 5
WHOLE: Final = 1_000
COLUMNS: Final = ["date", "from", "to", "subject", "size", "text", "attachments"]


def with_files(count: int) -> list[Mail]:
    """Messages of about 13 kB: a text, the same as HTML, and a file."""
    chance = random.Random(1)
    made = []
    for number in range(100):
        message = EmailMessage()
        message["From"], message["To"] = "Ana Müller <ana@example.org>", "bob@example.org"
        message["Subject"], message["Date"] = f"Grüße number {number}", "Sun, 22 Nov 2026 08:30:00 +0000"
        message.set_content("Hello, here are the figures of this week.\n" * 40)
        message.add_alternative("<p>Hello, here are the <b>figures</b></p>\n" * 40, subtype="html")
        name = f"figures-{number}.csv"
        message.add_attachment(chance.randbytes(6000), maintype="application", subtype="octet-stream", filename=name)
        made.append(Mail(RECEIVED.encode() + message.as_bytes()))
    return made * (count // 100)


class Place:
    """A folder of Dovecot's behind a link, for each of the three."""

    def __init__(self, dovecot: Dovecot, box: Mailbox, link: LongLink) -> None:
        self.connection = box.connection.copy(server_port=link.port)
        self._context = ssl.create_default_context(cafile=str(box.connection.ca_file))
        self._port = link.port
        self._login = f"{box.connection.name}\0{dovecot.master[0]}\0{dovecot.master[1]}".encode()

    @contextlib.contextmanager
    def bare(self) -> Iterator[tuple[imaplib.IMAP4, int]]:
        """By imaplib, and how many messages there are."""
        with imaplib.IMAP4("localhost", self._port) as client:
            client.starttls(self._context)
            client.authenticate("PLAIN", lambda _: self._login)
            yield client, int(client.select("INBOX", readonly=True)[1][0] or 0)

    @contextlib.contextmanager
    def tools(self) -> Iterator[imap_tools.BaseMailBox]:
        box = imap_tools.MailBoxStartTls("localhost", self._port, ssl_context=self._context)
        box.client.authenticate("PLAIN", lambda _: self._login)
        box.folder.set("INBOX", readonly=True)
        yield box
        box.logout()


def decoded(value: Any) -> str:
    return str(email.header.make_header(email.header.decode_header(value)))


def row(raw: bytes, *, whole: bool) -> list[Any]:
    """What people write around imaplib."""
    message = email.message_from_bytes(raw)
    text, files = "", 0
    for part in message.walk() if whole else ():
        if part.get_filename():
            part.get_payload(decode=True)
            files += 1
        elif part.get_content_type() == "text/plain":
            body: Any = part.get_payload(decode=True)
            text = body.decode(part.get_content_charset() or "utf-8", "replace")
    date = email.utils.parsedate_to_datetime(message["Date"])
    return [date, *(decoded(message[name]) for name in ("From", "To", "Subject")), len(raw), text, files]


def bare_frame(place: Place, numbers: Callable[[int], str], section: str, *, whole: bool) -> pd.DataFrame:
    with place.bare() as (client, count):
        _, data = client.fetch(numbers(count), f"(UID FLAGS RFC822.SIZE BODY.PEEK[{section}])")
        rows = [row(each[1], whole=whole) for each in reversed(data) if isinstance(each, tuple)]
    return pd.DataFrame(rows, columns=COLUMNS)


def tools_frame(place: Place, *, whole: bool, **asked: Any) -> pd.DataFrame:
    with place.tools() as box:
        found = box.fetch(mark_seen=False, bulk=True, reverse=True, headers_only=not whole, **asked)
        rows = [
            [
                each.date,
                each.from_,
                each.to,
                each.subject,
                each.size,
                *((each.text, len(each.attachments)) if whole else ("", 0)),
            ]
            for each in found
        ]
    return pd.DataFrame(rows, columns=COLUMNS)


# What is asked: by ours, imap_tools and imaplib, each of which returns what the others do.

Work = Callable[[Place], int]


def whole_frames() -> Sequence[Work]:
    return (
        lambda place: len(to_frame(place.connection, text=True)),
        lambda place: len(tools_frame(place, whole=True)),
        lambda place: len(bare_frame(place, lambda _: "1:*", "", whole=True)),
    )


def all_files() -> Sequence[Work]:
    def ours(place: Place) -> int:
        return sum(len(file.data) for message in messages(place.connection) for file in message.attachments)

    def tools(place: Place) -> int:
        with place.tools() as box:
            found = box.fetch(mark_seen=False, bulk=True, reverse=True)
            return sum(len(file.payload) for message in found for file in message.attachments)

    def bare(place: Place) -> int:
        size = 0
        with place.bare() as (client, _):
            for each in client.fetch("1:*", "(UID BODY.PEEK[])")[1]:
                if isinstance(each, tuple):
                    parts = email.message_from_bytes(each[1]).walk()
                    size += sum(len(bytes(part.get_payload(decode=True))) for part in parts if part.get_filename())
        return size

    return ours, tools, bare


def newest_headers() -> Sequence[Work]:
    return (
        lambda place: len(to_frame(place.connection, limit=100)),
        lambda place: len(tools_frame(place, whole=False, limit=100)),
        lambda place: len(bare_frame(place, lambda count: f"{count - 99}:{count}", "HEADER", whole=False)),
    )


def found_by_subject() -> Sequence[Work]:
    def bare(place: Place) -> int:
        with place.bare() as (client, _):
            found = b",".join(client.search(None, "SUBJECT", '"number 77"')[1][0].split()).decode()
            _, data = client.fetch(found, "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER])")
            return len([row(each[1], whole=False) for each in data if isinstance(each, tuple)])

    return (
        lambda place: len(to_frame(place.connection, subject="number 77")),
        lambda place: len(tools_frame(place, whole=False, criteria=imap_tools.AND(subject="number 77"))),
        bare,
    )


QUESTIONS: Final[dict[str, tuple[Callable[[], Sequence[Work]], int]]] = {
    "1,000 whole messages to a DataFrame": (whole_frames, WHOLE),
    "the attachments of 1,000 messages": (all_files, WHOLE),
    "the newest 100 headers of 10,000": (newest_headers, 10_000),
    "the newest 100 headers of 100,000": (newest_headers, 100_000),
    "a search by subject in 10,000": (found_by_subject, 10_000),
}


def compare(dovecot: Dovecot, boxes: dict[int, Mailbox]) -> None:
    for name, (work, size) in QUESTIONS.items():
        for round_trip in ROUND_TRIPS:
            best: dict[int, tuple[float, float, int]] = {}
            answers = set()
            for number, each in [(number, each) for _ in range(ROUNDS) for number, each in enumerate(work())]:
                with long_link(dovecot.imap, round_trip) as link:
                    place = Place(dovecot, boxes[size], link)
                    wall, own = time.perf_counter(), time.process_time()
                    answers.add(each(place))
                    taken = (time.perf_counter() - wall, time.process_time() - own, link.turns)
                best[number] = min(best.get(number, taken), taken)
            assert len(answers) == 1, answers
            shown = [f"{wall:.3f} s ({own:.3f} of it CPU, {turns} turns)" for wall, own, turns in best.values()]
            peers = min(best[1][0], best[2][0])
            say(f"{name}, {round_trip * 1000:.0f} ms: ours {shown[0]}, imap_tools {shown[1]}, imaplib {shown[2]}")
            say(f"  ratio to the better of both {peers / best[0][0]:.2f}")


def memory(dovecot: Dovecot, box: Mailbox) -> None:
    """What a process takes for 10,000 whole messages, one after the other, over what it took for the first."""
    for name, code in {
        "ours": "for message in messages(box): len(message.text) + len(message.attachments)",
        "imap_tools in bulk": "for message in tools().fetch(mark_seen=False, bulk=True): len(message.text) + len(message.attachments)",
    }.items():
        program = (
            "import ssl, sys, imap_tools\n"
            "from mailconn_jupyter import MailConnection, messages\n"
            "from mailconn_jupyter.credentials.manage import set_password\n"
            "from tests.support.isolation import give_password\n"
            "name, port, ca, user, password = sys.argv[1:]\n"
            "give_password(name, password)\n"
            "box = MailConnection(name=name, protocol='IMAP', server_host='localhost', server_port=int(port), ca_file=ca,\n"
            "    username=user, authorization_id=name, sasl_mechanism='PLAIN')\n"
            "def tools():\n"
            "    context = ssl.create_default_context(cafile=ca)\n"
            "    made = imap_tools.MailBoxStartTls('localhost', int(port), ssl_context=context)\n"
            "    made.client.authenticate('PLAIN', lambda _: f'{name}\\0{user}\\0{password}'.encode())\n"
            "    made.folder.set('INBOX', readonly=True)\n"
            "    return made\n"
            "def most(): return int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])\n"
            "next(messages(box, limit=1)).text\n"
            "next(tools().fetch(mark_seen=False, limit=1)).text\n"
            "before = most()\n"
            f"{code}\n"
            "print(most() - before)\n"
        )
        arguments = [box.connection.name, str(dovecot.imap), str(box.connection.ca_file), *dovecot.master]
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        say(
            f"10,000 whole messages ({10_000 * 13.5 / 1000:.0f} MB), {name}: {int(done.stdout) / 1000:.1f} MB more memory"
        )


def by_compat32(raw: bytes) -> None:
    """The standard library's quickest, with what it can decode; of what is broken it may raise anything."""
    with contextlib.suppress(Exception):
        for part in email.message_from_bytes(raw).walk():
            part.get_filename()
            if not part.is_multipart():
                part.get_payload(decode=True)


def parsing() -> None:
    """Seconds a megabyte, beside those of compat32: what programs write, and what they should not."""
    chosen = {
        "with a file, as programs write it": [each.raw for each in with_files(100)],
        "the corpus of the fuzzer": MESSAGES,
        "broken mail": [each.raw for each in BROKEN],
    }
    slowest: list[tuple[float, float, str]] = []
    for name, raws in chosen.items():
        size = sum(map(len, raws)) / 1e6
        ours = fastest(lambda raws=raws: [ParsedMessage(raw).parts for raw in raws])  # type: ignore[misc]
        theirs = fastest(lambda raws=raws: list(map(by_compat32, raws)), 3)  # type: ignore[misc]
        say(
            f"{name}: {ours / size * 1000:.1f} ms a megabyte, compat32 {theirs / size * 1000:.1f}   ratio {theirs / ours:.2f}"
        )
    for each in BROKEN:
        if len(each.raw) > 5_000:
            taken = fastest(lambda each=each: ParsedMessage(each.raw).parts, 3)  # type: ignore[misc]
            theirs = fastest(lambda each=each: by_compat32(each.raw), 1)  # type: ignore[misc]
            slowest.append((theirs / taken, taken / len(each.raw) * 1e6, each.name))
    for ratio, rate, which in sorted(slowest)[:3]:
        say(f"  the worst of the broken ones, {which}: {rate * 1000:.1f} ms a megabyte   ratio {ratio:.2f}")


def main() -> None:
    parsing()
    with certified_folder() as (folder, certificates), run_dovecot(folder / "dovecot", certificates) as dovecot:

        def box(name: str, given: list[Mail]) -> Mailbox:
            made = mailbox_of("IMAP", name, given, dovecot=dovecot, certificates=certificates, folder=folder)
            with connect(made.connection) as session:
                # The server has indexed it, as it has any folder that was used before.
                list(session.stream("1:*", "(UID RFC822.SIZE BODY.PEEK[HEADER])"))
            return made

        boxes = {WHOLE: box("whole", with_files(WHOLE)), 10_000: box("ten", mails(10_000))}
        boxes[100_000] = box("hundred", mails(100_000))
        compare(dovecot, boxes)
        memory(dovecot, box("memory", with_files(10_000)))


if __name__ == "__main__":
    main()
