"""``password``: asking for a secret and keeping it. No secret passes through here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .. import credentials
from ..credentials import Kind
from ..credentials.naming import word
from ..store import connections
from .wrong_usage import WrongUsage, refusal

__all__ = ["password"]

#: By the kind of secret, the option that it goes with, and what is off where that does not matter.
_USED: Final = {
    Kind.PASSWORD: ("username", "authentication"),
    Kind.PROXY: ("proxy_username", "proxy"),
    Kind.CLIENT: ("oauth_client_id", "XOAuth2"),
    Kind.SMIME: ("smime_certificate", "S/MIME certificate"),
}


def password(
    *,
    target: str,
    rest: Sequence[str] = (),
    proxy: bool = False,
    client: bool = False,
    smime: bool = False,
    delete: bool = False,
) -> Iterator[str]:
    """Ask for the password of a stored connection and keep it; or forget what is kept."""
    if rest:
        raise refusal("A password cannot be given here, and a name with spaces goes in quotes")
    wanted = [Kind(name) for name, on in {"proxy": proxy, "client": client, "smime": smime}.items() if on]
    if len(wanted) > 1:
        raise WrongUsage(f"%mailconn password: --{wanted[0]} and --{wanted[1]} cannot be combined.")
    connection = connections[target]
    name = connection.name
    kind = wanted[0] if wanted else Kind.PASSWORD
    if delete:
        yield from _forget(name, *([Kind.PASSWORD, Kind.PROXY] if kind is Kind.PASSWORD else [kind]))
        return
    yield f"The {word(kind)} of {name!r} is kept {credentials.set_password(name, None, **credentials.asked(kind))}."
    option, switch = _USED[kind]
    if not connection.applies(option) or (kind is Kind.SMIME and not connection.smime_certificate):
        yield f"{name!r} does not use it: its {switch} is {'not set' if kind is Kind.SMIME else 'off'}."


def _forget(name: str, *kinds: Kind) -> Iterator[str]:
    places = [credentials.forget_password(name, **credentials.asked(kind)) for kind in kinds]
    yield (
        f"The {word(kinds[0])} of {name!r} is forgotten."
        if len(kinds) == 1
        else f"The passwords of {name!r} are forgotten."
    )
    yield from (f"There is still one {place}." for place in places if place)
