"""The SASL mechanisms (RFC 4422) that a login can use: one row each, and no other place names one.

The option's words, the order of preference, what takes a token and what a password: all is derived from the rows.
``transport/sasl`` has the classes; a SCRAM of another hash needs its row alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CRAM_MD5", "EXTERNAL", "LOGIN", "OAUTHBEARER", "PLAIN", "ROWS", "SCRAM", "XOAUTH2", "Row", "named"]


@dataclass(frozen=True)
class Row:
    """One mechanism. ``takes`` is what proves who logs in; ``shows`` says that it goes to the server as it is.

    ``acts_for``: it can carry an authorization identity. ``hash``: of SCRAM, as :mod:`hashlib` calls it.
    """

    name: str
    takes: Literal["a password", "an access token", "a certificate"] = "a password"
    shows: bool = False
    acts_for: bool = True
    hash: str = ""


PLAIN: Final = Row("PLAIN", shows=True)
LOGIN: Final = Row("LOGIN", shows=True, acts_for=False)
CRAM_MD5: Final = Row("CRAM-MD5", acts_for=False)
XOAUTH2: Final = Row("XOAUTH2", takes="an access token", shows=True, acts_for=False)
OAUTHBEARER: Final = Row("OAUTHBEARER", takes="an access token", shows=True)
EXTERNAL: Final = Row("EXTERNAL", takes="a certificate")
SCRAM: Final = (
    Row("SCRAM-SHA-512", hash="sha512"),
    Row("SCRAM-SHA-256", hash="sha256"),
    Row("SCRAM-SHA-1", hash="sha1"),
)

#: All of them, the strongest first: over TLS a password may go to the server that the certificate names.
ROWS: Final = (*SCRAM, PLAIN, LOGIN, CRAM_MD5, XOAUTH2, OAUTHBEARER, EXTERNAL)


def named(takes: str) -> tuple[str, ...]:
    """The names of those that take this, the strongest first.

    >>> named("an access token")
    ('XOAUTH2', 'OAUTHBEARER')
    """
    return tuple(row.name for row in ROWS if row.takes == takes)
