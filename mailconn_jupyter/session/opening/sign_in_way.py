"""How a connection signs in: who it is, and by which way its authorization server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...connection import MailConnection
from ...credentials.account import Account
from ...errors import SignInError
from ...extras import install
from ...secret import Kind
from ...transport.deadline import Limit
from ...transport.tls import TLSPolicy
from .proxy_route import route_of

if TYPE_CHECKING:
    from ...credentials.oauth.identity import Identity
    from ...transport.http import HTTP
    from ...transport.proxy import ProxyRoute

__all__ = ["identity_of", "needing_the_extra", "require_identity", "way_out"]

_EXTRA = {"oauthlib", "urllib3"}


def identity_of(connection: MailConnection) -> Identity | None:
    """Who a (resolved) connection signs in as; None for one that does not sign in."""
    if not connection.signs_in:
        return None
    from ...credentials.oauth.identity import Identity  # noqa: PLC0415  # only who signs in needs it

    return Identity(
        name=connection.name,
        protocol=connection.protocol,
        user=connection.username,
        issuer=connection.oauth_issuer,
        client_id=connection.oauth_client_id,
        tenant=connection.oauth_tenant,
        flow=connection.oauth_flow,
        scope=connection.oauth_scope,
        host=connection.server_host,
        shared=Account.of(connection, Kind.REFRESH).shared,
    )


def require_identity(connection: MailConnection) -> Identity:
    """The same; raises :class:`~mailconn_jupyter.errors.SignInError` for one that does not, or could not, sign in."""
    identity = identity_of(connection)
    if identity is None:
        raise SignInError(
            f"{connection.name}: the connection does not sign in.",
            cause="sign-in-option",
            hint="Give it an issuer: oauth_issuer is microsoft, google, or the issuer's URL.",
        )
    if not identity.client_id and identity.flow != "service_account":
        raise SignInError(
            f"{connection.name}: signing in needs the id of an app that is registered at the issuer.",
            cause="sign-in-option",
            hint="Register one (the README says how), or ask your administrator for its id; it is oauth_client_id.",
        )
    return identity


def way_out(connection: MailConnection, limit: Limit, *, ask: bool) -> HTTP:
    """HTTP by the connection's own proxy and authority file.

    The certificate must name the host and come from a known authority, unless ``trusted_hosts`` names that very host:
    a ``*`` there, or a check of identity that is off, is for the mail server alone.
    """
    from ...transport.http import HTTP, WayOut  # noqa: PLC0415  # an extra

    trust = connection.trust

    def policy(host: str) -> TLSPolicy:
        trusted = host.casefold() in trust.hosts
        return TLSPolicy(trusted=trusted, pins=trust.pins_of(host), ca_file=connection.ca_file)

    def route(host: str) -> ProxyRoute | None:
        return route_of(connection.copy(server_host=host), ask=ask)

    return HTTP(WayOut(route, policy, connection.timeout, connection.deadline), limit)


@contextmanager
def needing_the_extra(connection: MailConnection) -> Iterator[None]:
    """Say what to install where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise SignInError(
            f"{connection.name}: signing in needs oauthlib and urllib3, which are not installed.",
            cause="not-installed",
            hint=f"Run: %{install('oauth')}",
        ) from error
