"""SASL, the client's side (RFC 4422): one mechanism is chosen, and a login is never tried again with a weaker one.

A mechanism is made with a :class:`Login`, gives its initial response (or None where the server speaks first), answers
each challenge, and at the end says by :meth:`Mechanism.finish` whether the server has proved what it had to.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial

from ...connection.mechanisms import CRAM_MD5, EXTERNAL, LOGIN, OAUTHBEARER, PLAIN, ROWS, XOAUTH2, Row
from ..transport_errors import TransportError, readable
from .mechanism import Login, Mechanism, escaped, unexpected
from .scram import Scram

__all__ = ["MECHANISMS", "Login", "Mechanism", "choose", "decode_error"]


class _OneMessage(Mechanism):
    """What the mechanisms share that say all in their initial response."""

    def __init__(self, row: Row, login: Login) -> None:
        super().__init__(row, login)
        self._repeated = False

    @abstractmethod
    def start(self) -> bytes: ...

    def respond(self, challenge: bytes) -> bytes:
        # A server that does not read it with the command asks for it by an empty challenge; no other is allowed.
        if challenge or self._repeated:
            raise unexpected()
        self._repeated = True
        return self.start()


class Plain(_OneMessage):
    """RFC 4616: everything in one message, so only over TLS."""

    rows = (PLAIN,)

    def start(self) -> bytes:
        login = self._login
        return f"{login.authorization_id}\x00{login.username}\x00{login.reveal()}".encode()


class LoginMechanism(Mechanism):
    """LOGIN, never standardised: the user, then the password, whatever the server calls them."""

    rows = (LOGIN,)
    reads_challenges = False

    def __init__(self, row: Row, login: Login) -> None:
        super().__init__(row, login)
        self._asked = 0

    def start(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        self._asked += 1
        if self._asked == 1:
            return self._login.username.encode()
        if self._asked == 2:
            return self._login.reveal().encode()
        raise unexpected()


class CramMD5(Mechanism):
    """RFC 2195: the password stays here, but MD5 is what protects it."""

    rows = (CRAM_MD5,)

    def __init__(self, row: Row, login: Login) -> None:
        super().__init__(row, login)
        self._answered = False

    def start(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        if self._answered or not challenge:
            raise unexpected()
        self._answered = True
        digest = hmac.new(self._login.reveal().encode(), challenge, "md5").hexdigest()
        return f"{self._login.username} {digest}".encode()


class _Token(Mechanism):
    """What the mechanisms that take an access token share: after the token there is one answer, to its error."""

    def __init__(self, row: Row, login: Login) -> None:
        super().__init__(row, login)
        self._answered = False

    def _once(self, answer: bytes) -> bytes:
        if self._answered:
            raise unexpected()
        self._answered = True
        return answer


class XOAuth2(_Token):
    """An OAuth 2.0 access token, as Google and Microsoft take it."""

    rows = (XOAUTH2,)

    def start(self) -> bytes:
        return f"user={self._login.username}\x01auth=Bearer {self._login.reveal()}\x01\x01".encode()

    def respond(self, challenge: bytes) -> bytes:
        # A challenge after the token is an error; the empty answer asks for the final reply.
        return self._once(b"")


class OAuthBearer(_Token):
    """RFC 7628."""

    rows = (OAUTHBEARER,)

    def start(self) -> bytes:
        login = self._login
        identity = login.authorization_id or login.username
        where = f"host={login.host}\x01port={login.port}\x01"
        return f"n,a={escaped(identity)},\x01{where}auth=Bearer {login.reveal()}\x01\x01".encode()

    def respond(self, challenge: bytes) -> bytes:
        return self._once(b"\x01")


class External(_OneMessage):
    """RFC 4422, appendix A: the client certificate of the TLS handshake is the login."""

    rows = (EXTERNAL,)

    def start(self) -> bytes:
        return (self._login.authorization_id or self._login.username).encode()


_CLASSES: tuple[type[Mechanism], ...] = (Scram, Plain, LoginMechanism, CramMD5, XOAuth2, OAuthBearer, External)
#: What makes each, by its name: the row and the class that it belongs to.
MECHANISMS: dict[str, Callable[[Login], Mechanism]] = {
    row.name: partial(made, row) for made in _CLASSES for row in made.rows
}
_BY_NAME = {row.name: row for row in ROWS}


def choose(offered: Iterable[str], login: Login, *, tls: bool, token: bool, pinned: str = "") -> Mechanism:
    """The strongest mechanism that both sides have; the only one that will be tried.

    Over TLS a password may be sent to the server that the certificate names; without TLS one that does not send it
    comes first. With ``token`` only the mechanisms that take an access token count, and never otherwise. ``pinned``
    names the only one that may be used.
    """
    there = {name.upper() for name in offered}
    kind = "an access token" if token else "a password"
    ours = [row for row in ROWS if row.takes == kind]
    if not tls:
        ours.sort(key=lambda row: row.shows)
    if pinned:
        one = _BY_NAME[pinned]
        if one.takes not in {kind, "a certificate"}:
            raise TransportError(f"{pinned} takes {one.takes}, and the connection has {kind}.", cause="no-mechanism")
        ours = [one]
    for row in ours:
        if row.name in there and (row.acts_for or not login.authorization_id):
            return MECHANISMS[row.name](login)
    with_identity = " with an authorization identity" if login.authorization_id else ""
    words = readable(", ".join(sorted(there)), 200) or "none"
    if pinned:
        what = f"The server does not offer {pinned}{with_identity}"
    else:
        what = f"The server has no mechanism that takes {kind}{with_identity}"
    raise TransportError(
        f"{what}; it offers {words}.",
        cause="no-mechanism" if there else "no-login",
    )


def decode_error(challenge: bytes, hide: Callable[[bytes], bytes] = bytes) -> str:
    """What a server says of a token that it refuses: the fields of its JSON (RFC 7628, 3.2.2), or the text itself.

    ``hide`` puts stars for what must not show.
    """
    said = challenge
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(challenge)
        words = [f"{key} {value}" for key, value in found.items()] if isinstance(found, dict) else [str(found)]
        said = ", ".join(words).encode("utf-8", "replace")
    return readable(hide(said), 200)
