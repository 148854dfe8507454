"""A URL taken apart, in which a password may stand: no error repeats any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

from ..secret import Secret
from .import_draft import InterchangeError

__all__ = ["URL"]

_SHAPE: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/?#@]*)@)?(?P<host>\[[^\]/?#@]*\]|[^/?#@:]*)"
    r"(?::(?P<port>[0-9]{0,9}|%24%7B\w{1,99}%7D))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_MOST: Final = 100
_LONGEST: Final = 20_000


@dataclass(frozen=True, repr=False)
class URL:
    """The parts, decoded. ``mechanism`` is that of ``user;AUTH=...`` (RFC 5092; curl has it for every protocol)."""

    scheme: str
    user: str
    password: Secret
    mechanism: str
    host: str
    port: str
    path: str
    query: dict[str, Secret]

    @classmethod
    def parse(cls, text: str) -> URL:
        """Take it apart; signs that mean something in a URL stand as ``%40`` in user and password."""
        # Control characters and blanks are in none; other parsers drop some of them in silence.
        fit = len(text) <= _LONGEST and not re.search(r"[\x00-\x20\x7f]", text)
        found = _SHAPE.fullmatch(text) if fit else None
        url = None if found is None else _decoded(cls, found)
        if url is not None and not url.host:
            raise InterchangeError("The URL has no host.")
        if url is None:
            raise InterchangeError(
                "The URL cannot be read.",
                hint="It must be scheme://user:password@host:port. Write @, /, : and ? in the user or password as %40, %2F, %3A and %3F.",
            )
        return url

    def take(self, key: str) -> str:
        """A value of the query, as text; it is then taken away. Empty where there is none."""
        return self.query.pop(key, Secret("")).reveal()


def _decoded(kind: type[URL], found: re.Match[str]) -> URL | None:
    user, _, password = (found["user"] or "").partition(":")
    user, _, mechanism = user.partition(";")
    if mechanism and not mechanism.upper().startswith("AUTH="):
        return None
    try:
        plain = [unquote(part or "", errors="strict") for part in (user, found["host"].strip("[]"), found["path"])]
        secret = Secret(unquote(password, errors="strict"))
        query = parse_qsl(found["query"] or "", keep_blank_values=True, max_num_fields=_MOST, errors="strict")
    except ValueError:  # UnicodeDecodeError among them
        return None
    return kind(
        scheme=found["scheme"].lower(),
        user=plain[0],
        password=secret,
        mechanism=mechanism[5:].upper(),
        host=plain[1],
        port=unquote(found["port"] or ""),
        path=plain[2],
        query={key: Secret(value) for key, value in query},
    )
