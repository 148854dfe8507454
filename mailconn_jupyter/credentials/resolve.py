"""Where a secret comes from: this kernel, the environment, the keyring, a prompt. The first that has one wins."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import CredentialError, warn
from ..names import fold
from ..secret import Kind, Secret
from . import environment, naming, prompt
from .keyring_secrets import Keyring, NoKeyring, open_keyring
from .memory import memory

__all__ = ["Credential", "resolve", "where"]


@dataclass(frozen=True)
class Credential:
    """A secret and where it was found: ``this kernel``, an environment variable's name, ``keyring`` or ``prompt``."""

    secret: Secret
    source: str


def resolve(name: str, *, kind: str = Kind.PASSWORD, ask: bool = True, user: str = "") -> Credential:
    """The secret of the connection ``name``; ``user`` is named in the question, if one is asked.

    What was typed at a prompt is not kept: :func:`remember` it once the server has taken it. A nameless connection has
    nowhere to keep one, so it is asked for. Raises :class:`CredentialError` if there is none, with what to do.
    """
    kind = Kind(kind)
    failure: CredentialError | None = None
    if fold(name):
        if secret := memory.get(name, kind):
            return Credential(secret, "this kernel")
        if found := environment.find(name, kind):
            return Credential(*found)
        try:
            if secret := _from_keyring(name, kind, ask=ask):
                return Credential(secret, "keyring")
        except CredentialError as error:
            # Somebody who can be asked makes up for it.
            failure = error.with_traceback(None)
    if ask and (secret := _asked(name, kind, user, failure)):
        return Credential(secret, "prompt")
    raise failure or _nowhere(name, kind, ask=ask)


def _from_keyring(name: str, kind: Kind, *, ask: bool) -> Secret | None:
    keyring = open_keyring()
    secret = keyring.read(name, kind, ask=ask) if isinstance(keyring, Keyring) else None
    if secret and (flaw := secret.flaw()):
        raise CredentialError(
            f"The {naming.phrase(name, kind)} in the keyring {flaw}.",
            hint=f"Set it again: {naming.command(name, kind)}",
        )
    return secret


def _asked(name: str, kind: Kind, user: str, failure: CredentialError | None) -> Secret | None:
    """What a person typed, None if nobody can be asked."""
    if failure is not None and prompt.may_ask():
        warn(f"{failure.message} So the password is asked for.")
    secret = prompt.ask(name, kind, user)
    if secret is not None and (flaw := secret.flaw()):
        raise CredentialError(f"The {naming.phrase(name, kind)} {flaw}.", hint="Try again.")
    return secret


def _nowhere(name: str, kind: Kind, *, ask: bool) -> CredentialError:
    unasked = ", and nobody can be asked here" if ask else ""
    if not fold(name):
        return CredentialError(
            f"A connection without a name has no {naming.word(kind)}{unasked}.",
            hint="Give the connection a name, and keep its password under that.",
        )
    return CredentialError(
        f"No {naming.word(kind)} is kept for {name!r}{unasked}.",
        hint=f"Run {naming.command(name, kind)}, or {naming.remedy(name, kind)}.",
    )


def where(name: str, *, kind: str = Kind.PASSWORD) -> str:
    """Where :func:`resolve` would find the secret, in words; empty if nowhere without asking. Never shows it.

    A keyring that fails, or that would ask for a password of its own, counts as one that has nothing.
    """
    kind = Kind(kind)
    if not fold(name):
        return ""
    if memory.get(name, kind):
        return "in this kernel only"
    if variable := environment.source(name, kind):
        return f"from the environment ({variable})"
    try:
        keyring = open_keyring()
        if isinstance(keyring, NoKeyring) or not keyring.read(name, kind, ask=False):
            return ""
    except CredentialError:
        return ""
    return f"in the keyring ({keyring.title})"
