"""A connection's secrets in the keyring: written only where they are safe, believed only after reading back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from ..errors import CredentialError
from ..secret import Secret
from . import keyring_parts, naming
from .account import Account, Credential, Place
from .keyring_call import KeyringFailureError, KeyringLocked, call
from .keyring_choice import Backend, NoKeyring, detect

__all__ = ["Keyring", "NoKeyring", "find", "open_keyring", "status", "where"]

T = TypeVar("T")


def open_keyring() -> Keyring | NoKeyring:
    """The keyring of this machine, or why there is none to use; :class:`CredentialError` if it fails."""
    backend = detect()
    return Keyring(backend) if isinstance(backend, Backend) else backend


def find(account: Account, ask: bool) -> Credential | None:
    """What the keyring has; without ``ask``, it is not asked to be unlocked."""
    keyring = open_keyring()
    secret = keyring.read(account, ask=ask) if isinstance(keyring, Keyring) else None
    if secret is None:
        return None
    place = f"The {account.phrase} in the keyring"
    hint = f"Set it again: {naming.command(account.name, account.kind)}"
    return Credential.of(account, secret, "keyring", place=place, hint=hint)


def where(account: Account) -> str:
    """Whether the keyring has it; one that fails, or that would ask for a password of its own, has nothing."""
    try:
        keyring = open_keyring()
        if isinstance(keyring, NoKeyring) or not keyring.read(account, ask=False):
            return ""
    except CredentialError:
        return ""
    return f"in the keyring ({keyring.title})"


def status() -> tuple[bool, str]:
    """Whether passwords can be kept in a keyring, and a sentence about it. Reads and writes nothing."""
    failure = ""
    try:
        backend = detect()
    except CredentialError as error:
        failure = error.message
    if failure:
        return False, failure
    if isinstance(backend, NoKeyring):
        return False, f"There is no safe keyring here ({backend.reason}): a password lasts as long as the kernel."
    locked = "; it asks for a password of its own first" if backend.locked else ""
    return True, f"Passwords are kept in the keyring ({backend.title}){locked}."


@dataclass(frozen=True)
class Keyring:
    """A safe backend. Every method raises :class:`CredentialError`, without the secret, if the backend fails."""

    backend: Backend

    @property
    def title(self) -> str:
        return self.backend.title

    def read(self, account: Account, *, ask: bool = True) -> Secret | None:
        """The secret, None if there is none; without ``ask``, a keyring is not asked to be unlocked."""
        for place in (*account.places, *account.former_places):
            if secret := self._get(place, account, ask=ask):
                if place in account.former_places:
                    # Where it cannot be moved, it is found here again.
                    with suppress(CredentialError):
                        self.write(account, secret)
                return secret
        return None

    def _get(self, place: Place, account: Account, *, ask: bool = True) -> Secret | None:
        keyring = self.backend.keyring
        return self._call(lambda: keyring_parts.read(keyring, place), account, ask=ask) or None

    def write(self, account: Account, secret: Secret) -> None:
        """Keep the secret, in parts where the keyring takes none so long; read it back, and if it is another, delete it."""
        keyring, place = self.backend.keyring, account.places[0]
        failure = self._try(lambda: keyring_parts.write(keyring, place, secret), account, secret)
        if failure is not None and keyring_parts.is_long(secret):
            failure = self._try(lambda: keyring_parts.write_in_parts(keyring, place, secret), account, secret)
        if failure is not None:
            raise failure.with_traceback(None)
        for former in account.former_places:
            # What stays there is hidden by what was written.
            with suppress(CredentialError):
                self._delete(former, account)

    def _try(self, action: Callable[[], object], account: Account, secret: Secret) -> CredentialError | None:
        """Write, and read back; why it is not kept."""
        keyring, place = self.backend.keyring, account.places[0]
        try:
            self._call(action, account)
        except CredentialError as error:
            return error
        failure: CredentialError | None = None
        try:
            if self._get(place, account) == secret:
                return None
            failure = self._error("returned a different password from the one it was given", account)
        except CredentialError as error:
            failure = error
        with suppress(KeyringFailureError):
            call(lambda: keyring_parts.delete(keyring, place))
        return failure

    def delete(self, account: Account) -> None:
        """Remove the secret; no error if there is none."""
        for place in (*account.places, *account.former_places):
            self._delete(place, account)

    def _delete(self, place: Place, account: Account) -> None:
        keyring = self.backend.keyring
        # Some backends keep several under one name and delete the first.
        for _attempt in range(5):
            if self._get(place, account) is None:
                return
            self._call(lambda: keyring_parts.delete(keyring, place), account)
        if self._get(place, account) is not None:
            raise self._error("still has what it was told to delete", account)

    def _call(self, action: Callable[[], T], account: Account, *, ask: bool = True) -> T:
        failure, kind = "", CredentialError
        try:
            self.backend.unlock(ask=ask)
            return call(action)
        except KeyringFailureError as error:
            failure, kind = str(error), KeyringLocked if error.locked else CredentialError
        raise self._error(failure, account, kind)

    def _error(self, failure: str, account: Account, kind: type[CredentialError] = CredentialError) -> CredentialError:
        remedy = naming.remedy(account.name, account.kind)
        return kind(
            f"The keyring ({self.title}) {failure}.", hint=f"Unlock or repair the keyring and try again, or {remedy}."
        )
