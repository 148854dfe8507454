"""``sent()`` of 10,000 messages, beside a plain read of the same file: ``python -m tests.benchmarks.bench_sent``."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable

_COUNT = 10_000
_ROUNDS = 5


def best(work: Callable[[], object]) -> float:
    """The shortest of some rounds, in seconds."""
    taken = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_DATA_DIR"] = os.environ["JUPYTER_CONFIG_DIR"] = folder
        from mailconn_jupyter import sent  # noqa: PLC0415  # once the folders are set
        from mailconn_jupyter.delivery.sent_log.log_file import LogFile  # noqa: PLC0415  # as above
        from tests.support.sent_entries import entry  # noqa: PLC0415  # as above

        log = LogFile()
        log.add(entry(number) for number in range(_COUNT))
        plain = best(lambda: [json.loads(line) for line in log.path.read_bytes().splitlines()])
        ours = best(sent)
        adding = best(lambda: log.add([entry()]))
    print(f"sent() of {_COUNT:,} messages     {ours * 1000:7.1f} ms, {ours / plain:.2f} of reading their JSON alone")  # noqa: T201
    print(f"noting one more             {adding * 1000:7.2f} ms")  # noqa: T201


if __name__ == "__main__":
    main()
