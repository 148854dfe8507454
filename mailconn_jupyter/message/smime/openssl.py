"""The program ``openssl``, for what cryptography does not do: judging a signature, and old ways to encrypt."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Final, NamedTuple

from ...program_path import program_path

__all__ = ["Ran", "available", "run"]

_SECONDS: Final = 20.0


class Ran(NamedTuple):
    """How the program ended: its exit ``code``, None where it did not run to its end; what it gave, and what it said."""

    code: int | None
    out: bytes
    err: str


def available() -> bool:
    """Whether it is installed."""
    return program_path("openssl") is not None


def run(words: Sequence[str], data: bytes, *, handed: Sequence[int] = ()) -> Ran:
    """Have ``openssl cms`` do something with ``data``. ``handed`` are descriptors that it may read.

    It has 20 seconds. It reads ``data`` from its standard input, so that what was encrypted lies on no disk.
    """
    found = program_path("openssl")
    if found is None:
        return Ran(None, b"", "openssl is not installed")
    try:
        done = subprocess.run(  # noqa: S603  # a program of the system, in words and without a shell
            [found, "cms", *words],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            pass_fds=tuple(handed),
        )
    except subprocess.TimeoutExpired:
        return Ran(None, b"", f"openssl did not end within {_SECONDS:.0f} seconds")
    except (OSError, ValueError) as error:
        return Ran(None, b"", f"openssl could not be run ({getattr(error, 'strerror', None) or error})")
    return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
