"""SASL, the client's side (RFC 4422): one mechanism is chosen, and a login is never tried again with a weaker one.

A mechanism is made with a :class:`Login`, gives its initial response (or None where the server speaks first), answers
each challenge, and at the end says by :meth:`Mechanism.finish` whether the server has proved what it had to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import stringprep
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from .failure import TransportError, readable

__all__ = ["MECHANISMS", "Login", "Mechanism", "choose", "decode_error"]

# A hostile server asks for many iterations to keep the client busy; honest ones for 4,096 to some 600,000.
MOST_ITERATIONS = 2_000_000


@dataclass(frozen=True)
class Login:
    """Who logs in, and where. ``reveal`` gives the secret at the moment that it is needed, and not before."""

    username: str
    reveal: Callable[[], str]
    authorization_id: str = ""
    host: str = ""
    port: int = 0


class Mechanism(ABC):
    """The client's side of one mechanism, for one login."""

    name: ClassVar[str]
    takes_authorization_id: ClassVar[bool] = True
    takes_token: ClassVar[bool] = False
    needs_secret: ClassVar[bool] = True

    def __init__(self, login: Login) -> None:
        self._login = login

    @abstractmethod
    def start(self) -> bytes | None:
        """The initial response; None where the server speaks first."""

    @abstractmethod
    def respond(self, challenge: bytes) -> bytes:
        """The answer to a challenge; raises when the challenge is not what the mechanism allows."""

    def hide(self, said: bytes) -> bytes:
        """What a server said, with stars for the secret where it repeats it; a very short one could be any word."""
        if not self.needs_secret or len(self._login.reveal()) < 6:
            return said
        return said.replace(self._login.reveal().encode("utf-8", "surrogatepass"), b"********")

    def finish(self) -> None:  # noqa: B027  # most have nothing to prove
        """Raise when the server says that the login succeeded without having proved what it had to prove."""


class _Token(Mechanism):
    """What the mechanisms that take an access token share: after the token there is one answer, to its error."""

    takes_token = True

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self._answered = False

    def _once(self, answer: bytes) -> bytes:
        if self._answered:
            raise _unexpected()
        self._answered = True
        return answer


def _unexpected() -> TransportError:
    return TransportError("The server asked for more than the mechanism has.", cause="bad-challenge")


class Plain(Mechanism):
    """RFC 4616: everything in one message, so only over TLS."""

    name = "PLAIN"

    def start(self) -> bytes:
        login = self._login
        return f"{login.authorization_id}\x00{login.username}\x00{login.reveal()}".encode()

    def respond(self, challenge: bytes) -> bytes:
        # A server that did not take the initial response asks for it with an empty challenge; no other is allowed.
        raise _unexpected()


class LoginMechanism(Mechanism):
    """LOGIN, never standardised: the user, then the password, whatever the server calls them."""

    name = "LOGIN"
    takes_authorization_id = False

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self._asked = 0

    def start(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        self._asked += 1
        if self._asked == 1:
            return self._login.username.encode()
        if self._asked == 2:
            return self._login.reveal().encode()
        raise _unexpected()


class CramMD5(Mechanism):
    """RFC 2195: the password stays here, but MD5 is what protects it."""

    name = "CRAM-MD5"
    takes_authorization_id = False

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self._answered = False

    def start(self) -> None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        if self._answered or not challenge:
            raise _unexpected()
        self._answered = True
        digest = hmac.new(self._login.reveal().encode(), challenge, "md5").hexdigest()
        return f"{self._login.username} {digest}".encode()


class Scram(Mechanism):
    """RFC 5802: the password stays here, and the server proves that it knows it, too."""

    digest: ClassVar[str]

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self._nonce = secrets.token_urlsafe(24)
        authorization = f"a={_scram_name(login.authorization_id)}" if login.authorization_id else ""
        self._header = f"n,{authorization},"
        self._bare = f"n={_scram_name(saslprep(login.username))},r={self._nonce}"
        self._signature: bytes | None = None
        self._proved = False

    def start(self) -> bytes:
        return (self._header + self._bare).encode()

    def respond(self, challenge: bytes) -> bytes:
        if self._proved:
            raise _unexpected()
        fields = dict(part.partition("=")[::2] for part in challenge.decode("utf-8", "replace").split(","))
        if self._signature is None:
            return self._prove(challenge.decode("utf-8", "replace"), fields)
        if "e" in fields:
            raise TransportError(f"The server refused the login ({readable(fields['e'], 80)}).", cause="wrong-password")
        if not hmac.compare_digest(_base64(fields.get("v", "")), self._signature):
            raise TransportError("The server could not prove that it knows the password.", cause="server-unproved")
        self._proved = True
        return b""

    def _prove(self, server_first: str, fields: dict[str, str]) -> bytes:
        nonce, salt, count = fields.get("r", ""), _base64(fields.get("s", "")), fields.get("i", "")
        if not nonce.startswith(self._nonce) or len(nonce) <= len(self._nonce) or not salt or "m" in fields:
            raise TransportError("The server's SCRAM challenge is not a valid one.", cause="bad-challenge")
        if not re.fullmatch(r"[1-9][0-9]{0,8}", count) or int(count) > MOST_ITERATIONS:
            raise TransportError(
                f"The server asks for {count[:20]!r} iterations; {MOST_ITERATIONS} is the most.", cause="bad-challenge"
            )
        binding = base64.b64encode(self._header.encode()).decode()
        without_proof = f"c={binding},r={nonce}"
        message = f"{self._bare},{server_first},{without_proof}".encode()
        salted = hashlib.pbkdf2_hmac(self.digest, saslprep(self._login.reveal()).encode(), salt, int(count))
        client_key = hmac.digest(salted, b"Client Key", self.digest)
        signature = hmac.digest(hashlib.new(self.digest, client_key).digest(), message, self.digest)
        proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", self.digest), message, self.digest)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def finish(self) -> None:
        if not self._proved:
            raise TransportError("The server did not prove that it knows the password.", cause="server-unproved")


class ScramSHA1(Scram):
    """RFC 5802."""

    name = "SCRAM-SHA-1"
    digest = "sha1"


class ScramSHA256(Scram):
    """RFC 7677."""

    name = "SCRAM-SHA-256"
    digest = "sha256"


class XOAuth2(_Token):
    """An OAuth 2.0 access token, as Google and Microsoft take it."""

    name = "XOAUTH2"
    takes_authorization_id = False

    def start(self) -> bytes:
        return f"user={self._login.username}\x01auth=Bearer {self._login.reveal()}\x01\x01".encode()

    def respond(self, challenge: bytes) -> bytes:
        # A challenge after the token is an error; the empty answer asks for the final reply.
        return self._once(b"")


class OAuthBearer(_Token):
    """RFC 7628."""

    name = "OAUTHBEARER"

    def start(self) -> bytes:
        login = self._login
        identity = login.authorization_id or login.username
        where = f"host={login.host}\x01port={login.port}\x01"
        return f"n,a={_scram_name(identity)},\x01{where}auth=Bearer {login.reveal()}\x01\x01".encode()

    def respond(self, challenge: bytes) -> bytes:
        return self._once(b"\x01")


class External(Mechanism):
    """RFC 4422, appendix A: the client certificate of the TLS handshake is the login."""

    name = "EXTERNAL"
    needs_secret = False

    def start(self) -> bytes:
        return (self._login.authorization_id or self._login.username).encode()

    def respond(self, challenge: bytes) -> bytes:
        raise _unexpected()


_OVER_TLS: tuple[type[Mechanism], ...] = (ScramSHA256, ScramSHA1, Plain, LoginMechanism, CramMD5)
_IN_PLAIN_TEXT: tuple[type[Mechanism], ...] = (ScramSHA256, ScramSHA1, CramMD5, Plain, LoginMechanism)
_TOKEN: tuple[type[Mechanism], ...] = (XOAuth2, OAuthBearer)
_ALL: tuple[type[Mechanism], ...] = (*_OVER_TLS, *_TOKEN, External)
MECHANISMS: dict[str, type[Mechanism]] = {mechanism.name: mechanism for mechanism in _ALL}


def choose(offered: Iterable[str], login: Login, *, tls: bool, token: bool, pinned: str = "") -> Mechanism:
    """The strongest mechanism that both sides have; the only one that will be tried.

    Over TLS a password may be sent to the server that the certificate names; without TLS one that does not send it
    comes first. With ``token`` only the mechanisms that take an access token count, and never otherwise. ``pinned``
    names the only one that may be used.
    """
    there = {name.upper() for name in offered}
    ours: Sequence[type[Mechanism]] = _TOKEN if token else _OVER_TLS if tls else _IN_PLAIN_TEXT
    if pinned:
        ours = (MECHANISMS[pinned],)
    for mechanism in ours:
        if mechanism.name in there and (mechanism.takes_authorization_id or not login.authorization_id):
            return mechanism(login)
    kind = "an access token" if token else "a password"
    with_identity = " with an authorization identity" if login.authorization_id else ""
    words = ", ".join(sorted(there)) or "none"
    if pinned:
        what = f"The server does not offer {pinned}{with_identity}"
    else:
        what = f"The server has no mechanism that takes {kind}{with_identity}"
    raise TransportError(
        f"{what}; it offers {words}.",
        cause="no-mechanism" if there else "no-login",
    )


def decode_error(challenge: bytes) -> str:
    """What a server says of a token that it refuses: the fields of its JSON (RFC 7628, 3.2.2), or the text itself."""
    try:
        said = json.loads(challenge)
    except (ValueError, RecursionError):
        return readable(challenge, 200)
    if not isinstance(said, dict):
        return readable(str(said), 200)
    return readable(", ".join(f"{key} {value}" for key, value in said.items()), 200)


def saslprep(text: str) -> str:
    """Prepare a user name or a password as RFC 4013 asks, so that both sides hash the same bytes."""
    if text.isascii():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    return unicodedata.normalize("NFKC", mapped)
    # What RFC 4013 prohibits is left as it is: the server decides, and a refusal tells more than our error would.


def _scram_name(name: str) -> str:
    return name.replace("=", "=3D").replace(",", "=2C")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
