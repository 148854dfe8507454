"""The client of an IMAP session: greeting, capabilities, STARTTLS and login, over the commands below it."""

from __future__ import annotations

import contextlib
import functools
import imaplib
import re
from typing import Any

from ...connection.mechanisms import CRAM_MD5, LOGIN, named
from ...credentials.cell_literal import BY_HAND, tell_of_literal
from ...errors import CredentialError
from ...secret import STARS, Secret
from ...transport.sasl.choose import Mechanism
from ...transport.sasl.exchange import Exchange
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError, readable
from ..opening.log_in import log_in
from ..response_codes import greeting_cause, login_cause
from .commands_imap import IMAPCommands
from .errors import LinkLost, NotOffered, Refused

__all__ = ["IMAPClient"]

_LONGEST_COMMAND = 8000  # RFC 7162, 4: servers take lines up to 8192; a longer initial response is sent when asked for
_OTHER = "Set another password."
# RFC 9051, appendix E: of what was an extension, what is asked for here.
_WITHIN_REV2 = frozenset({"LIST-EXTENDED", "LIST-STATUS", "MOVE", "NAMESPACE", "SASL-IR", "UIDPLUS"})
_QUOTABLE = re.compile(rb"[ -~]*")


@functools.cache
def _who() -> bytes:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # 5 ms that few servers ask for

    known = '"name" "mailconn-jupyter"'
    with contextlib.suppress(PackageNotFoundError):
        known += f' "version" "{version("mailconn-jupyter")}"'
    return f"({known})".encode()


class IMAPClient(IMAPCommands):
    """The ``client`` of an IMAP session: an :class:`imaplib.IMAP4` in full.

    ``may_be_preauth`` says whether the server may greet with PREAUTH: logged in already, it knows as whom.
    """

    #: Empty as long as the server has not told.
    PROTOCOL_VERSION = ""

    def __init__(self) -> None:
        self.may_be_preauth = True
        self._greeting = False
        super().__init__()

    # The greeting

    def read_greeting(self) -> None:
        """Read the greeting and the capabilities; raises when it is none, or says no."""
        self._greeting = True
        self.begin()
        try:
            imaplib.IMAP4._connect(self)  # type: ignore[attr-defined]  # noqa: SLF001  # what the wire put off
        except LinkLost as error:
            if self._greeting and error.cause in {"bad-reply", "too-long"}:
                what = f"The server's greeting is malformed. {error.message}"
                raise TransportError(what, cause="bad-greeting") from error
            raise
        except imaplib.IMAP4.error as error:
            if isinstance(error, Refused | TransportError):
                raise
            if "IMAP4REV2" in self.capabilities:
                # All that imaplib had left to do is to look for an older version.
                self.PROTOCOL_VERSION = "IMAP4REV2"
                return
            bye = self.untagged_responses.get("BYE")
            if bye and isinstance(bye[-1], bytes):
                cause = greeting_cause(bye[-1])
                raise Refused("The server turned this client away", "BYE", bye[-1], cause=cause) from None
            raise TransportError(
                f"The server's greeting is not IMAP4: {readable(self.welcome or b'', 60)!r}.",
                cause="bad-greeting",
            ) from error
        finally:
            self._greeting = False

    def _get_capabilities(self) -> None:
        """Learn the capabilities: those that came with the last answer, or those that the server names when asked."""
        if self._greeting and self.state == "AUTH" and not self.may_be_preauth:
            raise TransportError(
                "The server greeted with PREAUTH: it considers this session logged in, which nobody asked for.",
                cause="preauth",
            )
        self._greeting = False
        offered = self.untagged_responses.pop("CAPABILITY", None)
        if not offered:
            offered = self.capability()[1]
        said = offered[-1] if isinstance(offered[-1], bytes) else b""
        # imaplib takes a response code to end at the line's last bracket.
        self.capabilities = tuple(said.partition(b"]")[0].decode("ascii", "replace").upper().split())

    def ask_capabilities(self) -> None:
        """Ask for the capabilities, whatever was said before."""
        self.untagged_responses.pop("CAPABILITY", None)
        self._get_capabilities()

    def includes(self, extension: str) -> bool:
        """Whether the server has an extension: it names it, or is one of IMAP4rev2 alone, which has it within."""
        return extension in self.capabilities or (self.PROTOCOL_VERSION == "IMAP4REV2" and extension in _WITHIN_REV2)

    # TLS

    def request_tls(self) -> None:
        """Have the server agree to STARTTLS; the next byte is the handshake's."""
        if "STARTTLS" not in self.capabilities:
            raise NotOffered(
                "The server does not offer STARTTLS, so the link would stay plain text.",
                stage="secure",
                cause="no-starttls",
            )
        what = "The server offers STARTTLS, but refused it"
        try:
            status, data = self._simple_command("STARTTLS")
        except Refused as error:
            raise Refused(what, error.status, error.words.encode(), cause="starttls-refused") from None
        if status != "OK":
            raise Refused(what, status, data[-1] or b"", cause="starttls-refused")

    def starttls(self, ssl_context: Any | None = None) -> Any:
        """Ask for STARTTLS and verify the server's certificate; raises where the server does not offer it.

        Takes no context: which certificates are good is the connection's business (its options).
        """
        if ssl_context is not None:
            raise ValueError("An IMAP session makes its own TLS context: use the options of a MailConnection.")
        channel = self.channel
        if channel.tls is not None:
            raise Refused("STARTTLS", "NO", b"the link is TLS already")
        self.request_tls()
        try:
            channel.start_tls(TLSPolicy(), self.host)
        except TransportError as error:
            self.lost(error)
        self.forget()
        self.ask_capabilities()
        return "OK", [None]

    # Logging in

    def mechanisms(self, pinned: str = "") -> list[str]:
        """The SASL mechanisms that the server offers; LOGIN also for its command, where nothing else takes a password."""
        offered = [word.removeprefix("AUTH=") for word in self.capabilities if word.startswith("AUTH=")]
        if "LOGINDISABLED" not in self.capabilities and (
            pinned == LOGIN.name or not set(named("a password")).intersection(offered)
        ):
            offered.append(LOGIN.name)
        return offered

    def login(self, user: str, password: str) -> Any:
        """Log in with the strongest mechanism that both sides have, once."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        tell_of_literal(1, "password", "password", BY_HAND)
        return log_in(self, user, secret)

    def login_cram_md5(self, user: str, password: str) -> Any:
        """Log in by CRAM-MD5."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        tell_of_literal(1, "password", "password", BY_HAND)
        return log_in(self, user, secret, pinned=CRAM_MD5.name)

    def login_with(self, mechanism: Mechanism) -> Any:
        """Run one exchange; returns or raises with the server's words. The capabilities are learnt anew."""
        self.untagged_responses.pop("CAPABILITY", None)
        exchange = Exchange(mechanism)
        self._hide = exchange.hide
        try:
            if mechanism.row is LOGIN and f"AUTH={LOGIN.name}" not in self.capabilities:
                status, text = self._login_command(exchange)
            else:
                status, text = self._authenticate(exchange)
        finally:
            self._hide = None
        if status != "OK":
            raise Refused(
                f"The server refused the login by {mechanism.name}{exchange.reason}",
                status,
                text,
                cause=login_cause(text, token=mechanism.takes_token, understood=status != "BAD"),
            )
        mechanism.finish()
        self.state = "AUTH"
        self._get_capabilities()
        self._say_who()
        return status, [text]

    def _say_who(self) -> None:
        """Name this program where that is offered (RFC 2971): some servers open no folder to one that they do not know.

        The answer comes with that of the next command, and changes nothing.
        """
        if "ID" in self.capabilities:
            self.say(self._new_tag() + b" ID " + _who() + b"\r\n")

    def answer_to(self, tag: bytes) -> tuple[str, bytes] | None:
        """The end of a command; None where the server asks to go on."""
        while self._get_response() is not None:
            done: Any = self.tagged_commands[tag]
            if done is not None:
                del self.tagged_commands[tag]
                return done[0], done[1][-1]
            self._check_bye()
        return None

    def _authenticate(self, exchange: Exchange) -> tuple[str, bytes]:
        tag: bytes = self._new_tag()
        results = []

        def say(line: bytes, shown: str) -> None:
            self.say(line + b"\r\n", shown=shown)

        def hear() -> bytes | None:
            result = self.answer_to(tag)
            if result is None:
                text: Any = self.continuation_response
                return bytes(text or b"")
            results.append(result)
            return None

        command = tag + f" AUTHENTICATE {exchange.mechanism.name}".encode()
        exchange.run(command, say, hear, longest=_LONGEST_COMMAND if self.includes("SASL-IR") else 0)
        return results[-1]

    def _login_command(self, exchange: Exchange) -> tuple[str, bytes]:
        tag: bytes = self._new_tag()
        shown = f"{tag.decode()} LOGIN {STARS}"
        line = tag + b" LOGIN"
        # The mechanism gives the user first, and then the password, as it does to AUTH LOGIN.
        for text in (exchange.mechanism.respond(b""), exchange.sends(exchange.mechanism.respond(b""))):
            if b"\x00" in text:
                raise CredentialError("The user or the password contains a NUL, which IMAP cannot carry.", hint=_OTHER)
            if _QUOTABLE.fullmatch(text):
                line += b' "' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
                continue
            # RFC 9051, 4.3: what is not ASCII, or breaks the line, goes as a literal.
            self.say(line + b" {%d}\r\n" % len(text), shown=shown)
            if (done := self.answer_to(tag)) is not None:
                return done
            line = text
        self.say(line + b"\r\n", shown=shown)
        if (done := self.answer_to(tag)) is None:
            self.lost(TransportError("The server asks for more than a user and a password.", cause="bad-challenge"))
        return done
