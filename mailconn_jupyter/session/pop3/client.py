"""The client of a POP3 session: greeting, capabilities, STLS and login, over the wire below it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from ...connection.mechanisms import LOGIN, named
from ...credentials.cell_literal import BY_HAND, tell_of_literal
from ...credentials.without_traceback import sealed
from ...errors import CredentialError, OpenError
from ...secret import STARS, Secret
from ...transport.dial import a_label
from ...transport.sasl.choose import Mechanism
from ...transport.sasl.exchange import Exchange
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError
from ..line_arguments import breaks_a_line
from ..opening.log_in import log_in, require_safe_link
from ..response_codes import greeting_cause, login_cause
from .errors import LinkLost, NotOffered, Refused, open_error
from .wire import POP3Wire

__all__ = ["POP3Client"]

_LONGEST_AUTH = 255  # RFC 2449, 4: an AUTH line over this goes without its initial response
_TIMESTAMP = re.compile(rb"<[!-;=?-~]+@[!-;=?-~]+>")


class POP3Client(POP3Wire):
    """A POP3 client that learns what the server offers, secures the link and logs in.

    ``capabilities`` is what CAPA told, None before it was asked, empty where the server does not know the command.
    """

    plain_allowed = False
    #: How many messages there were when the session was opened, and their bytes.
    told = (0, 0)
    capabilities: dict[str, list[str]] | None = None

    # The greeting

    def read_greeting(self) -> None:
        """Read the greeting; raises when it is none, or says no."""
        self.capabilities = None
        try:
            self.welcome = self._getresp()
        except LinkLost as error:
            if error.cause in {"bad-reply", "too-long"}:
                what = f"The server's greeting is malformed. {error.message}"
                raise TransportError(what, cause="bad-greeting") from error
            raise
        except Refused as error:
            text = error.words.encode()
            raise Refused("The server turned this client away", text, cause=greeting_cause(text)) from None

    def learn(self) -> dict[str, list[str]]:
        """Ask for the capabilities, once before TLS and once after."""
        if self.capabilities is None:
            try:
                self.capabilities = self.capa()
            except Refused:
                # A server from before RFC 2449.
                self.capabilities = {}
        return self.capabilities

    # TLS

    def request_tls(self) -> bytes:
        """Have the server agree to STLS; the next byte is the handshake's."""
        offered = self.learn()
        stripped = NotOffered(
            "The server does not offer STLS, so the link would stay plain text.", stage="secure", cause="no-starttls"
        )
        if offered and "STLS" not in offered:
            raise stripped
        try:
            self.say(b"STLS")
            answer = self._getresp()
        except Refused as error:
            if not offered:
                raise stripped from error
            raise Refused(
                "The server offers STLS, but refused it", error.words.encode(), cause="starttls-refused"
            ) from None
        # What was said before TLS, anybody could have said.
        self.capabilities = None
        return answer

    def stls(self, context: Any | None = None) -> bytes:
        """Ask for STLS and verify the server's certificate; raises where the server does not offer it.

        Takes no context: which certificates are good is the connection's business (its options).
        """
        if context is not None:
            raise ValueError("A POP3 session makes its own TLS context: use the options of a MailConnection.")
        channel = self.channel
        if channel.tls is not None:
            raise Refused("STLS", b"the link is TLS already")
        answer = self.request_tls()
        try:
            channel.start_tls(TLSPolicy(), a_label(self.host))
        except TransportError as error:
            self.lost(error)
        return answer

    # Logging in

    def mechanisms(self) -> list[str]:
        """The SASL mechanisms that the server offers; LOGIN stands for USER or APOP, where no other takes a password."""
        offered = self._of_sasl()
        if not set(named("a password")).intersection(offered) and (self._takes_user() or self._timestamp()):
            offered.append(LOGIN.name)
        return offered

    def _of_sasl(self) -> list[str]:
        return [word.upper() for word in self.learn().get("SASL", [])]

    def _takes_user(self) -> bool:
        """Whether USER and PASS work, as far as one knows: a server from before CAPA does not say."""
        offered = self.learn()
        return "USER" in offered or not offered

    def _timestamp(self) -> bytes:
        match = _TIMESTAMP.search(self.welcome)
        return match.group() if match else b""

    secure_first = "Use a connection with secure authentication on, or call stls() first."

    @property
    def place(self) -> tuple[str, int]:
        """The host and the port of the server."""
        return self.host, self.port

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        """The same error, as the class that callers of poplib expect."""
        return open_error(error, origin)

    def hang_up(self) -> None:
        """As :meth:`close`."""
        self.close()

    def log_in(self, user: str, secret: Secret, *, token: bool = False) -> None:
        """Log in by a password or an access token, by the strongest mechanism that both sides have, once."""
        log_in(self, user, secret, token=token)

    def login_with(self, mechanism: Mechanism) -> str:
        """Run one exchange; raises with the server's words. Returns the name of what was used."""
        exchange = Exchange(mechanism)
        name = mechanism.name
        self._hide = exchange.hide
        try:
            if mechanism.row is LOGIN and name not in self._of_sasl():
                name = self._by_command(exchange)
            else:
                self._by_sasl(exchange)
        except Refused as error:
            text = error.words.encode()
            cause = login_cause(text, token=mechanism.takes_token)
            how = f"The server refused the login by {name}{exchange.reason}".replace(LOGIN.name, "USER or APOP")
            raise Refused(how, text, cause=cause) from None
        finally:
            self._hide = None
        mechanism.finish()
        self.known = True
        return name

    def _by_sasl(self, exchange: Exchange) -> None:
        refusals = []

        def hear() -> bytes | None:
            line = self.reply()
            if line.startswith(b"-ERR"):
                refusals.append(line[4:].strip())
            return None if line.startswith((b"+OK", b"-ERR")) else line[1:].strip()

        command = f"AUTH {exchange.mechanism.name}".encode()
        exchange.run(command, self.say, hear, longest=_LONGEST_AUTH)
        if refusals:
            raise Refused("AUTH", refusals[-1])

    def _by_command(self, exchange: Exchange) -> str:
        # The mechanism gives the user first, and then the password, as it does to AUTH LOGIN.
        respond = exchange.mechanism.respond
        user = _unbroken(respond(b""))
        if self._takes_user():
            try:
                self.say(b"USER " + user)
                self._getresp()
            except Refused:
                # Only a server that does not say what it takes is asked for APOP, before it has seen a password.
                if self.learn() or not self._timestamp():
                    raise
            else:
                self.say(b"PASS " + exchange.sends(_unbroken(respond(b""))), shown=f"PASS {STARS}")
                self._getresp()
                return "USER"
        # RFC 1939, 7: MD5 is what the command asks for.
        digest = hashlib.md5(self._timestamp() + respond(b"")).hexdigest()  # noqa: S324  # as above
        self.say(b"APOP " + user + b" " + exchange.sends(digest.encode()), shown=f"APOP {STARS}")
        self._getresp()
        return "APOP"

    # poplib's own ways to log in, each refused over plain text

    def pass_(self, pswd: str) -> bytes:
        """Send the password of the user that was named before."""
        secret, pswd = Secret(pswd), STARS  # this frame can be in a traceback
        tell_of_literal(0, "pswd", "password", BY_HAND)
        return self._by_hand(lambda: f"PASS {secret.reveal()}")

    def apop(self, user: str, password: str) -> bytes:
        """Log in by a digest of the password and the timestamp in the greeting; raises where there is none."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        tell_of_literal(1, "password", "password", BY_HAND)
        timestamp = self._timestamp()
        if not timestamp:
            raise Refused("APOP", b"the server's greeting has no timestamp, so it does not take APOP")

        def command() -> str:
            digest = hashlib.md5(timestamp + secret.reveal().encode()).hexdigest()  # noqa: S324  # RFC 1939, 7
            return f"APOP {user} {digest}"

        return self._by_hand(command)

    def _by_hand(self, command: Callable[[], str]) -> bytes:
        require_safe_link(self)
        answer: bytes = sealed(lambda: self._shortcmd(command()))  # type: ignore[attr-defined]  # poplib's own
        self.known = True
        return answer


def _unbroken(text: bytes) -> bytes:
    if breaks_a_line(text):
        what = "The user or the password contains a CR, an LF or a NUL, which POP3 cannot carry."
        raise CredentialError(what, hint="Set another password.")
    return text
