"""What happens where a server cannot run: skip on a desk, fail in continuous integration."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import NoReturn

import pytest

#: Daemons live in folders that an ordinary user's PATH leaves out.
_DAEMON_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/postfix/sbin")


def unavailable(reason: str) -> NoReturn:
    """Skip the tests that need a server, or fail them if MAILCONN_REQUIRE_SERVERS is 1.

    Continuous integration sets the variable, so that a server that is missing there cannot
    quietly turn the whole suite into skips.
    """
    if os.environ.get("MAILCONN_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason} (and MAILCONN_REQUIRE_SERVERS is 1)", pytrace=False)
    pytest.skip(reason)


def require(program: str) -> str:
    """Return the path of an installed program, or call :func:`unavailable`; with MAILCONN_PORTABLE=1 there is none."""
    if os.environ.get("MAILCONN_PORTABLE") == "1":
        pytest.skip(f"{program} is left out of the portable part")
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_DAEMON_FOLDERS))
    found = shutil.which(program, path=path)
    if found is None:
        unavailable(f"{program} is not installed")
    return found


def require_packages(*packages: str) -> None:
    """Call :func:`unavailable` for the first of the packages that is not installed."""
    for package in packages:
        if find_spec(package) is None:
            unavailable(f"{package} is not installed")


def is_root() -> bool:
    """Whether the tests run as root; never on Windows."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def require_root(program: str) -> None:
    """Call :func:`unavailable` unless the tests run as root, which *program* needs."""
    if not is_root():
        unavailable(f"{program} needs root")
