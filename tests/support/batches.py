"""Batches of messages for the tests of ``send_many()``, and the comparison of what was said with what is there."""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections import Counter
from email.message import EmailMessage
from typing import Any, Protocol

import mailconn_jupyter as mailconn
from mailconn_jupyter import DeliveryReport
from mailconn_jupyter.connection import MailConnection
from tests.servers.counting import Taken

__all__ = ["Counting", "arrived", "judge", "letter", "letters", "to"]


class Counting(Protocol):
    """A server that keeps what it took."""

    taken: list[Taken]


def to(port: int, **options: Any) -> MailConnection:
    """A connection to a server of the tests, over plain text and without a login."""
    plain = {"use_secure_authentication": False, "use_authentication": False, "timeout": 5}
    own = {"name": "ops", "server_host": "localhost", "server_port": port, "from_address": "Bob <bob@example.test>"}
    return MailConnection(**{**own, **plain, **options})


def letter(recipients: str, number: int = 0, **options: Any) -> EmailMessage:
    return mailconn.compose(
        recipients, f"number {number}", f"This is number {number}.", sender="bob@example.test", **options
    )


def letters(count: int, name: str = "user") -> list[EmailMessage]:
    """One to each of ``user0@example.test`` and so on."""
    return [letter(f"{name}{number}@example.test", number) for number in range(count)]


def arrived(server: Counting) -> Counter[tuple[int, str]]:
    """How often the message of each number is there for each recipient."""
    found: Counter[tuple[int, str]] = Counter()
    for taken in list(server.taken):
        subject = str(email.message_from_bytes(taken.content, policy=email.policy.default)["Subject"])
        number = int(re.fullmatch(r"number (\d+)", subject)[1])  # type: ignore[index]  # letter() writes it
        found.update((number, recipient) for recipient in taken.recipients)
    return found


def judge(report: DeliveryReport, server: Counting) -> None:
    """What is said to be there is there, what is said not to be there is not, and nothing is there twice."""
    rows = report.deliveries
    accepted = {(row.index, row.recipient) for row in rows if row.outcome == "accepted"}
    # What passed a cut may still be on its way through the server's loop.
    end = time.monotonic() + 2
    while not accepted <= arrived(server).keys() and time.monotonic() < end:
        time.sleep(0.001)
    there = arrived(server)
    assert accepted <= there.keys()
    assert [pair for pair, count in there.items() if count > 1] == []
    assert {
        (row.index, row.recipient) for row in rows if row.outcome in {"refused", "not sent"}
    } & there.keys() == set()
    assert len({(row.index, row.recipient) for row in rows}) == len(rows)
