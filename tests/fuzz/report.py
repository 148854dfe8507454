"""A run by hand: how many were tried, what went wrong, what was slowest, and how much memory it took."""

from __future__ import annotations

import argparse
import contextlib
import email
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.support.peak import peak_megabytes

from .corpus import TOKENS
from .mutations import mutated

__all__ = ["Check", "HangError", "run", "within"]

_LEAST = 1e-6  # seconds that the clock can tell
_HANGS = 60  # seconds after which a case is one that hangs

Check = Callable[[bytes], object]


class HangError(Exception):
    """A case has not come to its end."""


@contextlib.contextmanager
def within(seconds: int = _HANGS) -> Iterator[None]:
    """Raise :class:`HangError` here after so many seconds, whatever runs; where there is no such alarm, do not."""

    def ring(*_: object) -> None:
        raise HangError(f"it takes longer than {seconds} seconds")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(
    check: Check,
    seeds: Sequence[bytes],
    what: str,
    *,
    tokens: Sequence[bytes] = TOKENS,
    read: Check | None = None,
    as_message: Callable[[bytes], bytes] = bytes,
) -> None:
    """Try as many as the command line says; or, with ``--atheris``, until somebody stops it.

    ``check`` raises where something is wrong. ``read`` is what is timed, beside Python's parser with the same bytes, which
    ``as_message`` makes of a case; without it that is the whole check, beside nothing.
    """
    parser = argparse.ArgumentParser(description=f"Mutated {what}.")
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first one's")
    parser.add_argument("--keep", type=Path, help="a folder for the cases that fail, such as tests/fuzz/found/NAME")
    parser.add_argument("--atheris", action="store_true", help="led by coverage, where atheris is installed")
    asked = parser.parse_args(namespace=argparse.Namespace(tokens=tokens))
    with _nobodys_configuration():
        if asked.atheris:
            if find_spec("atheris") is None:
                sys.exit("atheris is not installed.")
            atheris = import_module("atheris")
            atheris.instrument_all()
            atheris.Setup([sys.argv[0]], check)
            atheris.Fuzz()
        _run(check, seeds, what, read or check, as_message if read else None, asked)


def _run(
    check: Check,
    seeds: Sequence[bytes],
    what: str,
    read: Check,
    as_message: Callable[[bytes], bytes] | None,
    asked: argparse.Namespace,
) -> None:
    failures = 0
    slowest: list[tuple[float, float, int, int]] = []
    largest = (0.0, 0)
    for seed in range(asked.seed, asked.seed + asked.count):
        raw = mutated(seeds, seed, asked.tokens)
        try:
            with within():
                took = _seconds(check, raw)
        except Exception:  # noqa: BLE001  # what is looked for
            failures += 1
            print(f"seed {seed}:", traceback.format_exc(limit=-3), flush=True)  # noqa: T201  # as they come
            if asked.keep:
                asked.keep.mkdir(parents=True, exist_ok=True)
                (asked.keep / f"seed {seed}").write_bytes(raw)
            continue
        message = as_message(raw) if as_message else raw
        kilobytes = max(len(message) / 1000, 1)
        if as_message is None:
            slowest = sorted([*slowest, (took / kilobytes, 0.0, seed, len(raw))], reverse=True)[:5]
            continue
        ours, python = _seconds(read, message), _seconds(_by_python, message)
        of_note = len(slowest) < 5 or ours / kilobytes > slowest[-1][0]
        if of_note or (len(raw) > 1000 and ours / max(python, _LEAST) > largest[0]):
            # Again, as the first time may have been somebody else's.
            ours = min(ours, *(_seconds(read, message) for _ in range(3)))
            python = max(min(python, *(_seconds(_by_python, message) for _ in range(3))), _LEAST)
            if of_note:
                slowest = sorted([*slowest, (ours / kilobytes, ours / python, seed, len(raw))], reverse=True)[:5]
            if len(raw) > 1000:
                largest = max(largest, (ours / python, seed))
    said = [f"{asked.count} {what}: {failures} failures; at most {peak_megabytes():.0f} MB of memory in all"]
    for each, ratio, seed, size in slowest:
        beside = f", {ratio:.1f} times email.message_from_bytes()" if ratio else ""
        said.append(f"seed {seed}, {size} bytes: {each * 1000:.2f} ms a kilobyte{beside}")
    if as_message:
        said.append(f"seed {largest[1]} is the largest ratio: {largest[0]:.1f} times")
    print("\n".join(said))  # noqa: T201  # its output
    if failures:
        sys.exit(1)


def _seconds(do: Callable[[bytes], object], raw: bytes) -> float:
    start = time.thread_time()
    do(raw)
    return time.thread_time() - start


def _by_python(raw: bytes) -> None:
    # It raises for some of them, which is a time, too.
    with contextlib.suppress(Exception):
        email.message_from_bytes(raw)


@contextlib.contextmanager
def _nobodys_configuration() -> Iterator[None]:
    """Nothing of the person who runs it is read or written."""
    with tempfile.TemporaryDirectory(prefix="mailconn-fuzz-") as folder:
        for kind in ("CONFIG", "DATA", "RUNTIME"):
            os.environ[f"JUPYTER_{kind}_DIR"] = str(Path(folder, kind.lower()))
        os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        yield
