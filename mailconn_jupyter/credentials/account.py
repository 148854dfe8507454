"""Whose secret is looked for, and what was found."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ..errors import CredentialError, MailConnError
from ..names import fold
from ..secret import Kind, Secret
from . import naming
from .variables import former_key

if TYPE_CHECKING:
    from ..connection import MailConnection

__all__ = ["Account", "Credential", "Place"]

Place = tuple[str, str]
"""A keyring's service and user; in this kernel's memory, too, a secret is kept under them."""


@dataclass(frozen=True)
class Account:
    """A connection, by its name, which of its secrets, and for which ``user`` at which ``host`` (empty: unknown).

    ``shared``: an administrator's file says so, and what the user gave for a connection of his own is not for that one.
    """

    name: str
    kind: Kind = Kind.PASSWORD
    user: str = ""
    host: str = ""
    shared: bool = False
    #: User and host as the connection has them written, for a person to read.
    party: str = field(default="", compare=False)

    @classmethod
    def of(cls, target: str | MailConnection, kind: str = Kind.PASSWORD) -> Account:
        """The account of a connection, or of the stored one of that name; of any other name the user's own."""
        kind = Kind(kind)
        connection = _stored(target) if isinstance(target, str) else target
        if connection is None:
            return cls(str(target), kind)
        name = target if isinstance(target, str) else target.name
        account = cls(name, kind, *_party(connection, kind), connection.shared, _as_written(connection, kind))
        if connection.hides is not None and _party(connection.hides, kind) == (account.user, account.host):
            return replace(account, shared=False)
        return account

    @property
    def own(self) -> Account:
        """The account of the user's own connection of that name, for whatever server."""
        return Account(self.name, self.kind)

    @property
    def key(self) -> str:
        """What the name is compared by; empty for a connection that has none."""
        return fold(self.name)

    @property
    def places(self) -> list[Place]:
        """Where its secret may be kept; the first is where it is kept from now on."""
        service = naming.service(self.kind)
        # What is quoted has no slash, so no other name, user and host are written like these.
        party = "/".join(quote(part, safe="@") for part in (self.key, self.user, self.host))
        bound = (f"{service}-shared", party)
        if self.shared:
            return [bound]
        return [(service, self.key), bound] if self.host else [(service, self.key)]

    @property
    def former_places(self) -> list[Place]:
        """Where a keyring may have it from before."""
        former = former_key(self.name)
        return [(naming.service(self.kind), former)] if not self.shared and former != self.key else []

    @property
    def phrase(self) -> str:
        """The secret in words: ``password for 'ops'``."""
        return naming.phrase(self.name, self.kind)

    def flaw(self, secret: Secret) -> str:
        """What keeps a text from being its secret, as the end of a sentence; a client's may be a whole key file."""
        return secret.flaw(lines=self.kind is Kind.CLIENT)


def _stored(name: str) -> MailConnection | None:
    from ..connection import known  # noqa: PLC0415  # few secrets are asked for by a name alone

    # An unknown name is not asked for: the error would look for the near ones.
    with suppress(MailConnError):
        if name in known.stored:
            return known.stored[name]
    return None


#: By the kind of secret, the options that name the user, and who hears it: the server has what sign-in gives.
_PARTIES: Final = {
    Kind.PASSWORD: ("username", "server_host"),
    Kind.PROXY: ("proxy_username", "proxy_host"),
    Kind.CLIENT: ("oauth_client_id", "oauth_issuer"),
    Kind.REFRESH: ("username", "oauth_issuer", "server_host"),
    # No host hears it: it opens a file of this machine.
    Kind.SMIME: ("smime_certificate",),
}


def _party(connection: MailConnection, kind: Kind) -> tuple[str, str]:
    """The user and the hosts that hear the secret, as they are when a session opens."""
    user, *hosts = (_expanded(getattr(connection, name)) for name in _PARTIES[kind])
    return user, " ".join(filter(None, hosts)).casefold()


def _as_written(connection: MailConnection, kind: Kind) -> str:
    texts = [connection.written.get(name, getattr(connection, name)) for name in _PARTIES[kind]]
    return " at ".join(filter(None, texts))


def _expanded(text: str) -> str:
    from ..connection.expansion import Environment, expand  # noqa: PLC0415  # loaded with the connection

    try:
        return expand(text, Environment(), label="", trait="")
    except MailConnError:
        # What has no value opens no session.
        return text


@dataclass(frozen=True)
class Credential:
    """A secret and where it was found: ``this kernel``, a variable, ``keyring`` or ``prompt``."""

    secret: Secret
    source: str

    @classmethod
    def of(cls, account: Account, secret: Secret | None, source: str, *, place: str, hint: str) -> Credential:
        """What was found, if it can be the account's secret; None is a text that is no UTF-8.

        Else a :class:`~mailconn_jupyter.errors.CredentialError` that begins with the ``place``, and never shows it.
        """
        flaw = "is not UTF-8" if secret is None else account.flaw(secret)
        if secret is None or flaw:
            raise CredentialError(f"{place} {flaw}.", hint=hint)
        return cls(secret, source)
