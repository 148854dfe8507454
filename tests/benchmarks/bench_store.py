"""How long 1,000 connections take to list, beside reading the same files with ``json.load``.

Run it with ``python -m tests.benchmarks.bench_store``.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.store import ConnectionStore
from mailconn_jupyter.store.layer import serialise

CONNECTIONS = 1000


def fill(folder: Path, count: int = CONNECTIONS) -> None:
    """Put ``count`` connections with all usual options into ``folder``."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(count):
        connection = MailConnection(
            name=f"connection-{number:04}",
            server_host=f"mail{number}.example.org",
            username=f"user{number}@example.org",
            trusted_hosts=f"mail{number}.example.org=sha256:{number:064x}",
            from_address=f"User {number} <user{number}@example.org>",
        )
        # Not through save(): 1,000 flushes to the disk say nothing about listing.
        (folder / f"{connection.name}.json").write_bytes(serialise(connection, {}))


def fastest(work: Callable[[], object], rounds: int = 5) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def load_all(folder: Path) -> list[object]:
    """The plain loop that listing is compared with."""
    found = []
    for path in sorted(folder.glob("*.json")):
        with path.open(encoding="utf-8") as file:
            found.append(json.load(file))
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory, "mailconn")
        fill(folder)
        store = ConnectionStore(folder, [])
        listing, plain = fastest(store.values), fastest(lambda: load_all(folder))
        one = fastest(lambda: store["connection-0500"])
        assert len(store) == CONNECTIONS
    print(f"list {CONNECTIONS} connections   {listing * 1000:7.1f} ms")  # noqa: T201  # the figures are its output
    print(f"json.load of the files    {plain * 1000:7.1f} ms   ratio {listing / plain:.1f}")  # noqa: T201  # the same
    print(f"one of them by its name   {one * 1000:7.2f} ms")  # noqa: T201  # the same


if __name__ == "__main__":
    main()
