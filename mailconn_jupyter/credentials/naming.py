"""What a connection's secrets are called where they are kept, and what to tell a person who has none."""

from __future__ import annotations

from typing import Final

from ..names import fold, quote
from ..secret import Kind
from .variables import variable

__all__ = ["command", "contents", "phrase", "remedy", "service", "word"]

_SERVICES: Final = {
    Kind.PASSWORD: "mailconn-jupyter",
    Kind.PROXY: "mailconn-jupyter-proxy",
    Kind.CLIENT: "mailconn-jupyter-client",
    Kind.REFRESH: "mailconn-jupyter-refresh",
    Kind.SMIME: "mailconn-jupyter-smime",
}
_WORDS: Final = {
    Kind.PASSWORD: "password",
    Kind.PROXY: "proxy password",
    Kind.CLIENT: "client secret",
    Kind.REFRESH: "refresh token",
    Kind.SMIME: "S/MIME passphrase",
}
_COMMANDS: Final = {
    Kind.PASSWORD: "%mailconn password {}",
    Kind.PROXY: "%mailconn password {} --proxy",
    Kind.CLIENT: "%mailconn password {} --client",
    Kind.REFRESH: "%mailconn signin {}",
    Kind.SMIME: "%mailconn password {} --smime",
}


def service(kind: Kind) -> str:
    """The keyring's service name."""
    return _SERVICES[kind]


def phrase(name: str, kind: Kind) -> str:
    """The secret in words: ``password for 'ops'``."""
    return f"{word(kind)} for {name!r}" if fold(name) else word(kind)


def word(kind: Kind) -> str:
    """``password``, ``proxy password``, ``client secret``, ``refresh token`` or ``S/MIME passphrase``."""
    return _WORDS[kind]


def command(name: str, kind: Kind) -> str:
    """The line that asks for the secret and keeps it; with NAME to be filled in where there is none yet."""
    return _COMMANDS[kind].format(quote(name) if name else "NAME")


def contents(name: str, kind: Kind) -> str:
    """What a variable or a file must hold, as a sentence."""
    return f"It must contain the {phrase(name, kind)} and nothing else."


def remedy(name: str, kind: Kind) -> str:
    """How to provide the secret without a keyring."""
    return f"set {variable(name, kind)} (or {variable(name, kind)}_FILE)"
