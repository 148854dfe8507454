"""Asking the person at the keyboard, where there is one."""

from __future__ import annotations

import getpass
import os
import sys
import threading
import warnings

from ..secret import Secret
from .account import Account, Credential

__all__ = ["find", "may_ask", "question", "typed"]


def may_ask() -> bool:
    """Whether a question could reach somebody: in a cell that runs, or in a terminal; never from a thread.

    A notebook that runs without a person (nbclient, Papermill) only says so when it is asked.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    # While a cell runs, the kernel puts its own function in place, which asks in the notebook. A child that was forked has
    # it too, but no way to the notebook: its question would wait for ever.
    if getpass.getpass.__module__ != "getpass":
        session = getattr(getattr(getpass.getpass, "__self__", None), "session", None)
        return getattr(session, "pid", None) in {None, os.getpid()}
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except (OSError, ValueError):
        return False


def typed(account: Account) -> Secret | None:
    """What the person typed, without echo; None if nobody can be asked."""
    phrase, user = account.phrase, account.user
    return question(f"{phrase[0].upper()}{phrase[1:]}{f' (user {user})' if user else ''}: ")


def question(asked: str) -> Secret | None:
    """The answer to a question, without echo; None if nobody can be asked."""
    if not may_ask():
        return None
    try:
        with warnings.catch_warnings():
            # getpass would go on and show what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return Secret(getpass.getpass(asked))
    except Exception:  # noqa: BLE001  # a frontend or terminal fails as it likes; its frames may hold the answer
        return None


def find(account: Account, ask: bool) -> Credential | None:
    """What the person typed, if anybody may and can be asked."""
    secret = typed(account) if ask else None
    if secret is None:
        return None
    return Credential.of(account, secret, "prompt", place=f"The {account.phrase}", hint="Try again.")
