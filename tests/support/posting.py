"""Many messages over a link that is cut: what was said of each, beside what became of it.

``python -m tests.support.posting`` cuts it 200 times a mode and prints the figures; a test does so some times.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.message.mime.wire_format import Wire
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.envelope import Envelope
from mailconn_jupyter.session.smtp.errors import LinkLost
from mailconn_jupyter.session.smtp.pipeline import Fate, Posted, post
from mailconn_jupyter.session.smtp.session import SMTPSession
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.pipelining import BOTH, GROUPED, PipeliningServer
from tests.servers.relay import Cut, Relay

__all__ = ["MODES", "WINDOW", "Figures", "connection_to", "cut_often", "posted"]

MESSAGES, WINDOW, BOB = 30, 8, "bob@example.test"
#: What the server offers, and the window.
MODES: dict[str, tuple[tuple[str, ...], int]] = {
    "grouped DATA": (GROUPED, 1),
    "BDAT": (BOTH, WINDOW),
    "one at a time": ((), 1),
}


def posted(key: object, *recipients: str, size: int = 200) -> Posted:
    """A message whose subject is its key."""
    content = f"Subject: {key}\r\n\r\n.\r\n".encode() + b"Three things moved.\r\n" * (size // 21)
    return Posted(key, Envelope.of(BOB, recipients or ("ana@example.test",)), Wire(content))


def connection_to(port: int, certificates: Certificates | None = None, **options: Any) -> MailConnection:
    """A connection without login, and over TLS where there are certificates."""
    plain: dict[str, Any] = {"use_secure_authentication": False}
    if certificates is not None:
        plain = {"secure_authentication_type": "SSL", "ca_file": str(certificates.ca.pem)}
    given = {"name": "ops", "server_host": "localhost", "server_port": port, "use_authentication": False, "timeout": 5}
    return MailConnection(**{**given, **plain, **options})


def batch(token: str) -> list[Posted]:
    """Of each kind some: small and large, to several, refused, greylisted, to nobody."""
    to = {3: ["gone@example.test"], 8: ["ana@example.test", "grey@example.test"], 15: ["grey@example.test"]}
    sizes = {5: 9_000, 11: 300_000, 20: 70_000}
    return [posted(f"{token} {number}", *to.get(number, ()), size=sizes.get(number, 200)) for number in range(MESSAGES)]


@dataclass
class Figures:
    """What was found over all cuts of a mode; ``wrong`` has a sentence for each outcome that was not so."""

    cuts: int = 0
    broken: int = 0
    most_unknown: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def send_all(session: SMTPSession, messages: list[Posted], window: int) -> tuple[dict[object, dict[str, Fate]], bool]:
    """What was said of each message that was taken, and whether the link was lost."""
    said: dict[object, dict[str, Fate]] = {}

    def taken() -> Iterator[Posted]:
        for message in messages:
            said[message.key] = {}
            yield message

    lost = False
    with closing(post(session, taken(), window=window)) as posting:
        try:
            for message, fates in posting:
                said[message.key] = fates
        except LinkLost:
            lost = True
    return said, lost


def judge(
    said: dict[object, dict[str, Fate]], messages: list[Posted], server: PipeliningServer, window: int, found: Figures
) -> None:
    unknown = 0
    for message in messages:
        subject = f"Subject: {message.key}\r\n".encode()
        there = [each.recipients for each in server.taken if each.content.startswith(subject)]
        if len(there) > 1:
            found.wrong.append(f"{message.key} is there {len(there)} times")
        fates = said.get(message.key, {})
        names = [str(each.address) for each in message.envelope.recipients]
        if message.key in said and set(fates) != set(names):
            found.wrong.append(f"{message.key}: told only of {fates}")
        for name in names:
            outcome = fates[name].outcome if name in fates else "not sent"
            found.outcomes[outcome] += 1
            has_it = any(name in recipients for recipients in there)
            if outcome != "unknown" and has_it != (outcome == "accepted"):
                found.wrong.append(f"{message.key}: {name} is told {outcome}, and has it: {has_it}")
        unknown += any(fate.outcome == "unknown" for fate in fates.values())
    found.most_unknown = max(found.most_unknown, unknown)
    if unknown > window:
        found.wrong.append(f"{unknown} unknown with a window of {window}")
    server.taken.clear()


def cut_often(mode: str, cuts: int, certificates: Certificates, seed: int) -> Figures:
    """Cut so many times: in either direction, by a reset or an end, over TLS and plain, at a random byte."""
    offers, window = MODES[mode]
    found, rng = Figures(), random.Random(seed)
    for secure in False, True:
        options = {"certificates": certificates if secure else None}
        tls = certificates.good.server_context() if secure else None
        with PipeliningServer(offers, tls=tls) as server:
            messages = batch("whole")
            with Relay(server.port) as whole, connect(connection_to(whole.port, **options)) as session:
                said, _ = send_all(session, messages, window)
            server.wait()
            sound = Figures()
            judge(said, messages, server, window, sound)
            assert sound.outcomes == {"accepted": MESSAGES - 2, "refused": 3}
            assert not sound.wrong
            for number in range(cuts // 2):
                up, reset = number % 2 == 0, number % 4 < 2
                # Behind the greetings: before them nothing is taken.
                cut = Cut(
                    after=rng.randrange(150, whole.bytes_from_client if up else whole.bytes_from_server), reset=reset
                )
                messages = batch(f"{mode}-{secure}-{number}")
                found.cuts += 1
                with Relay(server.port, to_server=cut if up else None, to_client=None if up else cut) as link:
                    try:
                        session = connect(connection_to(link.port, **options))
                    except OpenError:
                        continue
                    said, lost = send_all(session, messages, window)
                    session.close()
                server.wait()
                found.broken += lost
                judge(said, messages, server, window, found)
    return found


def main() -> None:
    cuts, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 200, 20261126
    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder))
        for mode in MODES:
            found = cut_often(mode, cuts, certificates, seed)
            print(  # noqa: T201  # its output
                f"{mode:14} {found.cuts} cuts, {found.broken} of them amid the batch: {len(found.wrong)} wrong, "
                f"at most {found.most_unknown} unknown; {dict(found.outcomes)}"
            )
            for words in found.wrong[:10]:
                print("  ", words)  # noqa: T201  # the same


if __name__ == "__main__":
    main()
