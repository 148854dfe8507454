"""What keeps a person signed in: the refresh token, where it is kept, and what it belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from ...errors import CredentialError, SignInError, warn
from ...secret import Kind, Secret
from .. import naming
from ..manage import forget_accounts, keep
from ..memory import memory
from ..resolve import look
from ..without_traceback import sealed
from .identity import Identity

__all__ = ["Grant", "drop", "keep_grant", "read_grant", "sign_in_again", "stored"]


@dataclass(frozen=True)
class Grant:
    """A refresh token, where it was found, since when it is there (None: not known), and who signed in."""

    refresh: Secret
    source: str
    since: datetime | None = None
    who: str = ""


def read_grant(identity: Identity) -> Grant:
    """The identity's; raises :class:`SignInError` where nobody is signed in, or as somebody or somewhere else."""
    found = look(identity.grant)
    if found is None:
        raise SignInError(
            f"Nobody is signed in for {identity.name!r}.",
            cause="sign-in",
            hint=f"Run {naming.command(identity.name, Kind.REFRESH)}, or {naming.remedy(identity.name, Kind.REFRESH)}.",
        )
    grant, binding = sealed(lambda: _read(found.secret, found.source))
    if binding not in {"", identity.binding}:
        # A token goes to nobody but who gave it.
        raise SignInError(
            f"The sign-in that is kept for {identity.name!r} belongs to another issuer, client or user.",
            cause="sign-in",
            hint=f"Sign in again: {naming.command(identity.name, Kind.REFRESH)}",
        )
    return grant


def _read(secret: Secret, source: str) -> tuple[Grant, str]:
    """The grant, and what it belongs to; one from the environment is the token alone, and the connection's."""
    try:
        record = json.loads(secret.reveal())
        token, since = Secret.of(record["refresh_token"]), datetime.fromisoformat(record["since"])
        return Grant(token or Secret(""), source, since.astimezone(UTC), str(record["who"])), str(record["for"])
    except (ValueError, KeyError, TypeError):
        return Grant(secret, source), ""


def keep_grant(identity: Identity, refresh: Secret, *, since: datetime, who: str) -> str:
    """Keep a new sign-in, where the keyring fails in this kernel: a person should not have to approve once more.

    Returns where, in words.
    """
    return _keep(identity, _record(identity, refresh, since, who))


def _keep(identity: Identity, record: Secret) -> str:
    try:
        return keep(identity.grant, record)
    except CredentialError as error:
        memory.put(identity.grant, record)
        warn(f"{error.message} The sign-in of {identity.name!r} lasts only as long as this kernel.")
        return "in this kernel only, as the keyring did not take it"


def stored(identity: Identity, grant: Grant, refresh: Secret) -> Grant:
    """The grant with the token that took its token's place; kept where the old one was, as far as that can be.

    It is stored before anything else is done: whoever dies in between has to sign in again.
    """
    since, who = grant.since or datetime.now(UTC), grant.who
    record = _record(identity, refresh, since, who)
    if grant.source == "keyring":
        _keep(identity, record)
    else:
        if grant.source != "this kernel":
            warn(
                f"{identity.name}: the refresh token of {grant.source} was renewed, and the new one cannot be written "
                "back there: it lasts as long as this kernel. For jobs use client credentials (oauth_flow)."
            )
        memory.put(identity.grant, record)
    return Grant(refresh, "keyring" if grant.source == "keyring" else "this kernel", since, who)


def _record(identity: Identity, refresh: Secret, since: datetime, who: str) -> Secret:
    about = {"for": identity.binding, "since": since.isoformat(timespec="seconds"), "who": who}
    return Secret(json.dumps({"refresh_token": refresh.reveal()} | about))


def drop(identity: Identity) -> list[str]:
    """Forget the sign-in; returns a sentence for what may still be there."""
    return forget_accounts([identity.grant])


def sign_in_again(identity: Identity, why: SignInError) -> SignInError:
    """The same refusal, with what helps: a person."""
    return SignInError(
        f"The sign-in of {identity.name!r} has ended. {why.message}",
        cause="sign-in",
        error=why.error,
        hint=f"Sign in again: {naming.command(identity.name, Kind.REFRESH)}",
    )
