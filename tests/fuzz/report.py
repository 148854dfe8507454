"""A run by hand: how many were tried, what went wrong, what was slowest, and how much memory it took."""

from __future__ import annotations

import argparse
import email
import resource
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from .mutations import mutated

__all__ = ["run"]

_LEAST = 1e-6  # seconds that the clock can tell


def run(check: Callable[[bytes], None], read: Callable[[bytes], object], seeds: Sequence[bytes], what: str) -> None:
    """Try as many as the command line says; or, with ``--atheris``, until somebody stops it.

    ``check`` raises where something is wrong; ``read`` is what is timed, beside Python's parser with the same bytes.
    """
    parser = argparse.ArgumentParser(description=f"Mutated {what}.")
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first one's")
    parser.add_argument("--atheris", action="store_true", help="led by coverage, where atheris is installed")
    asked = parser.parse_args()
    if asked.atheris:
        if find_spec("atheris") is None:
            sys.exit("atheris is not installed.")
        atheris = import_module("atheris")
        atheris.instrument_all()
        atheris.Setup([sys.argv[0]], check)
        atheris.Fuzz()
    failures = 0
    slowest: list[tuple[float, float, int, int]] = []
    largest = (0.0, 0)
    for seed in range(asked.seed, asked.seed + asked.count):
        raw = mutated(seeds, seed)
        try:
            check(raw)
        except Exception:  # noqa: BLE001  # what is looked for
            failures += 1
            print(f"seed {seed}:", traceback.format_exc(limit=-3))  # noqa: T201  # as they come
            continue
        ours, python = _seconds(read, raw), _seconds(email.message_from_bytes, raw)
        kilobytes = max(len(raw) / 1000, 1)
        of_note = len(slowest) < 5 or ours / kilobytes > slowest[-1][0]
        if of_note or (len(raw) > 1000 and ours / max(python, _LEAST) > largest[0]):
            # Again, as the first time may have been somebody else's.
            ours = min(ours, *(_seconds(read, raw) for _ in range(3)))
            python = max(min(python, *(_seconds(email.message_from_bytes, raw) for _ in range(3))), _LEAST)
            if of_note:
                slowest = sorted([*slowest, (ours / kilobytes, ours / python, seed, len(raw))], reverse=True)[:5]
            if len(raw) > 1000:
                largest = max(largest, (ours / python, seed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    said = [f"{asked.count} {what}: {failures} exceptions; at most {peak:.0f} MB of memory in all"]
    for each, ratio, seed, size in slowest:
        how = f"{each * 1000:.2f} ms a kilobyte, {ratio:.1f} times email.message_from_bytes()"
        said.append(f"seed {seed}, {size} bytes: {how}")
    said.append(f"seed {largest[1]} is the largest ratio: {largest[0]:.1f} times")
    print("\n".join(said))  # noqa: T201  # its output


def _seconds(do: Callable[[bytes], object], raw: bytes) -> float:
    start = time.thread_time()
    do(raw)
    return time.thread_time() - start
