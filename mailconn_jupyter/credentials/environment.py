"""Secrets from the environment: in a variable, or in a file that a variable names.

``MAILCONN_OPS_PASSWORD`` holds the secret, ``MAILCONN_OPS_PASSWORD_FILE`` the path of a file that does. A variable that is
set to nothing counts as not set.
"""

from __future__ import annotations

import os

from ..errors import CredentialError
from ..paths import relative
from ..secret import Secret
from . import naming, secret_file
from .account import Account, Credential
from .variables import clash, require_unshared, variable as variable_of

__all__ = ["find", "where"]


def find(account: Account, _ask: bool) -> Credential | None:
    """The secret and its variable; raises :class:`~mailconn_jupyter.errors.CredentialError` where it cannot be one."""
    variable = _variable(account)
    if not variable:
        return None
    require_unshared(account.name, account.kind)
    place = variable
    if variable.endswith("_FILE"):
        path = os.path.expanduser(os.environ.get(variable, ""))  # noqa: PTH111  # Path would lose a trailing slash
        if reason := relative(variable, path):
            raise CredentialError(f"{reason}.", hint="Give its full path, or unset the variable.")
        place = f"{variable}: the file {path}"
        secret = secret_file.read(path, variable)
    else:
        secret = Secret(os.environ.get(variable, ""))
    return Credential.of(account, secret, variable, place=place, hint=naming.contents(account.name, account.kind))


def where(account: Account) -> str:
    """The variable that the secret is taken from, in words. Reads no file."""
    variable = _variable(account)
    return f"from the environment ({variable})" if variable and not clash(account.name, account.kind) else ""


def _variable(account: Account) -> str:
    base = variable_of(account.name, account.kind)
    return next((name for name in (base, f"{base}_FILE") if os.environ.get(name)), "")
