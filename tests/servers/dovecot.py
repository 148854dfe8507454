"""Dovecot: IMAP, POP3 and submission, and the judge of every password of the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from tests.servers.certificates import Certificates
from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.require import require, require_root
from tests.servers.templates import fill
from tests.servers.tokens import Tokens

#: Every user with the password; two of them need UTF-8.
USERS: Mapping[str, str] = MappingProxyType(
    {
        "alice": "s3cret",
        "bob": "hunter2",
        "zoe": "pässwörd-✓",
        "ünïcode": "s3cret-ü",
    }
)

#: The system user, and group, that owns the mail: Debian always has it, so that none needs to be made.
MAIL_OWNER = "mail"


@dataclass(frozen=True)
class Dovecot:
    """A running Dovecot; the numbers are ports on :attr:`host`.

    Each offers PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256, XOAUTH2 and OAUTHBEARER
    (POP3 too), with and without TLS. Failed logins are answered at once, however many.
    """

    imap: int
    imaps: int
    pop3: int
    pop3s: int
    #: STARTTLS is offered; what it takes goes to Postfix, so ask for that fixture as well.
    submission: int
    #: Where Postfix asks about logins; not for tests.
    auth: int
    #: The port that :attr:`submission` passes mail on to; Postfix listens there.
    relay: int
    #: Every user's password by the user's name.
    users: Mapping[str, str]
    #: Holds one maildir a user.
    mail: Path
    #: What Dovecot logged.
    log: Path
    _tokens: Tokens = field(repr=False)
    host: str = "127.0.0.1"
    #: Name and password of who may log in as anyone: PLAIN ``alice\0admin\0adm1n``.
    master: tuple[str, str] = ("admin", "adm1n")

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port that a client may want."""
        return self.imap, self.imaps, self.pop3, self.pop3s, self.submission

    def token(
        self,
        user: str,
        *,
        expired: bool = False,
        bad_signature: bool = False,
        email: str | None = None,
    ) -> str:
        """Return an OAuth 2.0 access token for *user*, valid for an hour.

        Args:
            user: who the token is for; logging in as another user with it is refused.
            expired: the token was valid until a minute ago.
            bad_signature: the token is signed with a key that Dovecot does not know.
            email: the claim that Dovecot takes the user from, if it is to differ from *user*.
        """
        return self._tokens.token(user, expired=expired, bad_signature=bad_signature, email=email)


class TokenSource(Protocol):
    """Whose access tokens a Dovecot takes."""

    def configure(self, state: Path) -> str:
        """Write what Dovecot needs to *state*; return its oauth2.ext."""


@contextmanager
def run_dovecot(
    state: Path, certificates: Certificates, source: TokenSource | None = None, *, settings: str = ""
) -> Iterator[Dovecot]:
    """Run a Dovecot whose files are all under *state*, a new folder with a short path.

    It takes the access tokens of *source*; without one those of :meth:`Dovecot.token`. *settings* are further ones.

    Unix sockets lie in there, and their paths end at about 100 characters.
    """
    program = require("dovecot")
    require_root("dovecot")
    tokens = Tokens()
    for name in ("run", "state", "mail"):
        (state / name).mkdir(parents=True)
    shutil.chown(state / "mail", MAIL_OWNER, MAIL_OWNER)
    owner = (state / "mail").stat()
    imap, imaps, pop3, pop3s, submission, auth, relay = free_ports(7)
    dovecot = Dovecot(
        imap=imap,
        imaps=imaps,
        pop3=pop3,
        pop3s=pop3s,
        submission=submission,
        auth=auth,
        relay=relay,
        users=USERS,
        mail=state / "mail",
        log=state / "log",
        _tokens=tokens,
    )
    _write_passwords(state / "users", dovecot.users)
    _write_passwords(state / "masters", dict([dovecot.master]))
    (state / "oauth2.ext").write_text((source or tokens).configure(state))
    configuration = state / "dovecot.conf"
    configuration.write_text(
        fill(
            "dovecot.conf",
            state=state,
            name=f"{state.parent.name}-{state.name}",
            mail=dovecot.mail,
            uid=owner.st_uid,
            gid=owner.st_gid,
            certificate=certificates.good.pem,
            key=certificates.good.key,
            imap=imap,
            imaps=imaps,
            pop3=pop3,
            pop3s=pop3s,
            submission=submission,
            auth=auth,
            relay=relay,
        )
        + settings,
        encoding="utf-8",
    )
    # Every listener opens before the first connection is served: one answer stands for all.
    with running([program, "-F", "-c", str(configuration)], port=imap, log=dovecot.log):
        yield dovecot


def _write_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    lines = (f"{user}:{{PLAIN}}{password}\n" for user, password in passwords.items())
    path.write_text("".join(lines), encoding="utf-8")
