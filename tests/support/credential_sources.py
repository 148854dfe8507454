"""Sources of secrets for the tests: an empty keyring, a file, a person at the keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailconn_jupyter.credentials import (
    forget_memory,
    keyring_call,
)
from tests.support.keyring_backends import Shelf, using

SERVICE, PROXY_SERVICE = "mailconn-jupyter", "mailconn-jupyter-proxy"
WITHOUT_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """An empty keyring that works, and no secret in the environment or left in this process."""
    for name in [name for name in os.environ if name.startswith("MAILCONN_") and "PASSWORD" in name]:
        monkeypatch.delenv(name)
    with using(Shelf()) as backend:
        yield backend
    for name in ("ops", "new", "Größe 1"):
        forget_memory(name)
    for thread in keyring_call._hanging:
        thread.join(5)


def answer_with(text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a person at the keyboard, as a kernel does while a cell runs; returns the questions asked."""
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return text

    monkeypatch.setattr("getpass.getpass", answer)
    return questions


@pytest.fixture
def secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "a secret"
    file.write_bytes(b"of the file")
    file.chmod(0o600)
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD_FILE", str(file))
    return file
