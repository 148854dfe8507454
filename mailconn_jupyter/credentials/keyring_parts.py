"""A secret at its place in a keyring, also one that is too long for it: Windows takes 1,280 characters.

Such a one is kept in parts, under a service of their own; at its place stands how many there are and what they are called,
which no password can be, for it contains a line break. The parts are written before that and those of before are deleted
after it, so a crash leaves the one secret or the other. Everything here is called within
:func:`~mailconn_jupyter.credentials.keyring_call.call`, which lets no error of a backend out.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..secret import Secret
from .account import Place

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = ["delete", "is_long", "read", "write", "write_in_parts"]

#: Characters of a part, each of which may be two in UTF-16.
SIZE: Final = 600
_HEADER: Final = re.compile(r"mailconn-jupyter: in parts\n([0-9a-f]{8}) ([0-9]{1,4})")


def read(keyring: KeyringBackend, place: Place) -> Secret | None:
    """The secret at ``place``; None where there is none, or where a part of it is gone."""
    found = Secret.of(keyring.get_password(*place))
    places = _parts(found, place)
    if not places:
        return found
    parts = [Secret.of(keyring.get_password(*part)) or Secret("") for part in places]
    return Secret("".join(part.reveal() for part in parts)) if all(parts) else None


def write(keyring: KeyringBackend, place: Place, secret: Secret) -> None:
    """Put it there whole."""
    before = _parts(Secret.of(keyring.get_password(*place)), place)
    keyring.set_password(*place, secret.reveal())
    _drop(keyring, before)


def is_long(secret: Secret) -> bool:
    """Whether it has more than one part."""
    return len(secret.reveal()) > SIZE


def write_in_parts(keyring: KeyringBackend, place: Place, secret: Secret) -> None:
    """Put it there in parts."""
    count = -(-len(secret.reveal()) // SIZE)
    before = _parts(Secret.of(keyring.get_password(*place)), place)
    header = f"mailconn-jupyter: in parts\n{secrets.token_hex(4)} {count}"
    parts = _parts(Secret(header), place)
    try:
        for number, part in enumerate(parts):
            keyring.set_password(*part, secret.reveal()[number * SIZE : (number + 1) * SIZE])
        keyring.set_password(*place, header)
    except BaseException:
        _drop(keyring, parts)
        raise
    _drop(keyring, before)


def delete(keyring: KeyringBackend, place: Place) -> None:
    """Delete what stands at ``place``, and its parts."""
    parts = _parts(Secret.of(keyring.get_password(*place)), place)
    keyring.delete_password(*place)
    _drop(keyring, parts)


def _parts(found: Secret | None, place: Place) -> list[Place]:
    """Where the parts of what stands at ``place`` are; none where it is the secret itself."""
    header = _HEADER.fullmatch(found.reveal()) if found is not None else None
    if header is None:
        return []
    service, user = place
    return [(f"{service}-parts", f"{user} {header[1]}.{number}") for number in range(int(header[2]))]


def _drop(keyring: KeyringBackend, parts: list[Place]) -> None:
    # What cannot be deleted is found by nobody.
    with suppress(Exception):
        for part in parts:
            keyring.delete_password(*part)
