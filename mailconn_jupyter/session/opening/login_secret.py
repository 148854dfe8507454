"""What a connection logs in with: a password or a token that is kept, one that a program prints, or one of a sign-in."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...connection import MailConnection
from ...credentials import Credential, resolve
from ...errors import CredentialError
from ...transport.deadline import Limit
from .error_classes import Refused
from .sign_in_way import needing_the_extra, require_identity, way_out

if TYPE_CHECKING:
    from ...credentials.oauth.identity import Identity

__all__ = ["LoginSecret", "refusal_of_command"]

T = TypeVar("T")


class LoginSecret:
    """The secret of one opening: ``given`` as it was stored, ``options`` with the values of its variables."""

    def __init__(self, given: MailConnection, options: MailConnection, limit: Limit, *, ask: bool) -> None:
        self._given, self._options, self._limit, self._ask = given, options, limit, ask
        self._identity = require_identity(options) if options.signs_in else None
        # Somebody may have typed it: whoever tries again does not ask again.
        self._resolved: Credential | None = None

    def use(self, log_in: Callable[[Credential], T]) -> tuple[T, Credential]:
        """Log in with it, and where a token is refused once more with a renewed one: it may look good here and be dead there."""
        first = self.get()
        try:
            return log_in(first), first
        except Refused as error:
            another = self.renewed(first) if error.cause == "token-refused" else None
            if another is None:
                raise
            return log_in(another), another

    def get(self) -> Credential:
        """The one to try first; raises :class:`~mailconn_jupyter.errors.CredentialError`."""
        options = self._options
        if self._identity is not None:
            return self._token(self._identity)
        if options.password_command:
            from . import password_command  # noqa: PLC0415  # only here is a program run

            _require_trusted(self._given)
            printed = password_command.run(options.password_command, self._limit.within(options.timeout))
            return Credential(printed, "password_command")
        if self._resolved is None:
            self._resolved = self._asked_for()
        return self._resolved

    def _asked_for(self) -> Credential:
        """The one that is kept, or that somebody types."""
        elsewhere = self._options.is_sandbox
        try:
            with self._limit.paused():
                return resolve(self._options, ask=self._ask and not elsewhere)
        except CredentialError as error:
            if not elsewhere:
                raise
            raise CredentialError(
                f"{self._given.name!r} is another kernel's sandbox, which alone has its password.",
                hint="Start one in this kernel: %mailconn sandbox",
            ) from error

    def renewed(self, refused: Credential) -> Credential | None:
        """Another one, where the server did not take the first: a new token of the sign-in; None where there is none."""
        return None if self._identity is None else self._token(self._identity, refused)

    def _token(self, identity: Identity, refused: Credential | None = None) -> Credential:
        with needing_the_extra(self._given):
            from ...credentials.oauth.access_tokens import access_token  # noqa: PLC0415  # an extra

            token = access_token(
                identity,
                lambda: way_out(self._options, self._limit, ask=self._ask),
                refused=None if refused is None else refused.secret,
            )
        return Credential(token.secret, f"the sign-in at {identity.issuer}")


def _require_trusted(connection: MailConnection) -> None:
    if refusal := refusal_of_command(connection):
        raise refusal


def refusal_of_command(connection: MailConnection) -> CredentialError | None:
    """None where the connection that names a program is the user's own, or an administrator's that only root can change."""
    origin = connection.origin
    if origin is None:
        reason, hint = "it is not saved", "Look at the command, and save the connection: %mailconn save"
    elif origin.layer == "user" or _is_roots(origin.path):
        return None
    else:
        reason, hint = "others than you and root can change its file", "Save a connection of your own with it."
    return CredentialError(f"{connection.name}: its password_command is not run, for {reason}.", hint=hint)


def _is_roots(path: Path) -> bool:
    try:
        found = [os.stat(place) for place in (path, path.parent)]  # noqa: PTH116  # a link's target is what counts
    except OSError:
        return False
    writable = stat.S_IWGRP | stat.S_IWOTH
    return hasattr(os, "geteuid") and all(one.st_uid == 0 and not one.st_mode & writable for one in found)
