"""Logging in to an SMTP server (RFC 4954): one mechanism, once, and nothing of it is shown."""

from __future__ import annotations

import base64
import binascii
import contextlib

from ...credentials import Secret
from ...credentials.without_traceback import sealed
from ...errors import OpenError, OptionError
from ...transport.sasl.choose import Login, Mechanism, choose, decode_error
from ...transport.transport_errors import TransportError
from .errors import LinkLost, NotOffered, Refused, login_cause, open_error
from .wire import STARS, SMTPWire

__all__ = ["SMTPLogin"]

_LONGEST_AUTH = 512  # RFC 4954, 4: an AUTH line over this goes without its initial response
_MOST_ROUNDS = 10  # of a SASL exchange; SCRAM takes 3


class SMTPLogin(SMTPWire):
    """A session that logs in."""

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """Log in with the strongest mechanism that both sides have, once; ``initial_response_ok`` is ignored."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        if flaw := secret.flaw():
            raise OptionError(f"The password {flaw}.")
        channel = self._channel
        if channel.tls is None and not (self._plain_allowed or channel.loopback):
            raise NotOffered(
                "The link is plain text, and the password would be readable on the way.",
                stage="authenticate",
                cause="plain-text-refused",
                hint="Call starttls() first.",
            )
        self.ehlo_or_helo_if_needed()
        login = Login(user, secret.reveal)
        try:
            mechanism = choose(self.mechanisms(), login, tls=channel.tls is not None, token=False)
            sealed(lambda: self.log_in(mechanism))
        except LinkLost:
            raise
        except TransportError as error:
            if not isinstance(error, Refused):
                # A server that cheats in the login, or says yes without the proof, gets nothing more.
                self.close()
            failure = OpenError(error.message, stage="authenticate", cause=error.cause, hint=error.hint)
            raise open_error(failure, error) from error
        return 235, b"2.7.0 Authentication successful"

    def mechanisms(self) -> list[str]:
        return self.esmtp_features.get("auth", "").split()

    def log_in(self, mechanism: Mechanism) -> None:
        sent: list[bytes] = []

        def hide(said: bytes) -> bytes:
            for line in sent:
                said = said.replace(line, STARS.encode())
            return mechanism.hide(said)

        self._hide = hide
        try:
            self._exchange(mechanism, sent)
        finally:
            self._hide = None

    def _exchange(self, mechanism: Mechanism, sent: list[bytes]) -> None:
        command = f"AUTH {mechanism.name}"
        initial = mechanism.start()
        line = command.encode()
        if initial is not None and len(encoded := _encode(initial)) + len(line) + 3 <= _LONGEST_AUTH:
            line += b" " + encoded
            _remember(encoded, sent)
            initial = None
        self._send(line + b"\r\n", shown=f"{command} {STARS}")
        said = ""
        for _ in range(_MOST_ROUNDS):
            code, text = self.getreply()
            if code != 334:
                break
            try:
                challenge = base64.b64decode(text, validate=True)
                if mechanism.takes_token and initial is None:
                    said = f" ({decode_error(mechanism.hide(challenge))})"
                answer, initial = (initial, None) if initial is not None else (mechanism.respond(challenge), None)
            except (TransportError, binascii.Error) as error:
                # RFC 4954, 4: a lone asterisk calls the exchange off.
                with contextlib.suppress(LinkLost):
                    self._send(b"*\r\n", shown="*")
                    self.getreply()
                if isinstance(error, TransportError):
                    raise
                raise TransportError("The server's challenge is not Base64.", cause="bad-challenge") from None
            encoded = _encode(answer, empty=b"")
            _remember(encoded, sent)
            self._send(encoded + b"\r\n", shown=STARS)
        if code != 235:
            cause = login_cause(code, text, token=mechanism.takes_token)
            raise Refused(f"The server refused the login by {mechanism.name}{said}", code, text, cause=cause)
        mechanism.finish()


def _encode(data: bytes, *, empty: bytes = b"=") -> bytes:
    return base64.b64encode(data) if data else empty


def _remember(encoded: bytes, sent: list[bytes]) -> None:
    # What is very short could be any word of the server's.
    if len(encoded) >= 8:
        sent.append(encoded)
