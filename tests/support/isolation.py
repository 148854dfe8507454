"""Each test has a configuration of its own: nothing of the person who runs the tests is read or written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dns.asyncresolver
import pytest

from mailconn_jupyter.credentials import Secret, remember
from mailconn_jupyter.credentials.memory import memory
from mailconn_jupyter.delivery.kept_sessions import KEPT
from mailconn_jupyter.session.opening import run_stages

FAIL_KEYRING = "keyring.backends.fail.Keyring"


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point Jupyter, IPython and the keyring to empty folders; returns the Jupyter config directory."""
    for name in [
        name for name in os.environ if name.startswith(("MAILCONN_", "JUPYTER_", "PYTHON_KEYRING", "CREDENTIALS_"))
    ]:
        if name != "MAILCONN_REQUIRE_SERVERS":
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", FAIL_KEYRING)
    # What was typed in this process, too: the tests run in any order.
    monkeypatch.setattr(memory, "_secrets", {})
    return folder / "config"


@pytest.fixture(autouse=True)
def no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask nobody's name server for records; tests.servers.dns_server has one for those that need it."""
    monkeypatch.setattr(dns.asyncresolver, "default_resolver", dns.asyncresolver.Resolver(configure=False))


@pytest.fixture
def opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An opening is tried once; ``test_opening_again`` has what is tried again, and after which pauses."""
    monkeypatch.setattr(run_stages, "PAUSES", ())


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Let no session wait for the next test."""
    yield
    KEPT.close_all()


def give_password(name: str, secret: str, kind: str = "password") -> None:
    """Put a secret into this process's memory, as if it had been typed here."""
    remember(name, Secret(secret), kind=kind)
