"""A login in lines of Base64 (SMTP: RFC 4954; IMAP: RFC 9051, 6.2.2; POP3: RFC 5034), and what of it must not show."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Callable
from typing import Protocol

from ...secret import STARS
from ..transport_errors import TransportError
from .choose import Mechanism, decode_error

__all__ = ["Exchange"]

_MOST_ROUNDS = 10  # SCRAM takes 3
_SHORTEST_SECRET = 6  # what is shorter could be any word of the server's


class Say(Protocol):
    """Sends a line, without its end; ``shown`` stands for it in the transcript."""

    def __call__(self, line: bytes, shown: str) -> None: ...


class Exchange:
    """One login by one mechanism, and never by another one."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.mechanism = mechanism
        #: What the server said of a token that it refuses, in parentheses.
        self.reason = ""
        self._sent: list[bytes] = []

    def hide(self, said: bytes) -> bytes:
        """What the server said, with stars where it repeats what was sent, as some do in an error."""
        for secret in self._sent:
            said = said.replace(secret, STARS.encode())
        return self.mechanism.hide(said)

    def sends(self, secret: bytes) -> bytes:
        """The same bytes; from now on :meth:`hide` puts stars for them."""
        if len(secret) >= _SHORTEST_SECRET:
            self._sent.append(secret)
        return secret

    def run(self, command: bytes, say: Say, hear: Callable[[], bytes | None], *, longest: int) -> None:
        """Speak until ``hear`` gives None: the server has decided. Otherwise it gives a challenge, in Base64.

        ``longest`` is how many bytes the command may have with its initial response and the end of the line; 0: the
        server wants the response apart.
        """
        mechanism = self.mechanism
        initial = mechanism.start()
        line = command
        # A lone = stands for a response that is empty.
        if initial is not None and len(encoded := base64.b64encode(initial) or b"=") + len(line) + 3 <= longest:
            line += b" " + self.sends(encoded)
            initial = None
        say(line, shown=f"{command.decode('ascii', 'replace')} {STARS}")
        for _ in range(_MOST_ROUNDS):
            text = hear()
            if text is None:
                return
            try:
                # What nobody reads is for people, and not always encoded.
                read = initial is None and mechanism.reads_challenges
                challenge = base64.b64decode(text, validate=True) if read else text
                if mechanism.takes_token and initial is None:
                    # It may repeat the token, also in the escapes of its JSON.
                    self.reason = f" ({decode_error(challenge, mechanism.hide)})"
                answer, initial = (initial, None) if initial is not None else (mechanism.respond(challenge), None)
            except (TransportError, binascii.Error) as error:
                # A lone asterisk calls the exchange off; what the server makes of that changes nothing.
                with contextlib.suppress(OSError):
                    say(b"*", shown="*")
                    hear()
                if isinstance(error, TransportError):
                    raise
                raise TransportError("The server's challenge is not Base64.", cause="bad-challenge") from None
            say(self.sends(base64.b64encode(answer)), shown=STARS)
        raise TransportError("The server's challenges never end.", cause="bad-challenge")
