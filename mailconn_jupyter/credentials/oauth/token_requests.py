"""What is sent to a token endpoint, and the tokens that come back (RFC 6749, 5)."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from oauthlib.oauth2.rfc6749.parameters import prepare_token_request

from ...errors import SignInError
from ...secret import Secret
from ...transport.http import HTTP
from ...transport.http_question import Fields
from ...transport.transport_errors import readable
from ..without_traceback import sealed
from .identity import AccessToken, Identity
from .metadata import Metadata
from .questions import ask, refusal

__all__ = ["DEVICE_CODE", "JWT_BEARER", "Client", "Tokens"]


#: RFC 7523, 2.1; RFC 8628, 3.4.
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

#: RFC 6750, 2.1, as far as nothing of it ends a line or a field; RFC 6749, A.17.
_ACCESS = re.compile(r"[\x21-\x7e]+")
_REFRESH = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True)
class Tokens:
    """What a sign-in or a refresh brought; ``who`` is the account's name, as far as the server says it."""

    access: AccessToken
    refresh: Secret | None
    who: str
    scope: str


@dataclass(frozen=True)
class Client:
    """What the authorization server knows this program as: an id, and a secret where it has one."""

    identity: Identity
    metadata: Metadata
    secret: Secret | None
    http: HTTP

    def tokens(self, grant_type: str, what: str = "refused the sign-in", **fields: str | Secret) -> Tokens:
        """Ask for tokens; ``what`` begins the error of a refusal. Raises :class:`SignInError`."""
        asked = time.time()
        answer = self.send(self.metadata.token, grant_type, what, **fields)
        access, refresh = answer.secret("access_token"), answer.secret("refresh_token")
        kind = answer.text("token_type")
        right = access is not None and _matches(access, _ACCESS) and kind.casefold() in {"", "bearer"}
        if access is None or not right or (refresh is not None and not _matches(refresh, _REFRESH)):
            raise SignInError(
                f"{urlsplit(self.metadata.token).hostname} answered without an access token that can be used.",
                cause="sign-in-refused",
                hint="Check oauth_scope, and the permissions of the client's registration.",
            )
        # Counted from before the question: what the answer took is lost, not won. Without a time it is for once.
        until = asked + (answer.seconds("expires_in") or 0.0)
        return Tokens(AccessToken(access, until), refresh, _who(answer), answer.text("scope"))

    def revoke(self, token: Secret) -> None:
        """Have the server forget a refresh token, and with it the sign-in (RFC 7009); raises :class:`SignInError`."""
        kind = {"token_type_hint": "refresh_token"}
        self.send(self.metadata.revocation, "", "did not revoke the sign-in", token=token, **kind)

    def send(self, url: str, grant_type: str, what: str, **fields: str | Secret) -> Fields:
        """Send a form to an endpoint as this client; the fields of the answer, or :class:`SignInError`."""
        host = urlsplit(url).hostname or url
        form, login = sealed(lambda: self._form(grant_type, fields))
        reply = ask(self.http, url, form, host, login)
        if reply.status == 200 and url == self.metadata.revocation:
            # RFC 7009, 2.2: what it says is of no matter.
            return Fields({})
        if reply.status == 200 and reply.fields is not None and "error" not in reply.fields:
            return reply.fields
        hidden = [value for value in (*fields.values(), self.secret) if isinstance(value, Secret)]
        raise refusal(reply, host, *hidden, what=what)

    def _form(self, grant_type: str, fields: dict[str, str | Secret]) -> tuple[Secret, Secret | None]:
        plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}
        plain["client_id"] = self.identity.client_id
        login = None
        if self.secret is not None and grant_type != JWT_BEARER:
            logins = self.metadata.client_logins
            if logins and "client_secret_post" not in logins and "client_secret_basic" in logins:
                # RFC 6749, 2.3.1: both are encoded before they are joined.
                login = Secret(f"{quote(self.identity.client_id, safe='')}:{quote(self.secret.reveal(), safe='')}")
            else:
                plain["client_secret"] = self.secret.reveal()
        plain = {name: value for name, value in plain.items() if value}
        if not grant_type:
            from oauthlib.common import urlencode  # noqa: PLC0415

            return Secret(urlencode(list(plain.items()))), login
        return Secret(prepare_token_request(grant_type, **plain)), login


def _matches(token: Secret, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(token.reveal()) is not None


def _who(answer: Fields) -> str:
    """The account's name in the ID token.

    It came from the token endpoint over TLS, so its signature adds nothing (OpenID Connect Core 1.0, 3.1.3.7), and it
    decides nothing here: a person reads it.
    """
    token = answer.secret("id_token")
    return sealed(lambda: _claimed(token)) if token is not None else ""


def _claimed(token: Secret) -> str:
    try:
        middle = token.reveal().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        names = (claims.get(claim) for claim in ("email", "preferred_username", "upn", "sub"))
        return readable(next((name for name in names if isinstance(name, str) and name), ""), 200)
    except (IndexError, ValueError, AttributeError, RecursionError):
        return ""
