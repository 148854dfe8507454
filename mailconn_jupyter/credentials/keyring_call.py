"""Calling a keyring, which may hang and may say anything in its errors.

A locked SecretService waits for a dialog that nobody sees, an absent one for a bus that never answers. Third-party
backends put what they were given into their errors, and a traceback shows their frames' locals. So each call runs in a
thread of its own, and of an error only fixed words come back.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from ..errors import CredentialError

__all__ = ["PATIENCE", "KeyringFailureError", "KeyringLocked", "call"]

T = TypeVar("T")

#: Seconds to wait for one answer of the keyring.
PATIENCE = 10.0

#: Seconds to wait while an earlier call still has no answer: a hundred connections must not wait one by one.
SHORT_PATIENCE = 1.0

_hanging: list[threading.Thread] = []

_WORDS: Final = {
    "NoKeyringError": "is not there",
    "KeyringLocked": "is locked",
    "InitError": "could not be opened",
    "PasswordSetError": "did not take the password",
    "PasswordDeleteError": "did not delete the password",
}


class KeyringFailureError(Exception):
    """The keyring failed; the text is the end of a sentence that begins with it. It has no cause: that may tell.

    ``locked``: it is there, and nobody has unlocked it.
    """

    def __init__(self, words: str, *, locked: bool = False) -> None:
        super().__init__(words)
        self.locked = locked


class KeyringLocked(CredentialError):
    """The keyring is there, and nobody has unlocked it."""


def call(action: Callable[[], T]) -> T:
    """What ``action`` returns; :class:`KeyringFailureError` if it raises or takes longer than :data:`PATIENCE`.

    ``action`` must keep secrets as :class:`~mailconn_jupyter.credentials.Secret`, also in what it returns.
    """
    answers: list[T] = []
    failures: list[str] = []

    def run() -> None:
        try:
            answers.append(action())
        except BaseException as error:  # noqa: BLE001  # nothing that a backend raises may reach a traceback
            failures.append(_describe(error))

    _hanging[:] = [thread for thread in _hanging if thread.is_alive()]
    patience = min(PATIENCE, SHORT_PATIENCE) if _hanging else PATIENCE
    thread = threading.Thread(target=run, name="mailconn-keyring", daemon=True)
    thread.start()
    thread.join(patience)
    if answers:
        return answers[0]
    if not failures:
        _hanging.append(thread)
        raise KeyringFailureError(f"has not answered within {patience:g} s")
    raise KeyringFailureError(failures[0], locked=failures[0] == _WORDS["KeyringLocked"])


def _describe(error: BaseException) -> str:
    # Not the error's text: it may quote the secret, as it is or encoded.
    errors = sys.modules.get("keyring.errors")
    for name, words in _WORDS.items():
        known = getattr(errors, name, None)
        if known is not None and isinstance(error, known):
            return words
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"failed ({type(error).__name__}: {os.strerror(error.errno)})"
    return f"failed ({type(error).__name__})"
