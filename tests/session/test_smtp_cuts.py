"""A link that breaks anywhere: what is said of a message is what became of it."""

from __future__ import annotations

import random
import smtplib
import time
from collections.abc import Callable
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.smtp.errors import DeliveryUnknown, LinkLost
from tests.servers.certificates import Certificates
from tests.servers.counting import CountingServer
from tests.servers.pipelining import BOTH, GROUPED, PipeliningServer
from tests.servers.relay import Cut, Relay

SEED = 20250917
OFFSETS = 100
MESSAGES = ("first", "second")


def letter(token: str) -> bytes:
    return f"Subject: {token}\r\n\r\nThree things moved.\r\n.\r\n..\r\n".encode()


def send_all(port: int, token: str, options: dict[str, Any]) -> dict[str, str]:
    """Send the messages through one session; what is said of each: accepted, failed or unknown."""
    said = {f"{token} {name}": "failed" for name in MESSAGES}
    connection = MailConnection(
        name="ops", server_host="localhost", server_port=port, use_authentication=False, timeout=5, **options
    )
    try:
        session = connect(connection)
    except OpenError:
        return said
    for subject in said:
        try:
            refused = session.sendmail("bob@example.test", ["alice@example.test"], letter(subject))
            said[subject] = "accepted"
            assert refused == {}
        except DeliveryUnknown:
            said[subject] = "unknown"
        except (LinkLost, OpenError):
            said[subject] = "failed"
    try:
        session.quit()
    except smtplib.SMTPException:
        session.close()
    return said


def judge(said: dict[str, str], server: CountingServer | PipeliningServer) -> None:
    # What passed the cut may still be on its way through the server's loop.
    wanted = sum(outcome == "accepted" for outcome in said.values())
    end = time.monotonic() + 1
    while len(server.taken) < wanted and time.monotonic() < end:
        time.sleep(0.001)
    for subject, outcome in said.items():
        there = sum(f"Subject: {subject}\r\n".encode() in message.content for message in server.taken)
        assert there <= 1, f"{subject} was delivered {there} times ({outcome})"
        if outcome != "unknown":
            assert there == (outcome == "accepted"), f"{subject}: said to be {outcome}, and there {there} times"


#: One command at a time, grouped, and all in one flight.
SERVERS: dict[str, Callable[[], CountingServer | PipeliningServer]] = {
    "alone": CountingServer,
    "grouped": lambda: PipeliningServer(GROUPED),
    "BDAT": lambda: PipeliningServer(BOTH),
}


def conversation(server: CountingServer | PipeliningServer, options: dict[str, Any]) -> Relay:
    """The same sends over a sound link: how many bytes go either way."""
    with Relay(server.port) as link:
        assert set(send_all(link.port, "whole", options).values()) == {"accepted"}
    return link


def cutting(server: CountingServer | PipeliningServer, direction: str, cut: Cut) -> Relay:
    return Relay(server.port, to_server=cut) if direction == "to_server" else Relay(server.port, to_client=cut)


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
@pytest.mark.parametrize("kind", SERVERS)
def test_what_is_said_of_a_message_is_true_wherever_a_plain_link_is_cut(kind: str, direction: str, reset: bool) -> None:
    options = {"use_secure_authentication": False}
    print(f"seed {SEED}")  # noqa: T201  # shown when the test fails
    unknown = 0
    with SERVERS[kind]() as server:
        whole = conversation(server, options)
        length = whole.bytes_from_client if direction == "to_server" else whole.bytes_from_server
        offsets = set(random.Random(SEED).sample(range(length), min(OFFSETS // 2, length)))
        if direction == "to_server" and not reset:
            # The neighbourhood of the final dots, too: that is where it counts.
            offsets |= set(range(length - 20, length + 1))
        for offset in sorted(offsets):
            with cutting(server, direction, Cut(after=offset, reset=reset)) as link:
                said = send_all(link.port, f"{direction}{reset}{offset}", options)
            judge(said, server)
            unknown += list(said.values()).count("unknown")
            # The first message's dot is far from the beginning: before EHLO nothing can be in doubt.
            if offset < 15:
                assert "unknown" not in said.values()
    if direction == "to_client":
        assert unknown


def test_what_is_said_of_a_message_is_true_wherever_a_tls_link_is_cut(certificates: Certificates) -> None:
    options = {"secure_authentication_type": "SSL", "ca_file": str(certificates.ca.pem)}
    print(f"seed {SEED}")  # noqa: T201  # shown when the test fails
    with CountingServer(certificates.good.server_context()) as server:
        whole = conversation(server, options)
        rng = random.Random(SEED)
        for direction, length in (("to_server", whole.bytes_from_client), ("to_client", whole.bytes_from_server)):
            for offset in rng.sample(range(length), 15):
                with cutting(server, direction, Cut(after=offset)) as link:
                    said = send_all(link.port, f"tls{direction}{offset}", options)
                judge(said, server)


def test_nothing_is_in_doubt_before_the_final_dot_has_left() -> None:
    options = {"use_secure_authentication": False}
    with CountingServer() as server:
        whole = letter("cut first")
        with Relay(server.port, to_server=Cut(after=b"Three things")) as link:
            said = send_all(link.port, "cut", options)
        judge(said, server)
    # The kernel took the dot before the link was cut: from here that cannot be told from a server that has it.
    assert whole.endswith(b"..\r\n")
    assert said["cut first"] == "unknown"
    assert not server.taken
