"""Finding the secret of a connection, in whichever of the :data:`~.sources.SOURCES` has it first."""

from __future__ import annotations

from ..errors import CredentialError, warn
from ..secret import Kind
from . import naming, sources
from .account import Account, Credential
from .prompt import may_ask

__all__ = ["resolve", "where"]


def resolve(name: str, *, kind: str = Kind.PASSWORD, ask: bool = True, user: str = "") -> Credential:
    """The secret of the connection ``name``; ``user`` is named in the question, if one is asked.

    What was typed at a prompt is not kept: :func:`remember` it once the server has taken it. A nameless connection has
    nowhere to keep one, so it is asked for. Raises :class:`CredentialError` if there is none, with what to do.
    """
    account = Account(name, Kind(kind), user)
    failure: CredentialError | None = None
    for source in sources.SOURCES:
        if not account.key and not source.asks:
            continue
        if source.asks and failure is not None and ask and may_ask():
            warn(f"{failure.message} So the password is asked for.")
        try:
            if found := source.find(account, ask):
                return found
        except CredentialError as error:
            if source.settled:
                raise
            # What comes after it, somebody who can be asked for example, makes up for it.
            failure = error.with_traceback(None)
    raise failure or _nowhere(account, ask=ask)


def _nowhere(account: Account, *, ask: bool) -> CredentialError:
    name, kind = account.name, account.kind
    unasked = ", and nobody can be asked here" if ask else ""
    if not account.key:
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
    account = Account(name, Kind(kind))
    if not account.key:
        return ""
    return next((place for source in sources.SOURCES if (place := source.where(account))), "")
