"""Secrets from a folder that a service manager fills: one file each, called as the variable would be.

systemd names it in ``CREDENTIALS_DIRECTORY``, for which a unit says
``LoadCredential=MAILCONN_OPS_PASSWORD:/etc/mail/ops``; whoever mounts one elsewhere names it in ``MAILCONN_SECRETS_DIR``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..errors import warn
from ..paths import relative
from . import naming, secret_file
from .account import Account, Credential
from .variables import clash, require_unshared, variable as variable_of

__all__ = ["FOLDERS", "find", "misplaced", "where"]

#: The variables that name them.
FOLDERS: Final = ("CREDENTIALS_DIRECTORY", "MAILCONN_SECRETS_DIR")


def find(account: Account, _ask: bool) -> Credential | None:
    """The secret, and which of the folders has it.

    Raises :class:`~mailconn_jupyter.errors.CredentialError` where it cannot be one.
    """
    for sentence in misplaced():
        warn(sentence)
    found = _file(account)
    if found is None:
        return None
    variable, path = found
    require_unshared(account.name, account.kind)
    return Credential.of(
        account,
        secret_file.read(str(path), variable),
        f"{path.name} in {variable}",
        place=f"{variable}: the file {path}",
        hint=naming.contents(account.name, account.kind),
    )


def where(account: Account) -> str:
    """The folder's variable and the file, in words. Reads no file."""
    found = _file(account)
    return f"in a file of {found[0]} ({found[1]})" if found and not clash(account.name, account.kind) else ""


def _file(account: Account) -> tuple[str, Path] | None:
    """The variable whose folder has the file, and its path."""
    for variable in FOLDERS:
        folder = os.environ.get(variable, "")
        path = Path(folder, variable_of(account.name, account.kind))
        if not relative(variable, folder) and os.path.lexists(path):
            return variable, path
    return None


def misplaced() -> Iterator[str]:
    """Why a folder that is named is not looked into, as sentences."""
    for variable in FOLDERS:
        named = os.environ.get(variable)
        if named and (reason := relative(variable, named)):
            yield f"{reason}, so it is not looked into. Give its full path, or unset the variable."
