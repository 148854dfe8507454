"""Secrets from a folder that a service manager fills: one file each, called as the variable would be.

systemd names it in ``CREDENTIALS_DIRECTORY``, for which a unit says
``LoadCredential=MAILCONN_OPS_PASSWORD:/etc/mail/ops``; whoever mounts one elsewhere names it in ``MAILCONN_SECRETS_DIR``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from . import naming, secret_file
from .account import Account, Credential
from .variables import clash, require_unshared, variable as variable_of

__all__ = ["find", "where"]

_VARIABLES: Final = ("CREDENTIALS_DIRECTORY", "MAILCONN_SECRETS_DIR")


def find(account: Account, _ask: bool) -> Credential | None:
    """The secret, and which of the folders has it.

    Raises :class:`~mailconn_jupyter.errors.CredentialError` where it cannot be one.
    """
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
    for variable in _VARIABLES:
        folder = Path(os.environ.get(variable, ""))
        path = folder / variable_of(account.name, account.kind)
        # A relative folder would be in whatever directory the notebook is.
        if folder.is_absolute() and os.path.lexists(path):
            return variable, path
    return None
