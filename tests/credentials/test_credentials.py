"""Where a secret comes from: this kernel, the environment, the keyring, a prompt; the first that has one wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mailconn_jupyter.credentials import (
    Kind,
    Secret,
    forget_memory,
    remember,
    resolve,
    where,
)
from mailconn_jupyter.credentials.account import Account
from mailconn_jupyter.credentials.memory import memory
from mailconn_jupyter.errors import CredentialError
from tests.support import credential_sources
from tests.support.credential_sources import SERVICE, answer_with
from tests.support.keyring_backends import Shelf

shelf = credential_sources.shelf
secret_file = credential_sources.secret_file
pytestmark = pytest.mark.usefixtures("shelf")


def test_the_first_source_that_has_a_secret_wins(
    shelf: Shelf, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "of the variable")
    shelf.kept[SERVICE, "ops"] = "of the keyring"
    remember("ops", "typed")
    answer_with("asked", monkeypatch)
    found = []
    removals: list[Callable[[], object]] = [
        lambda: forget_memory("ops"),
        lambda: monkeypatch.delenv("MAILCONN_OPS_PASSWORD"),
        lambda: monkeypatch.delenv("MAILCONN_OPS_PASSWORD_FILE"),
        shelf.kept.clear,
        lambda: None,
    ]
    for remove in removals:
        credential = resolve("Ops")
        found.append((credential.secret.reveal(), credential.source, where("ops")))
        remove()
    assert found == [
        ("typed", "this kernel", "in this kernel only"),
        ("of the variable", "MAILCONN_OPS_PASSWORD", "from the environment (MAILCONN_OPS_PASSWORD)"),
        ("of the file", "MAILCONN_OPS_PASSWORD_FILE", "from the environment (MAILCONN_OPS_PASSWORD_FILE)"),
        ("of the keyring", "keyring", "in the keyring (keyring backends Shelf)"),
        ("asked", "prompt", ""),
    ]


def test_the_proxy_has_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PROXY_PASSWORD", "of the proxy")
    assert resolve("ops", kind=Kind.PROXY).secret == Secret("of the proxy")
    assert where("ops") == ""
    with pytest.raises(CredentialError, match="No password is kept for 'ops'"):
        resolve("ops", ask=False)


def test_connections_without_a_name_share_no_secret(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    remember("", "of one server")
    monkeypatch.setenv("MAILCONN__PASSWORD", "of one server")
    assert memory.get(Account("")) is None
    assert where("") == ""
    with pytest.raises(CredentialError, match="A connection without a name has no password"):
        resolve("")
    questions = answer_with("hunter2", monkeypatch)
    assert resolve("", user="ana").source == "prompt"
    assert questions == ["Password (user ana): "]


def test_memory_is_safe_to_use_from_many_threads() -> None:
    wrong: list[str] = []

    def run(number: int) -> None:
        name = f"thread {number}"
        for turn in range(300):
            remember(name, f"{number}.{turn}")
            if resolve(name, ask=False).secret != Secret(f"{number}.{turn}"):
                wrong.append(name)
        forget_memory(name)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert where("thread 3") == ""
