"""Words of a line in which a password is given: refused, and never repeated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from ..connection import MailConnection
from .option_flags import flags_of
from .wrong_usage import refusal

__all__ = ["refuse_passwords"]

_SECRETS: Final = ("password", "passwd", "passphrase", "secret", "token")
# A URL up to the colon after its user, who may be a mail address; a bracket begins a host. An @ after it ends a password,
# which may hold a slash; but in the URL of a page, a number before a slash is a port.
_USER: Final = re.compile(
    r"(?<!http:)(?<!https:)//(?!\[)[^/:]*:|(?:(?<=http:)|(?<=https:))//(?!\[)[^/:]*:(?!\d{0,5}[/?#])", re.IGNORECASE
)
_FLAG: Final = re.compile(r"[-\N{EN DASH}\N{EM DASH}]+([\w-]+)")
_ASSIGNED: Final = re.compile(r"(\w[\w.-]*)=(?!=)")


def refuse_passwords(words: Sequence[str], *, texts: bool = False) -> None:
    """Raise, without repeating it, when the words of a cell hold a password or where one belongs.

    The notebook and IPython's history keep what a cell says, so it is too late for that one; but nobody gets used to it.
    The words are as they are written, with their quotes: ``password=...`` is refused, but in quotes it is part of a text.
    ``texts``: their quotes are gone, so what stands before an equals sign is not looked at.
    """
    for word in words:
        flag = _FLAG.match(word)
        assigned = None if texts else _ASSIGNED.match(word)
        if (flag and _is_secret_flag(flag.group(1))) or (assigned and _is_secret_name(assigned.group(1))):
            raise refusal("A password cannot be given here")
        if any(_USER.search(part.rpartition("@")[0]) for part in word.split()):
            raise refusal("A URL with a password cannot be given here")


def _is_secret_flag(flag: str) -> bool:
    name = flag.casefold().replace("_", "-").removeprefix("no-")
    # --allow-plaintext-password is an option, and so is what somebody types in its place.
    if name in _option_flags() or name.startswith("allow"):
        return False
    last = name.rpartition("-")[2]
    return bool(re.search("pass|pwd|secret|token", name) or difflib.get_close_matches(last, _SECRETS, cutoff=0.75))


def _is_secret_name(name: str) -> bool:
    return re.split("[_.-]", name.casefold())[-1] in {*_SECRETS, "pwd", "pass"}


@cache
def _option_flags() -> frozenset[str]:
    return frozenset(flag.lstrip("-") for name in MailConnection.options() for flag in flags_of(name))
