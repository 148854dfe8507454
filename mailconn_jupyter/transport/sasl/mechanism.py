"""What every SASL mechanism is made of (RFC 4422, the client's side)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ...connection.mechanisms import Row
from ...secret import STARS
from ..transport_errors import TransportError

__all__ = ["Login", "Mechanism", "escaped", "unexpected"]

_SEPARATORS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


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

    #: What the class is for.
    rows: ClassVar[tuple[Row, ...]]
    #: Whether an answer depends on what the server says.
    reads_challenges: ClassVar[bool] = True

    def __init__(self, row: Row, login: Login) -> None:
        self.row = row
        # The mechanisms put such characters between their parts (RFC 4616: NUL; XOAUTH2: 0x01).
        if _SEPARATORS.search(login.username + login.authorization_id):
            raise TransportError("A user with a control character in it cannot log in.", cause="wrong-password")
        self._login = login

    @property
    def name(self) -> str:
        """As the server offers it."""
        return self.row.name

    @property
    def takes_token(self) -> bool:
        """Whether the secret is an access token."""
        return self.row.takes == "an access token"

    @property
    def needs_secret(self) -> bool:
        """Whether there is a secret at all."""
        return self.row.takes != "a certificate"

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
        return said.replace(self._login.reveal().encode("utf-8", "surrogatepass"), STARS.encode())

    def finish(self) -> None:  # noqa: B027  # most have nothing to prove
        """Raise when the server says that the login succeeded without having proved what it had to prove."""


def unexpected() -> TransportError:
    return TransportError("The server asked for more than the mechanism provides.", cause="bad-challenge")


def escaped(name: str) -> str:
    """A name as the messages of SCRAM and OAUTHBEARER carry it (RFC 5801, 4: saslname)."""
    return name.replace("=", "=3D").replace(",", "=2C")
