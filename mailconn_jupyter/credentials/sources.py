"""Where a secret may be, in the order in which it is looked for: the first place that has one wins.

A place more is a row more, and a module with its two functions. What looks for a secret, what tells where it is, the
doctor and the README follow this list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from . import environment, keyring_secrets, memory, prompt, secret_folders
from .account import Account, Credential

__all__ = ["SOURCES", "Source"]


@dataclass(frozen=True)
class Source:
    """One place: its name, what the README says of it, and its two functions.

    ``find`` gives the secret of an account, None where there is none; its second argument says whether somebody may be
    asked. It raises :class:`~mailconn_jupyter.errors.CredentialError` where there is one that cannot be used, or where
    nobody can say. ``where`` says in words where the secret is, empty where it is not; it neither asks nor raises.
    ``settled``: one that is there and cannot be used ends the search. ``asks``: a person is asked.
    """

    name: str
    about: str
    find: Callable[[Account, bool], Credential | None]
    where: Callable[[Account], str]
    settled: bool = False
    asks: bool = False


SOURCES: Final = (
    Source("this kernel", "what was typed in this kernel", memory.find, memory.where),
    Source(
        "the environment",
        "the environment: `MAILCONN_<NAME>_PASSWORD`, or `MAILCONN_<NAME>_PASSWORD_FILE` with the path of a file that "
        "holds it",
        environment.find,
        environment.where,
        settled=True,
    ),
    Source(
        "a folder of secrets",
        "a file called `MAILCONN_<NAME>_PASSWORD` in the folder that `CREDENTIALS_DIRECTORY` (systemd's "
        "`LoadCredential=`) or `MAILCONN_SECRETS_DIR` names",
        secret_folders.find,
        secret_folders.where,
        settled=True,
    ),
    Source("the keyring", "the system's keyring", keyring_secrets.find, keyring_secrets.where),
    Source(
        "a question",
        "a question, where somebody is there to answer it",
        prompt.find,
        lambda _: "",
        asks=True,
        settled=True,
    ),
)
