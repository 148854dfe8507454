"""Which of keyring's backends a secret may be trusted to."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import CredentialError
from .keyring_call import KeyringFailureError, call
from .prompt import may_ask

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = ["Backend", "NoKeyring", "detect"]

_PLAIN = re.compile(r"plain_?text|un(en)?crypted|nullcrypter", re.IGNORECASE)


@dataclass(frozen=True)
class Backend:
    """A backend that may be used, and what to call it."""

    # A backend's own repr may show what it holds.
    keyring: KeyringBackend = field(repr=False)
    title: str

    @property
    def locked(self) -> bool:
        """Whether it will ask for a password of its own, as encrypted files do; from a thread nobody would see it."""
        # A property of the class that asks when it is read, until the object has a value.
        if not hasattr(inspect.getattr_static(type(self.keyring), "keyring_key", None), "__get__"):
            return False
        state = vars(self.keyring)
        return state.get("keyring_key") is None and state.get("_keyring_key") is None

    def unlock(self, *, ask: bool = True) -> None:
        """Let it ask for its own password, here and for as long as that takes."""
        if not self.locked:
            return
        failure = f"is locked with its own password{', and there is nobody to ask here' if ask else ''}"
        if ask and may_ask():
            try:
                # Reading it asks for it.
                if self.keyring.keyring_key:  # type: ignore[attr-defined]
                    failure = ""
            except Exception as error:  # noqa: BLE001  # any may come; its frames may hold the password
                failure = f"was not unlocked ({type(error).__name__})"
        if failure:
            raise KeyringFailureError(failure, locked=True)


@dataclass(frozen=True)
class NoKeyring:
    """There is no keyring that may be used; ``reason`` says why, without a full stop."""

    reason: str


def detect() -> Backend | NoKeyring:
    """The keyring of this machine, as keyring chooses it, or why it is not used.

    Raises :class:`~mailconn_jupyter.errors.CredentialError` if it cannot be loaded or does not answer.
    """
    failure = ""
    try:
        return call(_detect)
    except KeyringFailureError as error:
        failure = str(error)
    raise CredentialError(
        f"The keyring {failure} while it was being loaded.",
        hint="`keyring diagnose` in a terminal says more; PYTHON_KEYRING_BACKEND and keyringrc.cfg choose the backend.",
    )


def _detect() -> Backend | NoKeyring:
    import keyring  # noqa: PLC0415  # slow, and a backend may be slower

    return _choose(keyring.get_keyring())


def _choose(backend: Any) -> Backend | NoKeyring:
    reason = _objection(backend)
    if reason:
        return NoKeyring(reason)
    inner = getattr(backend, "backends", None)
    if inner is None:
        return Backend(backend, _title(backend))
    # A chain writes to whichever of its backends comes first: go past it, to the first that is safe.
    reasons = []
    for candidate in inner:
        choice = _choose(candidate)
        if isinstance(choice, Backend):
            return choice
        reasons.append(choice.reason)
    return NoKeyring("; ".join(dict.fromkeys(reasons)) or "no backend is installed")


def _objection(backend: Any) -> str:
    """Why the backend may not be used, empty if it may."""
    kind = type(backend)
    if kind.__module__ == "keyring.backends.fail":
        return "no backend is installed, or none can be reached"
    if kind.__module__ == "keyring.backends.null":
        return "keyring's null backend discards what it is given"
    wrapped = getattr(backend, "_keyring", None)
    if wrapped is not None and hasattr(wrapped, "get_password"):
        return _objection(wrapped)
    names = [part.__name__ for part in kind.__mro__]
    # Google's documents with a crypter that does nothing.
    names.append(type(getattr(backend, "crypter", None)).__name__)
    # keyrings.alt's own word, with its misprint, for a file without encryption.
    scheme = getattr(backend, "scheme", "")
    if any(_PLAIN.search(name) for name in names) or str(scheme).startswith(("no encyption", "no encryption")):
        return f"the backend {_title(backend)} keeps passwords in plain text"
    return ""


def _title(backend: Any) -> str:
    """``SecretService``, ``Windows WinVault``, ``cryptfile CryptFile``."""
    kind = type(backend)
    return f"{kind.__module__.rpartition('.')[2]} {kind.__name__.removesuffix('Keyring')}".replace("_", " ").strip()
