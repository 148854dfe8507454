"""Finding the secret of a connection, in whichever of the :data:`~.sources.SOURCES` has it first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import CredentialError, warn
from ..secret import Kind
from . import naming, sources
from .account import Account, Credential
from .prompt import may_ask
from .variables import former_that_is_set, variable

if TYPE_CHECKING:
    from ..connection import MailConnection

__all__ = ["find_place", "look", "resolve", "where", "withheld"]


def resolve(target: str | MailConnection, *, kind: str = Kind.PASSWORD, ask: bool = True, user: str = "") -> Credential:
    """The secret of a connection, by its name; ``user`` is named in the question, if one is asked.

    What was typed at a prompt is not kept: :func:`remember` it once the server has taken it. A nameless connection has
    nowhere to keep one, so it is asked for. Raises :class:`CredentialError` if there is none, with what to do.
    """
    account = Account.of(target, kind)
    account = replace(account, user=user) if user and not account.host else account
    found, failure = _search(account, ask=ask)
    if found is None:
        raise failure or _not_given(account) or _renamed(account) or _nowhere(account, ask=ask)
    return found


def look(account: Account) -> Credential | None:
    """The secret where it is kept, None where it is not; nobody is asked.

    Raises :class:`CredentialError` where nobody can say, or what is there cannot be used.
    """
    found, failure = _search(account, ask=False)
    if failure is not None:
        raise failure
    return found


def _search(account: Account, *, ask: bool) -> tuple[Credential | None, CredentialError | None]:
    failure: CredentialError | None = None
    for source in sources.SOURCES:
        if not account.key and not source.asks:
            continue
        if source.asks and ask and may_ask() and (lack := failure or _not_given(account) or _renamed(account)):
            warn(f"{lack.message} So the {naming.word(account.kind)} is asked for.")
        try:
            if found := source.find(account, ask):
                return found, None
        except CredentialError as error:
            if source.settled:
                raise
            # What comes after it, somebody who can be asked for example, makes up for it.
            failure = error.with_traceback(None)
    return None, failure


def withheld(target: str | MailConnection, *, kind: str = Kind.PASSWORD) -> str:
    """Where there is a secret that a shared connection does not get, and what gives it one; empty if there is none."""
    error = _not_given(Account.of(target, kind))
    return error.in_one_line if error else ""


def _not_given(account: Account) -> CredentialError | None:
    """The error for a secret that the user gave for a connection of his own, where a shared one has the name."""
    name, kind = account.name, account.kind
    place = find_place(account.own) if account.shared else ""
    if not place:
        return None
    return CredentialError(
        f"No {naming.word(kind)} is kept for {name!r} as shared by an administrator ({account.party}). The one {place} belongs to a "
        "connection of your own.",
        hint=f"If this server may be given one, run {naming.command(name, kind)}, or {naming.remedy(name, kind)}.",
    )


def _renamed(account: Account) -> CredentialError | None:
    """The error for a variable that is set under the name that it had before."""
    name, kind = account.name, account.kind
    former = former_that_is_set(name, kind)
    if not former:
        return None
    now = variable(name, kind) + ("_FILE" if former.endswith("_FILE") else "")
    return CredentialError(
        f"No {naming.word(kind)} is kept for {name!r}. {former} is set, but the variable for {name!r} is now {now}.",
        hint=f'If it is meant for this connection, run: export {now}="${former}". Or run {naming.command(name, kind)}.',
    )


def _nowhere(account: Account, *, ask: bool) -> CredentialError:
    name, kind = account.name, account.kind
    unasked = ", and there is nobody to ask here" if ask else ""
    if not account.key:
        return CredentialError(
            f"A connection without a name has no {naming.word(kind)}{unasked}.",
            hint="Give the connection a name, and keep its password under that.",
        )
    return CredentialError(
        f"No {naming.word(kind)} is kept for {name!r}{unasked}.",
        hint=f"Run {naming.command(name, kind)}, or {naming.remedy(name, kind)}.",
    )


def where(target: str | MailConnection, *, kind: str = Kind.PASSWORD) -> str:
    """Where :func:`resolve` would find the secret, in words; empty if nowhere without asking. Never shows it.

    A keyring that fails, or that would ask for a password of its own, counts as one that has nothing.
    """
    return find_place(Account.of(target, kind))


def find_place(account: Account) -> str:
    """The same for an account."""
    if not account.key:
        return ""
    return next((place for source in sources.SOURCES if (place := source.where(account))), "")
