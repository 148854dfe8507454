"""Keyring backends for the tests: those of real packages, and real subclasses that misbehave as some in the field do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import keyring
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.errors import PasswordDeleteError


@contextmanager
def using(backend: Any) -> Iterator[Any]:
    """Make ``backend`` the keyring of this process."""
    from keyring import core  # noqa: PLC0415  # what was chosen before, which may be nothing yet

    before = core._keyring_backend
    keyring.set_keyring(backend)
    try:
        yield backend
    finally:
        core._keyring_backend = before


def encrypted(folder: Path, *, locked: bool = False) -> Any:
    """keyrings.cryptfile in ``folder``, made quick, with its own password known."""
    from keyrings.cryptfile.cryptfile import CryptFileKeyring  # noqa: PLC0415  # registers itself with keyring

    backend = CryptFileKeyring()
    backend.file_path = str(folder / "encrypted.cfg")
    backend.time_cost, backend.memory_cost, backend.parallelism = 1, 64, 1
    backend.keyring_key = "of the keyring itself"
    if locked:
        del backend.keyring_key
    return backend


def plain(folder: Path) -> Any:
    """keyrings.alt's file without encryption."""
    from keyrings.alt.file import PlaintextKeyring  # noqa: PLC0415  # registers itself with keyring

    backend = PlaintextKeyring()
    backend.file_path = str(folder / "plain.cfg")
    return backend


def chain(*members: Any) -> ChainerBackend:
    """keyring's own chain, of these members in place of those it would find."""

    class Chain(ChainerBackend):
        priority = -1
        backends = members

    return Chain()  # type: ignore[no-untyped-call]


class Shelf(KeyringBackend):
    """A backend that does what it should, in memory."""

    # Never chosen by keyring itself.
    priority: ClassVar[float] = -1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.log: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.log.append(f"set {username}")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("No such password!")
        self.log.append(f"delete {username}")
        del self.kept[service, username]


class Narrow(Shelf):
    """Windows' own: what is longer than so many characters it does not take; ``left`` is how often it still writes."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.left: int | None = None

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.most or self.left == 0:
            raise OSError(1783, "The stub received bad data")
        if self.left is not None:
            self.left -= 1
        super().set_password(service, username, password)


class PlainTextShelf(Shelf):
    """Says by its name alone that it does not encrypt."""


class Sleeping(Shelf):
    """A SecretService whose dialog nobody sees."""

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(1.5)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        time.sleep(1.5)


class Lying(Shelf):
    """Stores something else: a length limit that cuts in silence."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:3])


class Raising(Shelf):
    """Raises at chosen steps, with the password in the error, its arguments, cause and locals."""

    def __init__(self, error: type[BaseException], *steps: str, service: str = "", user: str = "") -> None:
        super().__init__()
        self.error, self.steps, self.service, self.user = error, set(steps), service, user

    def _step(self, step: str, service: str, username: str, password: str) -> None:
        if step in self.steps and self.service in ("", service) and self.user in ("", username):
            copy = password
            try:
                raise ValueError(copy)
            except ValueError as cause:
                raise self.error(f"cannot {step} {copy!r}") from cause

    def get_password(self, service: str, username: str) -> str | None:
        password = super().get_password(service, username)
        self._step("get", service, username, password or "")
        return password

    def set_password(self, service: str, username: str, password: str) -> None:
        self._step("set", service, username, password)
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._step("delete", service, username, self.kept.get((service, username), ""))
        super().delete_password(service, username)


class Vault(Shelf):
    """Windows' Credential Manager: a value has at most 2,560 bytes of UTF-16; ``fails_after`` so many steps it is broken."""

    fails_after: int | None = None

    def _count(self) -> None:
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after < 0:
                raise OSError(5, "CredWrite")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._count()
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError(1783, "CredWrite", "The stub received bad data.")
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._count()
        super().delete_password(service, username)
