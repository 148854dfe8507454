"""What a connection's file says beside the options: a key that was misspelt, and a secret, which no file may hold.

Neither is used, and both survive a rewrite, for a newer version may know the key. A key that begins with ``_`` is a
remark, which JSON has no other way to make.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..connection import MailConnection
from ..credentials.naming import command, remedy
from ..formatting import did_you_mean, shown
from ..secret import Kind

__all__ = ["prints_itself", "strange_keys"]

#: Those that this version writes or reads beside the options; ``locked`` only where an administrator says it.
_OWN: Final = frozenset({"format", "sandbox"})
_SECRET: Final = re.compile(
    r"passw|passphrase|secret|token|credential|api_?key|(?:^|_)(?:pass|pwd|key)$", re.IGNORECASE
)
#: What other programs call an option.
_ELSEWHERE: Final = {
    "host": "server_host",
    "hostname": "server_host",
    "server": "server_host",
    "port": "server_port",
    "user": "username",
    "login": "username",
    "security": "secure_authentication_type",
    "sender": "from_address",
    "from": "from_address",
    "type": "protocol",
}
# What prints nothing but its own arguments.
_PRINTS: Final = re.compile(r"\s*(?:\S*/)?(?:echo|printf)\s+(?![\"']?[$%])\S")


def strange_keys(connection: MailConnection) -> Iterator[str]:
    """A sentence for each, without the value."""
    shared = connection.shared
    known = [*MailConnection.options(), *(["locked"] if shared else [])]
    for key, value in connection.unknown.items():
        if key in _OWN or key.startswith("_"):
            continue
        secret = _SECRET.search(key) is not None
        if secret and value not in (None, ""):
            yield (
                f"{shown(key, 50)} is a secret, which does not belong in a file; it is not used. "
                f"Remove it, change it on the server, and {_instead(connection)}."
            )
        elif key == "locked":
            yield "'locked' only has an effect in a shared file."
        else:
            # Who looks for a place for a password must not be led to an option that is shown.
            near = "" if secret else did_you_mean(key[:100], known, _ELSEWHERE)
            yield f"Unknown key {shown(key, 50)}; it is not used.{near}"
    if prints_itself(connection.password_command):
        yield (
            "password_command prints its own argument, so there is a secret in the file. "
            f"Remove it, change it on the server, and {_instead(connection)}."
        )


def prints_itself(password_command: str) -> bool:
    """Whether a command prints but its own arguments, so that the secret stands in it."""
    return _PRINTS.match(password_command) is not None


def _instead(connection: MailConnection) -> str:
    """How to give it, for an administrator, or for the user whose file it is."""
    name = connection.name
    return remedy(name, Kind.PASSWORD) if connection.shared else f"run {command(name, Kind.PASSWORD)}"
