"""For whom, at which authorization server and by which client a token is, and the token."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from ...names import fold
from ...secret import Kind, Secret
from ..account import Account

__all__ = ["AccessToken", "Identity"]


@dataclass(frozen=True)
class Identity:
    """``issuer`` is ``microsoft``, ``google`` or a URL; ``flow`` and ``scope`` are empty for what fits.

    ``host`` is the mail server, which hears the access token. ``shared``: an administrator's connection says so, and what
    the user gave for one of his own is not for that.
    """

    name: str
    protocol: str
    user: str
    issuer: str
    client_id: str = ""
    tenant: str = ""
    flow: str = ""
    scope: str = ""
    host: str = ""
    shared: bool = False

    @property
    def grant(self) -> Account:
        """Where the refresh token is kept."""
        hosts = " ".join(filter(None, (self.issuer, self.host)))
        return Account(self.name, Kind.REFRESH, self.user, hosts.casefold(), self.shared)

    @property
    def client(self) -> Account:
        """Where the client's own secret is kept."""
        return Account(self.name, Kind.CLIENT, self.client_id, self.issuer.casefold(), self.shared)

    @property
    def unattended(self) -> bool:
        """Whether no person signs in: the client's own secret is the login."""
        return self.flow in {"client_credentials", "service_account"}

    @property
    def binding(self) -> str:
        """What a kept sign-in belongs to, as a short word: at another issuer, client or user it is not used."""
        return self._digest(self.issuer, self.tenant, self.client_id, fold(self.user))

    @property
    def key(self) -> str:
        """What an access token belongs to."""
        parts = (fold(self.name), self.protocol, self.flow, self.scope, self.host.casefold(), str(self.shared))
        return self._digest(self.binding, *parts)

    @staticmethod
    def _digest(*parts: str) -> str:
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class AccessToken:
    """An access token, and until when it is good, in seconds since the epoch."""

    secret: Secret
    until: float

    def good_for(self, seconds: float) -> bool:
        """Whether so much of its time is left."""
        return time.time() + seconds <= self.until
