"""The variables of the environment that hold secrets: one for each, and none that serves two connections.

A variable's name is a function of the connection's name alone, so that a worker without the store knows it too.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from ..connection import known
from ..errors import CredentialError
from ..names import fold
from ..secret import Kind

__all__ = ["clash", "former_key", "former_that_is_set", "note", "owners", "require_unshared", "variable"]

_END: Final = {
    Kind.PASSWORD: "PASSWORD",
    Kind.PROXY: "PROXY_PASSWORD",
    Kind.CLIENT: "CLIENT_SECRET",
    Kind.REFRESH: "REFRESH_TOKEN",
    Kind.SMIME: "SMIME_PASSPHRASE",
}


def former_key(name: str) -> str:
    """What the keyring once knew the connection by; of 26 characters it is not what :func:`fold` makes."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def variable(name: str, kind: Kind) -> str:
    """``MAILCONN_OPS_PASSWORD``, for the proxy ``MAILCONN_OPS_PROXY_PASSWORD``.

    The name in capitals, all but A to Z and digits as ``_``; behind it the first 8 hexadecimal digits of the SHA-256 of the
    folded name, where it holds more than ASCII letters, digits, blanks, ``-``, ``_`` and ``.``, or ends in *proxy*.

    >>> variable("Big query", Kind.PASSWORD), variable("ops-proxy", Kind.PROXY)
    ('MAILCONN_BIG_QUERY_PASSWORD', 'MAILCONN_OPS_PROXY_ac726ac7_PROXY_PASSWORD')
    """
    folded = fold(name)
    middle = re.sub(r"[^A-Z0-9]", "_", folded.upper())
    if re.search(r"[^a-z0-9 ._-]", folded) or folded.endswith("proxy"):
        middle += f"_{hashlib.sha256(folded.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"MAILCONN_{middle}_{_END[kind]}"


def _former(name: str, kind: Kind) -> str:
    """What the variable was called before it had a mark, when another name could share it."""
    middle = re.sub(r"[^A-Z0-9]", "_", former_key(name).upper())
    return f"MAILCONN_{middle}_{_END[kind]}"


def former_that_is_set(name: str, kind: Kind) -> str:
    """The variable of before, where it is set and has another name now; it may be another connection's."""
    former = _former(name, kind)
    if former == variable(name, kind):
        return ""
    return next((given for given in (former, f"{former}_FILE") if os.environ.get(given)), "")


def clash(name: str, kind: Kind) -> str:
    """Why the variable is not used, as a sentence: two stored connections would have it. Empty if one has."""
    own = variable(name, kind)
    sharing = {fold(other): other for other in (name, *known.stored.names()) if variable(other, kind) == own}
    if len(sharing) == 1:
        return ""
    one, two, *_ = sorted(sharing.values())
    return f"{own} would serve both {one!r} and {two!r}, so it is not used."


def require_unshared(name: str, kind: Kind) -> None:
    """Raise :class:`~mailconn_jupyter.errors.CredentialError` where two stored connections would have the variable."""
    if reason := clash(name, kind):
        hint = "Rename one of them (%mailconn rename), or unset it and keep both passwords with %mailconn password."
        raise CredentialError(reason, hint=hint)


def note(name: str, kind: Kind) -> str:
    """The variable, and what a person should know of it."""
    own, former = variable(name, kind), former_that_is_set(name, kind)
    if reason := clash(name, kind):
        return reason
    return f"{own} ({former} is set, and is not used: its name is {own} now)" if former else own


def owners(names: Iterable[str]) -> Iterator[str]:
    """Each variable of ours that is set, with the connection of ``names`` that it serves. Never a value."""
    served: dict[str, list[str]] = {}
    former: dict[str, str] = {}
    for name in names:
        for kind in Kind:
            served.setdefault(variable(name, kind), []).append(name)
            if _former(name, kind) != variable(name, kind):
                former[_former(name, kind)] = f"not used: the variable for {name!r} is now {variable(name, kind)}"
    for given in sorted(given for given in os.environ if given.startswith("MAILCONN_")):
        base = given.removesuffix("_FILE")
        mine = served.get(base, [])
        if len(mine) > 1:
            yield f"{given} (would serve both {mine[0]!r} and {mine[1]!r}, so it is not used)"
        elif mine:
            yield f"{given} ({mine[0]!r})"
        elif base.endswith(tuple(f"_{end}" for end in _END.values())):
            yield f"{given} ({former.get(base, 'of no connection here')})"
        else:
            yield given
