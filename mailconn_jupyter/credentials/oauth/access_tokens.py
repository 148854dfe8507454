"""The access token for a login: the one at hand while it is good, else a new one, made once however many ask.

MSAL's margin: five minutes before its end a token is renewed. The order is that of a rotating refresh token, which the
server kills with all its offspring when it comes a second time: take the lock, look again, refresh, store the new
refresh token, and only then use the access token.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from ...connection.changes import changed
from ...errors import CredentialError, SignInError
from ...secret import Kind, Secret
from ...transport.deadline import Limit
from ...transport.http import HTTP
from ...transport.transport_errors import TransportError
from .. import naming
from ..resolve import look
from . import token_files
from .grants import Grant, drop, keep_grant, read_grant, sign_in_again, stored
from .identity import AccessToken, Identity
from .metadata import read_metadata
from .scopes import scope_of
from .token_files import About
from .token_requests import Client, Tokens
from .unattended import unattended_tokens

__all__ = ["MARGIN", "access_token", "at_hand", "client_of", "forget", "keep_new", "put", "sign_out"]

#: Seconds that an access token must still be good for.
MARGIN: Final = 300.0

#: Errors that no further try mends: a person is needed.
_OVER: Final = {"invalid_grant", "interaction_required", "consent_required", "login_required"}

#: What this kernel has. Each step is one of a dict's, without a lock: a child that is forked amid one would wait for ever.
_held: dict[str, AccessToken] = {}


def at_hand(identity: Identity) -> AccessToken | None:
    """What this kernel has, good or not."""
    return _held.get(identity.key)


def put(identity: Identity, token: AccessToken) -> None:
    """Have it at hand."""
    _held[identity.key] = token


def forget(identity: Identity) -> None:
    """Have none at hand."""
    _held.pop(identity.key, None)


def keep_new(identity: Identity, tokens: Tokens, limit: Limit) -> str:
    """Keep a new sign-in, and have its access token at hand, here and in the other kernels; returns where, in words."""
    with token_files.locked(identity, limit):
        kept = "until its access token expires, as the issuer gave no means to renew it"
        if tokens.refresh is not None:
            since = datetime.now(UTC)
            kept = keep_grant(identity, tokens.refresh, since=since, who=tokens.who)
            about = About(since, who=tokens.who, lasting=kept.startswith("in the keyring"))
            token_files.write(identity, tokens.refresh, tokens.access, about)
        put(identity, tokens.access)
        # Perhaps it is somebody else who has signed in.
        changed(identity.name)
        return kept


def sign_out(identity: Identity, http: HTTP) -> list[str]:
    """Revoke the sign-in (RFC 7009) and forget it; returns a sentence for each thing that could not be done."""
    said = []
    with ExitStack() as held:
        try:
            held.enter_context(token_files.locked(identity, http.limit))
            grant, client = read_grant(identity), client_of(identity, http)
            if client.metadata.revocation:
                client.revoke(grant.refresh)
            else:
                said.append(f"{client.metadata.issuer} has no way to revoke a sign-in: it expires there by itself.")
        except CredentialError as error:
            # Forgotten it is all the same.
            said.append(error.message)
        except TransportError as error:
            said.append(f"It was not revoked at the issuer. {error.message}")
        forget(identity)
        token_files.forget(identity)
        return said + drop(identity)


def access_token(identity: Identity, http: Callable[[], HTTP], *, refused: Secret | None = None) -> AccessToken:
    """A token that is good for :data:`MARGIN`, or as new as it can be; never ``refused``, which a server did not take.

    Raises :class:`~mailconn_jupyter.errors.SignInError`, and
    :class:`~mailconn_jupyter.errors.CredentialError` where what is kept cannot be read.
    """

    def usable(token: AccessToken | None) -> bool:
        return token is not None and token.good_for(MARGIN) and token.secret != refused

    token = at_hand(identity)
    if token is not None and usable(token):
        return token
    asking = http()
    with token_files.locked(identity, asking.limit):
        token = at_hand(identity)
        if token is None or not usable(token):
            token = _renewed(identity, asking, usable)
        put(identity, token)
    return token


def _renewed(identity: Identity, http: HTTP, usable: Callable[[AccessToken | None], bool]) -> AccessToken:
    if identity.unattended:
        key = _secret_of(identity)
        left = token_files.read(identity, key)
        if left is not None and usable(left):
            return left
        tokens = unattended_tokens(client_of(identity, http))
        token_files.write(identity, key, tokens.access, About(who=identity.user))
        return tokens.access
    grant = read_grant(identity)
    left = token_files.read(identity, grant.refresh)
    if left is not None and usable(left):
        return left
    tokens, grant = _refreshed(identity, http, grant)
    about = About(grant.since, who=grant.who, lasting=grant.source == "keyring")
    token_files.write(identity, grant.refresh, tokens.access, about)
    return tokens.access


def _refreshed(identity: Identity, http: HTTP, grant: Grant) -> tuple[Tokens, Grant]:
    client = client_of(identity, http)
    try:
        tokens = _refresh(client, grant)
    except SignInError as error:
        if error.error not in _OVER:
            raise
        # Another machine, which has no part in the lock, may have stored its successor meanwhile.
        other = read_grant(identity)
        if other.refresh == grant.refresh:
            raise sign_in_again(identity, error) from error
        grant = other
        try:
            tokens = _refresh(client, grant)
        except SignInError as again:
            raise (sign_in_again(identity, again) if again.error in _OVER else again) from again
    if tokens.refresh is not None and tokens.refresh != grant.refresh:
        grant = stored(identity, grant, tokens.refresh)
    return tokens, grant


def _refresh(client: Client, grant: Grant) -> Tokens:
    # Without one it is that of the sign-in; Microsoft's tells which service the token is for.
    scope = scope_of(client.identity, client.metadata) if client.metadata.is_microsoft else client.identity.scope
    return client.tokens("refresh_token", "refused to renew the sign-in", refresh_token=grant.refresh, scope=scope)


def client_of(identity: Identity, http: HTTP) -> Client:
    """What asks the identity's server, with the client's secret where one is kept."""
    secret = look(identity.client)
    return Client(identity, read_metadata(identity, http), secret.secret if secret else None, http)


def _secret_of(identity: Identity) -> Secret:
    found = look(identity.client)
    if found is None:
        what = "the service account's key" if identity.flow == "service_account" else "a client secret"
        raise SignInError(
            f"{identity.name}: {identity.flow} needs {what}, and none is kept.",
            cause="sign-in-option",
            hint=f"Run {naming.command(identity.name, Kind.CLIENT)}, or {naming.remedy(identity.name, Kind.CLIENT)}.",
        )
    return found.secret
