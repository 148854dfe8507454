"""SCRAM, the client's side (RFC 5802, RFC 7677), with any hash: both sides prove that they know the password, and neither says it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import stringprep
import unicodedata

from ...connection.mechanisms import SCRAM, Row
from ..transport_errors import TransportError, readable
from .mechanism import Login, Mechanism, escaped, unexpected

__all__ = ["Scram", "saslprep"]

# A hostile server asks for many iterations to keep the client busy; honest ones for 4,096 to some 600,000.
MOST_ITERATIONS = 2_000_000


class Scram(Mechanism):
    """RFC 5802: the password stays here, and the server proves that it knows it, too."""

    rows = SCRAM

    def __init__(self, row: Row, login: Login) -> None:
        super().__init__(row, login)
        self._nonce = secrets.token_urlsafe(24)
        authorization = f"a={escaped(login.authorization_id)}" if login.authorization_id else ""
        self._header = f"n,{authorization},"
        self._bare = f"n={escaped(saslprep(login.username))},r={self._nonce}"
        self._signature: bytes | None = None
        self._proved = False

    def start(self) -> bytes:
        return (self._header + self._bare).encode()

    def respond(self, challenge: bytes) -> bytes:
        if self._proved:
            raise unexpected()
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
            raise TransportError("The server's SCRAM challenge is malformed.", cause="bad-challenge")
        if not re.fullmatch(r"[1-9][0-9]{0,8}", count) or int(count) > MOST_ITERATIONS:
            raise TransportError(
                f"The server asks for {count[:20]!r} iterations; at most {MOST_ITERATIONS} are accepted.",
                cause="bad-challenge",
            )
        digest = self.row.hash
        binding = base64.b64encode(self._header.encode()).decode()
        without_proof = f"c={binding},r={nonce}"
        message = f"{self._bare},{server_first},{without_proof}".encode()
        salted = hashlib.pbkdf2_hmac(digest, saslprep(self._login.reveal()).encode(), salt, int(count))
        client_key = hmac.digest(salted, b"Client Key", digest)
        signature = hmac.digest(hashlib.new(digest, client_key).digest(), message, digest)
        proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", digest), message, digest)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def finish(self) -> None:
        if not self._proved:
            raise TransportError("The server did not prove that it knows the password.", cause="server-unproved")


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


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
