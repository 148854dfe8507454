"""What an authorization server says of itself: its endpoints (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ...errors import SignInError
from ...transport.http import HTTP
from ...transport.http_question import Fields, Place
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import readable
from .identity import Identity
from .questions import retried

__all__ = ["Metadata", "issuer_url", "read_metadata"]

_MICROSOFT: Final = "https://login.microsoftonline.com/{tenant}/v2.0"
_GOOGLE: Final = "https://accounts.google.com"
#: What Microsoft's issuer says in place of the tenant where the address has ``common``, or the tenant's other name.
_TENANT: Final = re.compile(r"https://(?P<host>login\.[a-z.]+)/[^/]+/v2\.0")

#: By the issuer and what was asked of its certificate: who trusts more may have been told something else on the way.
_known: dict[tuple[str, TLSPolicy], Metadata] = {}


@dataclass(frozen=True)
class Metadata:
    """The endpoints, empty where there is none; what else the server says that matters here."""

    issuer: str
    token: str
    authorization: str
    device: str
    revocation: str
    scopes: tuple[str, ...]
    #: How a client may show its secret; empty: not said.
    client_logins: tuple[str, ...]
    #: Whether the answer to a link must name the issuer (RFC 9207).
    names_itself: bool

    @property
    def host(self) -> str:
        return urlsplit(self.issuer).hostname or ""

    @property
    def is_microsoft(self) -> bool:
        """Whether it is Microsoft's, which differs here and there."""
        return bool(_TENANT.fullmatch(self.issuer))

    @property
    def is_google(self) -> bool:
        """Whether it is Google's."""
        return self.issuer == _GOOGLE

    def is_issuer(self, said: str) -> bool:
        """Whether that is this server's own name; Microsoft's holds the tenant, which nobody can know before."""
        return said == self.issuer or _same_microsoft(said, self.issuer)


def issuer_url(identity: Identity) -> str:
    """The issuer's URL; raises :class:`SignInError` for one that is not used."""
    known = {"microsoft": _MICROSOFT.format(tenant=identity.tenant or "common"), "google": _GOOGLE}
    url = known.get(identity.issuer.casefold(), identity.issuer).rstrip("/")
    try:
        Place.parse(url)
    except ValueError as error:
        raise SignInError(
            f"The issuer {identity.issuer!r} {error}.",
            cause="sign-in-option",
            hint="Give microsoft, google, or the issuer's URL, for example: https://login.example.org",
        ) from None
    return url


def read_metadata(identity: Identity, http: HTTP) -> Metadata:
    """What the identity's issuer says, asked once in a kernel; raises :class:`SignInError`."""
    url = issuer_url(identity)
    known = url, http.way.policy(Place.parse(url).host)
    if known not in _known:
        _known[known] = _ask(url, http)
    return _known[known]


def _ask(url: str, http: HTTP) -> Metadata:
    parts = urlsplit(url)
    answers = []
    for place in (
        f"{url}/.well-known/openid-configuration",
        f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path}",
    ):
        answer = retried(lambda place=place: http.get(place), http.limit, parts.hostname or url)  # type: ignore[misc]
        answers.append(answer)
        if answer.status == 200 and answer.fields is not None:
            return _read(url, answer.fields)
    first = answers[0]
    if 300 <= first.status < 400:
        found = f"it redirects to {first.location or 'nowhere'}"
    else:
        found = f"it replied with {first.status} {first.kind}".rstrip()
    raise SignInError(
        f"{url} does not say how to sign in there: {found}.",
        cause="sign-in-option",
        hint="Check the issuer's URL in its documentation; a proxy or a captive portal may also be answering in its place.",
    )


def _read(url: str, fields: Fields) -> Metadata:
    metadata = Metadata(
        issuer=fields.text("issuer"),
        token=fields.text("token_endpoint"),
        authorization=fields.text("authorization_endpoint"),
        device=fields.text("device_authorization_endpoint"),
        revocation=fields.text("revocation_endpoint"),
        scopes=fields.texts("scopes_supported"),
        client_logins=fields.texts("token_endpoint_auth_methods_supported"),
        names_itself=fields.flag("authorization_response_iss_parameter_supported"),
    )
    # RFC 8414, 3.3: else one server could speak for another.
    if metadata.issuer.rstrip("/") != url and not _same_microsoft(metadata.issuer, url):
        raise SignInError(
            f"{url} names a different issuer: {readable(metadata.issuer, 200) or 'none'}.",
            cause="sign-in-option",
            hint="If that is the one you mean, give the issuer as it names itself.",
        )
    if not metadata.token:
        raise SignInError(f"{url} names no token endpoint.", cause="sign-in-option", hint="Check the issuer.")
    for endpoint in (metadata.token, metadata.authorization, metadata.device, metadata.revocation):
        try:
            # What is plain text is for an issuer on this machine: another one would send us to what listens here.
            if endpoint and Place.parse(endpoint).secure < Place.parse(url).secure:
                raise ValueError("is not https, unlike the issuer")
        except ValueError as error:
            raise SignInError(
                f"{url} gives an address that {error}: {readable(endpoint, 200)}",
                cause="sign-in-option",
                hint="Check the issuer.",
            ) from None
    return metadata


def _same_microsoft(said: str, url: str) -> bool:
    ours, theirs = _TENANT.fullmatch(url), _TENANT.fullmatch(said)
    return bool(ours and theirs) and ours["host"] == theirs["host"]  # type: ignore[index]
