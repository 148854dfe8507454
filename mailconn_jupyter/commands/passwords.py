"""``password``: asking for a secret and keeping it. No secret passes through here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import credentials
from ..store import connections
from .wrong_usage import refusal

__all__ = ["password"]


def password(*, target: str, rest: Sequence[str] = (), proxy: bool = False, delete: bool = False) -> Iterator[str]:
    """Ask for the password of a stored connection and keep it; or forget what is kept."""
    if rest:
        raise refusal("A password cannot be given here, and a name with spaces goes in quotes")
    connection = connections[target]
    name = connection.name
    if delete:
        yield from _forget(name, proxy_alone=proxy)
        return
    whose = "The proxy password" if proxy else "The password"
    yield f"{whose} of {name!r} is kept {credentials.set_password(name, proxy=proxy)}."
    if not connection.applies("proxy_username" if proxy else "username"):
        yield f"{name!r} does not use it: its {'proxy' if proxy else 'authentication'} is off."


def _forget(name: str, *, proxy_alone: bool) -> Iterator[str]:
    kinds = (True,) if proxy_alone else (False, True)
    places = [credentials.forget_password(name, proxy=proxy) for proxy in kinds]
    yield f"{'The proxy password' if proxy_alone else 'The passwords'} of {name!r} {'is' if proxy_alone else 'are'} forgotten."
    yield from (f"One is still to be had {place}." for place in places if place)
