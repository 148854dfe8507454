"""Introducing this side to an SMTP server, and what it offers in return (RFC 5321, 4.1.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .errors import GreetingRefused
from .reply import Reply

__all__ = ["features", "greet"]

_UNKNOWN = frozenset({500, 502, 504})  # in answer to EHLO: a server from before RFC 1869, which may take HELO
_FEATURE = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(.*)", re.DOTALL)


def greet(ehlo: Callable[[], tuple[int, bytes]], helo: Callable[[], tuple[int, bytes]]) -> bytes:
    """Introduce this side, by HELO only where EHLO is unknown; returns what the server says.

    Raises :class:`~mailconn_jupyter.session.smtp.errors.GreetingRefused`, with its words, where it does not want.
    """
    code, text = ehlo()
    if code in _UNKNOWN:
        code, text = helo()
    if not 200 <= code < 300:
        raise GreetingRefused("The server refused the greeting", Reply.of(code, text), cause="helo-refused")
    return text


def features(lines: Iterable[bytes]) -> dict[str, str]:
    """The extensions that a reply to EHLO names after its first line: keyword in small letters to parameters.

    >>> features([b"SIZE 1000", b"AUTH=LOGIN", b"AUTH PLAIN"])
    {'size': '1000', 'auth': 'LOGIN PLAIN'}
    """
    found: dict[str, str] = {}
    for line in lines:
        if match := _FEATURE.match(line.decode("latin-1")):
            name, parameters = match.group(1).lower(), match.group(2).strip()
            if name == "auth":
                # AUTH= is how it was written before RFC 2554; some servers offer both.
                parameters = f"{found.get(name, '')} {parameters.removeprefix('=')}".strip()
            found[name] = parameters
    return found
