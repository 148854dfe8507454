"""Signing in by a link (RFC 6749, 4.1, with PKCE, RFC 7636), whose last page is on the person's own machine.

Nothing listens there: from a hub nothing could. So the page fails to load, and the person pastes its address.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from ...errors import SignInError
from ...secret import Secret
from ...transport.transport_errors import readable
from ..without_traceback import sealed
from .questions import refusal_words
from .scopes import scope_of
from .token_requests import Client, Tokens

__all__ = ["Link", "begin_link"]

#: Ports that no service has for its own (RFC 6335, 6); any may stand in the address of a page on this machine (RFC 8252, 7.3).
_PORTS: Final = range(49152, 65536)


@dataclass(frozen=True)
class Link:
    """A sign-in under way: a person opens ``link``, and :meth:`finish` takes the address that it ends at."""

    link: str
    redirect: str
    _client: Client = field(repr=False)
    _state: Secret
    _verifier: Secret

    def finish(self, pasted: Secret) -> Tokens:
        """The tokens for what was pasted; raises :class:`SignInError`. An address is good for one try."""
        metadata = self._client.metadata
        answer = sealed(lambda: _read(pasted))
        if answer is None:
            raise SignInError(
                "That is not the address of the last page.",
                cause="sign-in-refused",
                hint=f"Paste the whole address, which begins with {self.redirect} and contains a code.",
            )
        if answer.state != self._state:
            raise SignInError(
                "That address belongs to another sign-in.",
                cause="sign-in-refused",
                error="state",
                hint="Sign in again with the link that was shown last. If somebody sent you that address, do not use it.",
            )
        # RFC 9207, 2.4: else the code could be another server's.
        if (answer.issuer or metadata.names_itself) and not metadata.is_issuer(answer.issuer):
            raise SignInError(
                f"The answer is from a different issuer than {metadata.issuer}: {readable(answer.issuer, 100) or 'none'}.",
                cause="sign-in-refused",
                error="iss",
                hint="Do not use that address. Check the connection's issuer, and sign in again.",
            )
        if answer.error:
            raise refusal_words(metadata.host, answer.error, answer.description)
        if not answer.code:
            raise SignInError(
                "The address contains no code.", cause="sign-in-refused", hint="Sign in again, as far as the last page."
            )
        return self._client.tokens(
            "authorization_code",
            "refused the code",
            code=answer.code,
            redirect_uri=self.redirect,
            code_verifier=self._verifier,
        )


def begin_link(client: Client) -> Link:
    """Make the link; nothing is asked of the server. Raises :class:`SignInError`."""
    metadata = client.metadata
    if not metadata.authorization:
        raise SignInError(
            f"{metadata.issuer} does not offer sign-in by link.",
            cause="sign-in-option",
            hint="Use the device flow instead.",
        )
    # RFC 8252, 7.3; Microsoft registers it as http://localhost, and Google takes it for any desktop app.
    host = "localhost" if metadata.is_microsoft else "127.0.0.1"
    path = "" if metadata.is_microsoft or metadata.is_google else "/"
    redirect = f"http://{host}:{secrets.choice(_PORTS)}{path}"
    state, verifier = Secret(secrets.token_urlsafe(24)), Secret(WebApplicationClient("").create_code_verifier(64))
    asked = [
        ("response_type", "code"),
        ("client_id", client.identity.client_id),
        ("redirect_uri", redirect),
        ("scope", scope_of(client.identity, metadata)),
        ("code_challenge", WebApplicationClient("").create_code_challenge(verifier.reveal(), "S256")),
        ("code_challenge_method", "S256"),
        ("login_hint", client.identity.user),
    ]
    if metadata.is_google:
        asked += [("access_type", "offline")]
    if not metadata.is_microsoft:
        # Else there may be no refresh token (OpenID Connect Core 1.0, 11). At Microsoft it would shut out everybody who
        # may not consent for themselves.
        asked += [("prompt", "consent")]
    link = add_params_to_uri(metadata.authorization, [pair for pair in asked if pair[1]])
    return Link(add_params_to_uri(link, [("state", state.reveal())]), redirect, client, state, verifier)


@dataclass(frozen=True)
class _Answer:
    code: Secret
    state: Secret
    issuer: str
    error: str
    description: str


def _read(pasted: Secret) -> _Answer | None:
    """The fields of the address; None where it is none, or says a field twice."""
    try:
        query = urlsplit("".join(pasted.reveal().split()).strip("<>\"'")).query
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return None
    if any(len(values) > 1 for values in fields.values()) or not {"code", "error"} & fields.keys():
        return None
    found = {name: values[0] for name, values in fields.items()}
    code, state = Secret(found.get("code", "")), Secret(found.get("state", ""))
    return _Answer(code, state, found.get("iss", ""), found.get("error", ""), found.get("error_description", ""))
