"""The server's side of SCRAM (RFC 5802), and the ways in which a server that does not know the password cheats."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

__all__ = ["ScramServer"]


class ScramServer:
    """One exchange, for a user whose password is known here."""

    def __init__(
        self, digest: str, password: str, *, salt: bytes = b"salt-of-16-bytes", iterations: int = 4096, nonce: str = ""
    ) -> None:
        self._digest = digest
        self._salt = salt
        self._iterations = iterations
        self._nonce = nonce or secrets.token_hex(12)
        self._salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, min(iterations, 10_000))
        #: What the client said of itself: the authorization identity and the user, unescaped.
        self.identity = self.user = ""

    def first(self, client_first: bytes) -> bytes:
        """The answer to the client's first message."""
        binding, authorization, self._bare = client_first.decode().split(",", 2)
        assert binding == "n"
        self._header = f"{binding},{authorization},"
        user, nonce = self._bare.split(",")
        self.identity, self.user = (_unescaped(part[2:]) for part in (authorization, user))
        self._both = nonce.removeprefix("r=") + self._nonce
        self._first = f"r={self._both},s={base64.b64encode(self._salt).decode()},i={self._iterations}"
        return self._first.encode()

    def final(self, client_final: bytes) -> bytes | None:
        """The proof of this side; None where the client's is wrong."""
        without_proof, _, proof = client_final.decode().rpartition(",p=")
        assert without_proof == f"c={base64.b64encode(self._header.encode()).decode()},r={self._both}"
        message = f"{self._bare},{self._first},{without_proof}".encode()
        client_key = self._hmac(self._salted, b"Client Key")
        stored = hashlib.new(self._digest, client_key).digest()
        expected = bytes(a ^ b for a, b in zip(client_key, self._hmac(stored, message), strict=True))
        if base64.b64decode(proof) != expected:
            return None
        return b"v=" + base64.b64encode(self._hmac(self._hmac(self._salted, b"Server Key"), message))

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._digest)


def _unescaped(text: str) -> str:
    return text.replace("=2C", ",").replace("=3D", "=")
