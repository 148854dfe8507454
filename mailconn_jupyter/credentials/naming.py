"""What a connection's secrets are called where they are kept, and what to tell a person who has none."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ..names import fold, quote
from ..secret import Kind

__all__ = ["command", "contents", "former_key", "phrase", "remedy", "service", "variable", "word"]

_SERVICES: Final = {Kind.PASSWORD: "mailconn-jupyter", Kind.PROXY: "mailconn-jupyter-proxy"}


def former_key(name: str) -> str:
    """What the keyring once knew the connection by; of 26 characters it is not what :func:`fold` makes."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def service(kind: Kind) -> str:
    """The keyring's service name."""
    return _SERVICES[kind]


def variable(name: str, kind: Kind) -> str:
    """The environment's variable: ``MAILCONN_OPS_PASSWORD``, for the proxy ``MAILCONN_OPS_PROXY_PASSWORD``.

    Names that differ in punctuation alone share one.

    >>> variable("Big query (EU)", Kind.PASSWORD)
    'MAILCONN_BIG_QUERY__EU__PASSWORD'
    """
    middle = re.sub(r"[^A-Z0-9]", "_", fold(name).upper())
    return f"MAILCONN_{middle}_PROXY_PASSWORD" if kind is Kind.PROXY else f"MAILCONN_{middle}_PASSWORD"


def phrase(name: str, kind: Kind) -> str:
    """The secret in words: ``password for 'ops'``."""
    return f"{word(kind)} for {name!r}" if fold(name) else word(kind)


def word(kind: Kind) -> str:
    """``password`` or ``proxy password``."""
    return "proxy password" if kind is Kind.PROXY else "password"


def command(name: str, kind: Kind) -> str:
    """The line that asks for the secret and keeps it; with NAME to be filled in where there is none yet."""
    return f"%mailconn password {quote(name) if name else 'NAME'}{' --proxy' if kind is Kind.PROXY else ''}"


def contents(name: str, kind: Kind) -> str:
    """What a variable or a file must hold, as a sentence."""
    return f"It must hold the {phrase(name, kind)} and nothing else."


def remedy(name: str, kind: Kind) -> str:
    """How to provide the secret without a keyring."""
    return f"set {variable(name, kind)} (or {variable(name, kind)}_FILE)"
