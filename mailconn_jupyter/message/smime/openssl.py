"""The program ``openssl``, for what cryptography does not do: judging a signature, and old ways to encrypt."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Final

from ...program_path import program_path

__all__ = ["available", "run"]

_SECONDS: Final = 20.0


def available() -> bool:
    """Whether it is installed."""
    return program_path("openssl") is not None


def run(words: Sequence[str], data: bytes, *, handed: Sequence[int] = ()) -> tuple[bytes | None, str]:
    """What ``openssl cms`` makes of ``data``, or None; and what it says. ``handed`` are descriptors that it may read.

    It has 20 seconds. It reads ``data`` from its standard input, so that what was encrypted lies on no disk.
    """
    found = program_path("openssl")
    if found is None:
        return None, "openssl is not installed"
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
        return None, f"openssl did not end within {_SECONDS:.0f} seconds"
    except OSError as error:
        return None, f"openssl could not be run ({error.strerror or error})"
    return (done.stdout if not done.returncode else None), done.stderr.decode("utf-8", "replace")
