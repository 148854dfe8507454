"""A long link for a benchmark: the relay of the tests in a process of its own, as it would take turns with what is measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.relay import Relay

__all__ = ["LongLink", "long_link"]


class LongLink:
    """``port`` is where it begins, ``turns`` how often the client has spoken after the server, so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = self._told()

    @property
    def turns(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write("turns\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def long_link(target: int, round_trip: float) -> Iterator[LongLink]:
    """A link to this port of the machine; ``round_trip`` is in seconds."""
    command = [sys.executable, "-m", "tests.benchmarks.long_link", str(target), str(round_trip)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield LongLink(process)
        assert process.stdin is not None
        process.stdin.close()


def main(target: int, round_trip: float) -> None:
    with Relay(target, round_trip=round_trip) as relay:
        print(relay.port, flush=True)  # noqa: T201  # what is told to the benchmark
        for _ in sys.stdin:
            print(relay.turns, flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
