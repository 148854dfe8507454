"""Keeping, moving and forgetting secrets, in the keyring where there is a safe one and else in this kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..connection.changes import changed
from ..errors import CredentialError, OptionError, hidden_warning
from ..keywords import public
from ..names import fold
from ..secret import Kind, Secret
from . import naming, prompt
from .account import Account
from .cell_literal import tell_of_literal
from .keyring_call import KeyringLocked
from .keyring_secrets import Keyring, NoKeyring, open_keyring, status
from .memory import memory
from .resolve import find_place

if TYPE_CHECKING:
    from ..connection import MailConnection

__all__ = [
    "asked",
    "forget",
    "forget_accounts",
    "forget_memory",
    "forget_password",
    "keep",
    "keyring_status",
    "move",
    "remember",
    "require_place",
    "set_password",
]


@public
def set_password(
    target: str | MailConnection,
    password: str | Secret | None = None,
    proxy: bool = False,
    *,
    client: bool = False,
    smime: bool = False,
) -> str:
    """Keep the password of a connection, by its name (with ``proxy`` the proxy's); returns where, in words.

    With ``client`` it is the secret of the app for signing in (OAuth 2.0), or a service account's whole key file; with
    ``smime`` the passphrase of the key that mail is signed and decrypted with.

    It goes to the keyring, and where there is no safe one it stays in this kernel. None asks for it without echo. That of a
    connection that an administrator shares is kept for its server and user alone. Raises :class:`CredentialError` if it
    cannot be a password, or if the keyring fails; then nothing is kept.
    """
    given = password is not None
    secret = Secret.of(password)
    # From here on no frame holds the plain text, and what a traceback shows of this one is stars.
    del password
    account = Account.of(target, _kind(proxy=proxy, client=client, smime=smime))
    name, what = account.name, account.phrase
    command = naming.command(name, account.kind)
    if not account.key:
        raise CredentialError("A password is kept under a connection's name, and the name is empty.")
    if not given:
        require_place(account)
        secret = prompt.typed(account)
        if secret is None:
            raise CredentialError(
                f"There is nobody to ask for the {what} here.",
                hint=f"Run {command} in a notebook, or {naming.remedy(name, account.kind)}.",
            )
    if secret is None:
        raise CredentialError(f"The {what} is not text.")
    if flaw := account.flaw(secret):
        raise CredentialError(f"The {what} {flaw}.", hint=f"Set a different one: {command}")
    if given:
        tell_of_literal(1, "password", what, f"run {command}, which asks for it")
    return keep(account, secret)


def asked(kind: Kind) -> dict[str, bool]:
    """The keyword of :func:`set_password` and :func:`forget_password` that means the kind; none for the server's password."""
    return {} if kind is Kind.PASSWORD else {str(kind): True}


def _kind(**switches: bool) -> Kind:
    kinds = [Kind(name) for name, on in switches.items() if on]
    if len(kinds) > 1:
        raise OptionError(
            f"{' and '.join(f'{kind}=True' for kind in kinds)} are two secrets; keep or forget one at a time."
        )
    return kinds[0] if kinds else Kind.PASSWORD


def keep(account: Account, secret: Secret) -> str:
    """Keep what is known to be good; returns where, in words, and raises as :func:`set_password`."""
    try:
        return _keep(account, secret)
    finally:
        if account.kind is not Kind.REFRESH:  # which is renewed now and then, and the account stays
            changed(account.name)


def require_place(account: Account) -> None:
    """Raise :class:`CredentialError` where a secret could be kept nowhere, before a person is asked for it."""
    if memory.lasts:
        return
    keyring = open_keyring()
    if isinstance(keyring, NoKeyring):
        raise CredentialError(
            f"The {account.phrase} cannot be kept: there is no safe keyring here ({keyring.reason}).",
            hint=f"To give it, {naming.remedy(account.name, account.kind)}, or install a keyring, for example: "
            "pip install keyrings.cryptfile",
        )


def _keep(account: Account, secret: Secret) -> str:
    keyring = open_keyring()
    if isinstance(keyring, NoKeyring):
        require_place(account)
        memory.put(account, secret)
        return (
            f"in this kernel only: there is no safe keyring here ({keyring.reason}); to keep it, "
            f"{naming.remedy(account.name, account.kind)}, or install a keyring, for example: "
            "pip install keyrings.cryptfile"
        )
    try:
        keyring.write(account, secret)
    except KeyringLocked as error:
        if not memory.lasts:
            raise
        memory.put(account, secret)
        hidden_warning(f"{error.message} So the {account.phrase} is kept in this kernel only. {error.hint}")
        return f"in this kernel only, as the keyring ({keyring.title}) is locked"
    # What was typed earlier would come first.
    memory.drop(account)
    place, first = f"in the keyring ({keyring.title})", find_place(account)
    return place if first in {"", place} else f"{place}, but one {first} comes first"


@public
def forget_password(
    target: str | MailConnection, proxy: bool = False, *, client: bool = False, smime: bool = False
) -> str:
    """Forget the password of a connection, by its name (with ``proxy`` the proxy's), in this kernel and in the keyring.

    With ``client`` it is the secret of the app for signing in, with ``smime`` the passphrase of the S/MIME key.

    Returns where one can still be found, in words; empty if nowhere: the environment is not this kernel's to
    change. Raises :class:`CredentialError` if the keyring fails; what this kernel knew is forgotten in any case.
    """
    account = Account.of(target, _kind(proxy=proxy, client=client, smime=smime))
    memory.drop(account)
    try:
        if account.key:
            keyring = open_keyring()
            if isinstance(keyring, Keyring):
                keyring.delete(account)
    finally:
        changed(account.name)
    return find_place(account)


def remember(target: str | MailConnection, secret: str | Secret, *, kind: str = Kind.PASSWORD) -> None:
    """Keep a secret in this kernel's memory; it comes before every other source."""
    held = Secret.of(secret)
    del secret
    if held:
        memory.put(Account.of(target, kind), held)


def forget_memory(target: str | MailConnection, kind: str | None = None) -> None:
    """Drop what this kernel's memory holds: of one kind, or of both."""
    for each in Kind if kind is None else (kind,):
        memory.drop(Account.of(target, each))


def forget(target: str | MailConnection) -> list[str]:
    """Remove every secret from this kernel and the keyring; returns a sentence for each that may still be there.

    The environment is not this kernel's to change.
    """
    return forget_accounts(Account.of(target, kind) for kind in Kind)


def forget_accounts(which: Iterable[Account]) -> list[str]:
    """The same, of single secrets of one connection."""
    accounts = list(which)
    for account in accounts:
        memory.drop(account)
        if account.kind is Kind.REFRESH:
            from .oauth import token_files  # noqa: PLC0415  # few sign in

            token_files.forget_named(account.name)
    changed(accounts[0].name)
    if not accounts[0].key:
        return []
    failures = []
    try:
        keyring = open_keyring()
    except CredentialError as error:
        return [f"{error.message} The secrets of {accounts[0].name!r} may still be there."]
    if isinstance(keyring, NoKeyring):
        return []
    for account in accounts:
        try:
            keyring.delete(account)
        except CredentialError as error:
            failures.append(f"{error.message} The {account.phrase} may still be there.")
    return failures


def move(old: str | MailConnection, new: str) -> None:
    """Give the connection ``new`` the secrets of ``old``, for a rename; what ``new`` had is dropped.

    Raises :class:`CredentialError` if the keyring fails; then nothing has moved.
    """
    pairs = [(Account.of(old, kind), Account(new, kind)) for kind in Kind]
    if pairs[0][0].key == fold(new):
        return
    keyring = open_keyring()
    if isinstance(keyring, Keyring):
        _move(keyring, pairs)
    for before, after in pairs:
        secret = memory.get(before)
        memory.drop(before.own)
        memory.drop(after)
        if secret is not None:
            memory.put(after, secret)


def _move(keyring: Keyring, pairs: Sequence[tuple[Account, Account]]) -> None:
    before = {account: keyring.read(account) for old, new in pairs for account in (old.own, new)}
    # What was kept for a shared connection of the old name stays with that.
    after = {new: keyring.read(old) for old, new in pairs} | {old.own: None for old, _ in pairs}
    # Copies first, deletions last: a crash leaves two rather than none.
    steps = sorted((place for place in before if before[place] != after[place]), key=lambda place: not after[place])
    done = []
    failure: CredentialError | None = None
    try:
        for place in steps:
            done.append(place)
            _put(keyring, place, after[place])
    except CredentialError as error:
        failure = error
    if failure is None:
        return
    lost = []
    for place in reversed(done):
        try:
            _put(keyring, place, before[place])
        except CredentialError:
            lost.append(place.phrase)
    if lost:
        failure = CredentialError(
            f"{failure.message} It may now be out of date for the {' and the '.join(lost)}.", hint=failure.hint
        )
    raise failure.with_traceback(None)


def _put(keyring: Keyring, place: Account, secret: Secret | None) -> None:
    if secret:
        keyring.write(place, secret)
    else:
        keyring.delete(place)


def keyring_status() -> tuple[bool, str]:
    """Whether passwords can be kept in a keyring here, and a sentence that says which or why not."""
    return status()
