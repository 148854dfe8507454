"""Whose secret is looked for, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import CredentialError
from ..names import fold
from ..secret import Kind, Secret
from . import naming

__all__ = ["Account", "Credential"]


@dataclass(frozen=True)
class Account:
    """A connection, by its name, and which of its two secrets; ``user`` is whom a question names."""

    name: str
    kind: Kind = Kind.PASSWORD
    user: str = ""

    @property
    def key(self) -> str:
        """What the name is compared by; empty for a connection that has none."""
        return fold(self.name)

    @property
    def phrase(self) -> str:
        """The secret in words: ``password for 'ops'``."""
        return naming.phrase(self.name, self.kind)


@dataclass(frozen=True)
class Credential:
    """A secret and where it was found: ``this kernel``, a variable, ``keyring`` or ``prompt``."""

    secret: Secret
    source: str

    @classmethod
    def of(cls, secret: Secret | None, source: str, *, place: str, hint: str) -> Credential:
        """What was found, if it can be a password; None is a text that is no UTF-8.

        Else a :class:`~mailconn_jupyter.errors.CredentialError` that begins with the ``place``, and never shows it.
        """
        flaw = "is not UTF-8" if secret is None else secret.flaw()
        if secret is None or flaw:
            raise CredentialError(f"{place} {flaw}.", hint=hint)
        return cls(secret, source)
