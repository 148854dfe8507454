"""A batch with a journal in a process of its own: ``python -m tests.support.batch_process PORT JOURNAL COUNT``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from email.message import EmailMessage

import mailconn_jupyter as mailconn
from tests.support.batches import letter, to

__all__ = ["keyed"]


def keyed(count: int) -> Iterator[tuple[str, EmailMessage]]:
    """Messages with their keys, made anew each time."""
    for number in range(count):
        yield f"customer {number}", letter(f"user{number}@example.test", number)


def main(port: str, journal: str, count: str) -> None:
    print("begun", flush=True)  # noqa: T201  # whoever started it waits for this
    try:
        report = mailconn.send_many(to(int(port)), keyed(int(count)), journal=journal)
    except mailconn.MailConnError as error:
        print(error.message, flush=True)  # noqa: T201  # as above
    else:
        print(report.counts, flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    main(*sys.argv[1:])
