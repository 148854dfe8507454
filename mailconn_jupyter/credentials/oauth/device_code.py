"""Signing in by a code that is entered on any other device (RFC 8628): also from a hub that no browser can reach."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ...errors import SignInError
from ...secret import Secret
from ...transport.http_question import Place
from .scopes import scope_of
from .token_requests import DEVICE_CODE, Client, Tokens

__all__ = ["Device", "begin_device"]

_INTERVAL: Final = 5.0  # RFC 8628, 3.2: where the server gives none
_SLOWER: Final = 5.0  # RFC 8628, 3.5
_LEAST: Final = 1.0
_LONGEST: Final = 60.0
_MOST_SECONDS: Final = 1800.0
_MOST_URI: Final = 2000
_MOST_SIGNS: Final = 40  # of a code that a person enters
_PENDING: Final = "authorization_pending"
_NO_NETWORK: Final = "sign-in-unreachable"


@dataclass
class Device:
    """A sign-in under way: a person opens ``uri`` and enters ``code``, within ``seconds``; ``link`` does both in one."""

    uri: str
    code: str
    link: str
    seconds: float
    _client: Client
    _device_code: Secret
    _interval: float
    _end: float

    def wait(self, cancel: threading.Event) -> Tokens | None:
        """The tokens, once the person has approved; None when it was cancelled. Raises :class:`SignInError`."""
        while not cancel.wait(min(self._interval, max(self._end - time.monotonic(), 0.0))):
            # Once more at the very end: the pause may be longer than what is left.
            over = time.monotonic() >= self._end
            try:
                return self._client.tokens(DEVICE_CODE, device_code=self._device_code)
            except SignInError as error:
                if error.error == "slow_down" or error.cause == _NO_NETWORK:
                    # RFC 8628, 3.5: from now on, and less often still while nothing answers.
                    self._interval += _SLOWER
                elif error.error != _PENDING:
                    raise
            if over:
                raise SignInError(
                    "The code expired before it was approved.",
                    cause="sign-in-refused",
                    error="expired_token",
                    hint="Sign in again.",
                )
        return None


def begin_device(client: Client) -> Device:
    """Have the server make a code; raises :class:`SignInError`."""
    metadata = client.metadata
    if not metadata.device:
        raise SignInError(
            f"{metadata.issuer} does not offer sign-in by device code.",
            cause="sign-in-option",
            hint="Use the link flow instead.",
        )
    began = time.monotonic()
    answer = client.send(metadata.device, "", "gives no code", scope=scope_of(client.identity, metadata))
    # Google once called it verification_url.
    uri = answer.text("verification_uri") or answer.text("verification_url")
    code, device_code = answer.text("user_code"), answer.secret("device_code")
    if (
        not _opens(uri)
        or not code.isprintable()
        or not 0 < len(code) <= _MOST_SIGNS
        or device_code is None
        or device_code.flaw()
    ):
        raise SignInError(
            f"{urlsplit(metadata.device).hostname} gave no usable code.",
            cause="sign-in-refused",
            hint="Use the link flow instead.",
        )
    link = answer.text("verification_uri_complete")
    seconds = min(answer.seconds("expires_in") or _MOST_SECONDS, _MOST_SECONDS)
    interval = min(max(answer.seconds("interval") or _INTERVAL, _LEAST), _LONGEST)
    return Device(uri, code, link if _opens(link) else "", seconds, client, device_code, interval, began + seconds)


def _opens(uri: str) -> bool:
    """Whether it is an address that a person may be sent to; one that a page reads by itself may stand behind a #."""
    try:
        Place.parse(uri.partition("#")[0])
    except ValueError:
        return False
    return len(uri) <= _MOST_URI and uri.isascii() and uri.isprintable()
