"""OAuth 2.0 access tokens that Dovecot verifies by itself, without an identity provider."""

from __future__ import annotations

import base64
import secrets
import time
from pathlib import Path

import jwt

from tests.servers.templates import fill

#: Who the tokens say they come from; Dovecot refuses any other issuer.
ISSUER = "https://idp.test"


class Tokens:
    """Signs JSON Web Tokens with a key that one Dovecot knows."""

    def __init__(self) -> None:
        """Make a new key."""
        self._key = secrets.token_hex(32)

    def configure(self, state: Path) -> str:
        """Put the key where Dovecot looks: keys/<azp or default>/<algorithm>/<kid or default>; return its oauth2.ext."""
        folder = state / "keys" / "default" / "HS256"
        folder.mkdir(parents=True)
        (folder / "default").write_bytes(base64.b64encode(self._key.encode()))
        return fill("oauth2.ext", state=state, issuer=ISSUER)

    def token(self, user: str, *, expired: bool, bad_signature: bool, email: str | None) -> str:
        """Return a token; see :meth:`tests.servers.dovecot.Dovecot.token`."""
        end = time.time() + (-60 if expired else 3600)
        claims = {
            "sub": user,
            "email": user if email is None else email,
            "iss": ISSUER,
            "aud": "mail",
            "iat": int(end) - 7200,
            "nbf": int(end) - 7200,
            "exp": int(end),
        }
        key = secrets.token_hex(32) if bad_signature else self._key
        return jwt.encode(claims, key, "HS256")
