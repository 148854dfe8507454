"""What the processes of one user share of an access token: one lock, and one file that only they can read.

The file holds the access token encrypted by a key that is made of the refresh token (or of the client's secret), so it
is of use to nobody who could not get a token anyway: without it each of eight processes would have to refresh, and all
but the first with a refresh token that has been used. It also says, in clear, since when one is signed in and until
when the access token is good. Losing it costs one refresh.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import SignInError
from ...names import fold
from ...own_folder import own_folder
from ...secret import Secret
from ...transport.deadline import Limit
from ...transport.transport_errors import TransportError
from ..without_traceback import sealed
from .identity import AccessToken, Identity

__all__ = ["About", "about", "forget", "forget_named", "locked", "read", "write"]

_NONCE = 12
_MOST_BYTES = 100_000


@dataclass(frozen=True)
class About:
    """Since when one is signed in, as whom, and until when the last access token is good; None where it is not known.

    ``lasting``: the sign-in is kept for other kernels, too.
    """

    since: datetime | None = None
    until: datetime | None = None
    who: str = ""
    lasting: bool = False


def _folder() -> Path:
    """Where Jupyter has the user's data; where nothing can be written there, a folder among the temporary ones.

    A keyring may be shared by kernels that have no other place in common: without a lock they would end each other's sign-in.
    """
    folder = own_folder("data")[0] / "oauth"
    if not hasattr(os, "geteuid") or _usable(folder):
        return folder
    temporary = Path(tempfile.gettempdir(), f"mailconn-{os.geteuid()}")
    return temporary if _usable(temporary) and _is_private(temporary) else folder


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _is_private(folder: Path) -> bool:
    """Whether it is the user's alone: anybody may have made something of that name, and a link elsewhere."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _path(identity: Identity, ending: str) -> Path:
    return _folder() / f"{identity.key}.{ending}"


@contextmanager
def locked(identity: Identity, limit: Limit) -> Iterator[None]:
    """Hold the identity's lock, across processes and threads.

    Raises :class:`~mailconn_jupyter.errors.SignInError` where another one holds it until the ``limit`` ends, which one
    does that was stopped, and as the limit does when it was cancelled; a process that has died holds none.

    Where no folder can be written to it goes without.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415  # 50 ms that only this costs

    # Connections of one identity may share one sign-in at the server, so they share the lock.
    path = _path(identity, "lock").with_name(f"{identity.binding}.lock")
    lock = FileLock(path, mode=0o600)
    held = False
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not held:
            try:
                lock.acquire(timeout=min(0.1, limit.left()), poll_interval=0.01)
                held = True
            except Timeout:
                limit.left()
    except (PermissionError, FileNotFoundError, NotADirectoryError, NotImplementedError):
        held = False
    except TransportError as error:
        if error.cause == "cancelled":
            raise
        raise SignInError(
            f"Another process has been renewing the sign-in of {identity.name!r} for over {limit.seconds:.3g} seconds.",
            cause="sign-in-unreachable",
            hint="Nothing is lost: try again, or end the kernel that is hanging or suspended.",
        ) from None
    except OSError:
        held = False
    try:
        yield
    finally:
        if held:
            lock.release()


def read(identity: Identity, key: Secret) -> AccessToken | None:
    """The access token that another process left; None where there is none, or the key does not fit."""
    found = _load(identity)
    try:
        sealed_text = base64.b64decode(str(found["token"]), validate=True)
        until = float(found["until"])
    except (KeyError, TypeError, ValueError):
        return None
    secret = sealed(lambda: _decrypt(sealed_text, key, identity))
    return None if secret is None else AccessToken(secret, until)


def write(identity: Identity, key: Secret, token: AccessToken, about: About) -> None:
    """Leave the access token for others; a folder that cannot be written to is no error."""
    content = {
        "name": identity.name,
        "since": about.since.isoformat() if about.since else "",
        "until": token.until,
        "who": about.who,
        "lasting": about.lasting,
        "token": base64.b64encode(sealed(lambda: _encrypt(token.secret, key, identity))).decode(),
    }
    path = _path(identity, "json")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    with suppress(OSError):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def forget(identity: Identity) -> None:
    """Remove the file."""
    with suppress(OSError):
        _path(identity, "json").unlink(missing_ok=True)


def forget_named(name: str) -> None:
    """Remove the files of a connection, whoever it signed in as; a folder that is not there has none."""
    for path in _folder().glob("*.json"):
        if fold(str(_content(path).get("name"))) == fold(name):
            with suppress(OSError):
                path.unlink()


def about(identity: Identity) -> About:
    """What the file says in clear."""
    found = _load(identity)
    who = found.get("who")
    lasting = found.get("lasting") is True
    return About(_time(found.get("since")), _time(found.get("until")), who if isinstance(who, str) else "", lasting)


def _load(identity: Identity) -> dict[str, Any]:
    return _content(_path(identity, "json"))


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(value: object) -> datetime | None:
    try:
        if isinstance(value, float | int):
            return datetime.fromtimestamp(value, UTC)
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) and value else None
    except (ValueError, OverflowError, OSError):
        return None


def _cipher(key: Secret, identity: Identity) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # only this needs it
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    derived = HKDF(SHA256(), length=32, salt=None, info=f"mailconn access token {identity.key}".encode())
    return AESGCM(derived.derive(key.reveal().encode()))


def _encrypt(secret: Secret, key: Secret, identity: Identity) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + bytes(_cipher(key, identity).encrypt(nonce, secret.reveal().encode(), None))


def _decrypt(data: bytes, key: Secret, identity: Identity) -> Secret | None:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        return Secret.decode(_cipher(key, identity).decrypt(data[:_NONCE], data[_NONCE:], None))
    except (InvalidTag, ValueError):
        return None
