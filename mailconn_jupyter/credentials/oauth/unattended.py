"""Tokens without a person: client credentials (RFC 6749, 4.4), and a service account's assertion (RFC 7523)."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

from ...errors import SignInError
from ...secret import Secret
from ..without_traceback import sealed
from .scopes import scope_of
from .token_requests import JWT_BEARER, Client, Tokens

__all__ = ["unattended_tokens"]

_ASSERTION_SECONDS: Final = 600


def unattended_tokens(client: Client) -> Tokens:
    """The tokens of a flow that needs nobody; the client has its secret."""
    scope = scope_of(client.identity, client.metadata)
    if client.identity.flow == "client_credentials":
        return client.tokens("client_credentials", "refused the client", scope=scope)
    assert client.secret is not None
    key = client.secret
    assertion = sealed(lambda: _assertion(key, client.identity.user, client.metadata.token, scope))
    if assertion is None:
        raise SignInError(
            f"{client.identity.name}: the client secret that is kept is not a service account's key.",
            cause="sign-in-option",
            hint="It must be the whole JSON file from Google, with client_email and private_key in it.",
        )
    return client.tokens(JWT_BEARER, "refused the service account", assertion=assertion, scope=scope)


def _assertion(key: Secret, user: str, audience: str, scope: str) -> Secret | None:
    """The signed assertion (RS256) that the account acts for ``user``; None where the key is none."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # only this needs it
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    now = int(time.time())
    try:
        account = json.loads(key.reveal())
        header = {"alg": "RS256", "typ": "JWT", "kid": account.get("private_key_id", "")}
        claims = {"iss": account["client_email"], "sub": user, "aud": audience, "scope": scope}
        signer = load_pem_private_key(account["private_key"].encode(), None)
    except (ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm):
        return None
    if not isinstance(signer, RSAPrivateKey):
        return None
    claims |= {"iat": now, "exp": now + _ASSERTION_SECONDS}
    said = f"{_part(header)}.{_part(claims)}"
    signature = signer.sign(said.encode(), PKCS1v15(), SHA256())
    return Secret(f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")


def _part(fields: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
