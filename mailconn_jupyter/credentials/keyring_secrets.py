"""A connection's secrets in the keyring: written only where they are safe, believed only after reading back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from ..errors import CredentialError
from ..names import fold
from ..secret import Kind, Secret
from . import naming
from .keyring_call import KeyringFailureError, call
from .keyring_choice import Backend, NoKeyring, detect

__all__ = ["Keyring", "NoKeyring", "open_keyring", "status"]

T = TypeVar("T")


def open_keyring() -> Keyring | NoKeyring:
    """The keyring of this machine, or why there is none to use; :class:`CredentialError` if it fails."""
    backend = detect()
    return Keyring(backend) if isinstance(backend, Backend) else backend


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

    def read(self, name: str, kind: Kind, *, ask: bool = True) -> Secret | None:
        """The secret, None if there is none; without ``ask``, a keyring is not asked to be unlocked."""
        secret = self._get(fold(name), name, kind, ask=ask)
        former = naming.former_key(name)
        if secret or former == fold(name):
            return secret
        if secret := self._get(former, name, kind, ask=ask):
            # Where it cannot be moved, it is found here again.
            with suppress(CredentialError):
                self.write(name, kind, secret)
        return secret

    def _get(self, user: str, name: str, kind: Kind, *, ask: bool = True) -> Secret | None:
        keyring, service = self.backend.keyring, naming.service(kind)
        return self._call(lambda: Secret.of(keyring.get_password(service, user)), name, kind, ask=ask) or None

    def write(self, name: str, kind: Kind, secret: Secret) -> None:
        """Keep the secret, and read it back; if that gives another, delete it and raise."""
        keyring, service, user = self.backend.keyring, naming.service(kind), fold(name)
        self._call(lambda: keyring.set_password(service, user, secret.reveal()), name, kind)
        failure: CredentialError | None = None
        try:
            if self._get(user, name, kind) != secret:
                failure = self._error("gave back another password than it was given", name, kind)
        except CredentialError as error:
            failure = error
        if failure is not None:
            self._discard(name, kind)
            raise failure.with_traceback(None)
        if naming.former_key(name) != user:
            # What stays there is hidden by what was written.
            with suppress(CredentialError):
                self._delete(naming.former_key(name), name, kind)

    def delete(self, name: str, kind: Kind) -> None:
        """Remove the secret; no error if there is none."""
        for user in {fold(name), naming.former_key(name)}:
            self._delete(user, name, kind)

    def _delete(self, user: str, name: str, kind: Kind) -> None:
        keyring, service = self.backend.keyring, naming.service(kind)
        # Some backends keep several under one name and delete the first.
        for _attempt in range(5):
            if self._get(user, name, kind) is None:
                return
            self._call(lambda: keyring.delete_password(service, user), name, kind)
        if self._get(user, name, kind) is not None:
            raise self._error("still has what it was told to delete", name, kind)

    def _discard(self, name: str, kind: Kind) -> None:
        keyring, service, user = self.backend.keyring, naming.service(kind), fold(name)
        try:
            call(lambda: keyring.delete_password(service, user))
        except KeyringFailureError:
            return

    def _call(self, action: Callable[[], T], name: str, kind: Kind, *, ask: bool = True) -> T:
        failure = ""
        try:
            self.backend.unlock(ask=ask)
            return call(action)
        except KeyringFailureError as error:
            failure = str(error)
        raise self._error(failure, name, kind)

    def _error(self, failure: str, name: str, kind: Kind) -> CredentialError:
        remedy = naming.remedy(name, kind)
        return CredentialError(
            f"The keyring ({self.title}) {failure}.", hint=f"Unlock or mend the keyring and try again, or {remedy}."
        )
