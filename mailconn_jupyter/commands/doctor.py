"""``doctor``: where things are kept, what is installed, and what is wrong."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import credentials
from ..credentials import secret_folders, sources, variables
from ..paths import is_folder, is_there
from ..session.opening.stages import KEY_LOG
from ..store import ConnectionStore, atomic_files, connections
from ..store.people import People
from .view import View

__all__ = ["doctor", "findings"]

_PACKAGES = ("mailconn-jupyter", "ipython", "ipywidgets", "keyring", "jupyter_core", "PySocks", "aiosmtpd")
_PROBLEM = "PROBLEM"
_JUPYTER = ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_DATA_DIR", "JUPYTER_NO_CONFIG")


def doctor() -> Iterator[View]:
    """:func:`findings` as a table."""
    found = list(findings(connections))
    yield View(found, header=("What", "Found"), sound=_PROBLEM not in dict(found))


def findings(store: ConnectionStore) -> Iterator[tuple[str, str]]:
    """What to know when something does not work, as pairs of a thing and what was found. No secret is read out."""
    for package in _PACKAGES:
        yield package, _version(package)
    yield "Python", f"{platform.python_version()} on {platform.platform(terse=True)}"
    yield "OpenSSL", _openssl()
    yield "Your connections", f"{atomic_files.show(store.folder)} ({len(store)}; {_state(store.folder)})"
    for layer in store.layers:
        yield "Shared connections", f"{atomic_files.show(layer)} ({'exists' if is_folder(layer) else 'does not exist'})"
    yield "Outcomes of tests", _outcomes()
    yield "Default connection", ", ".join(store.defaults) or "none"
    usable, sentence = credentials.keyring_status()
    yield "Keyring", f"{'usable' if usable else 'NOT USABLE'}. {sentence}"
    yield "Secrets are looked for in", ", then ".join(source.name for source in sources.SOURCES)
    yield "Questions", "can be asked here" if credentials.may_ask() else "cannot be asked here"
    for name in _JUPYTER:
        if name in os.environ:
            yield name, os.environ[name]
    if log := os.environ.get(KEY_LOG):
        yield (
            KEY_LOG,
            f"{log} receives the keys of every TLS link: whoever can read that file can read what is sent, passwords included",
        )
    yield "MAILCONN_ variables", ", ".join(variables.owners(store)) or "none"
    problems = [*map(str, (*store.problems(), *People(store).problems())), *secret_folders.misplaced()]
    for problem in problems:
        yield _PROBLEM, problem
    if not problems:
        yield "Problems", "none: every file is readable, and by nobody else"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _openssl() -> str:
    from ssl import OPENSSL_VERSION  # noqa: PLC0415

    return OPENSSL_VERSION


def _outcomes() -> str:
    from ..store.last_tests import folder  # noqa: PLC0415

    return f"{atomic_files.show(folder())} ({_state(folder())})"


def _state(folder: Path) -> str:
    if is_folder(folder):
        return "writable" if os.access(folder, os.W_OK | os.X_OK) else "NOT WRITABLE"
    parent = next(filter(is_there, folder.parents), folder)
    able = is_folder(parent) and os.access(parent, os.W_OK | os.X_OK)
    return "made at the first save" if able else f"DOES NOT EXIST, and {atomic_files.show(parent)} is not writable"
