"""The commands of an IMAP session: what may be sent, alone, several at once, or with an answer taken as it comes."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Generator
from typing import Any

from imap_tools.imap_utf7 import utf7_decode

from ...errors import OpenError
from ...secret import STARS
from ..line_arguments import breaks_a_line
from ..opening.log_in import require_safe_link
from .errors import LinkLost, NotLoggedIn, Refused, SessionBusy, UnsafeArgument, open_error
from .wire import IMAPWire

__all__ = ["IMAPCommands", "Part"]

_SECRET = frozenset({"LOGIN", "AUTHENTICATE"})
_NAMES_FOLDER = frozenset(
    {
        *("APPEND", "COPY", "CREATE", "DELETE", "EXAMINE", "GETQUOTAROOT", "LIST", "LSUB", "MOVE", "RENAME", "SELECT"),
        *("STATUS", "SUBSCRIBE", "UNSUBSCRIBE"),
    }
)
# A line that ends so makes the server take the next one for the bytes of a literal.
_ANNOUNCES = re.compile(rb"\{[0-9]+[+-]?\}\Z")

Part = bytes | tuple[bytes, bytes]


class IMAPCommands(IMAPWire):
    """Refuses a command that is not one command, and a password where everybody can read it."""

    def _command(self, name: str, *args: Any) -> Any:
        try:
            self.refuse(name, args)
            self.begin()
            if name in _SECRET:
                self._shown, self._hide = f"{name} {STARS}", bytes
            return super()._command(name, *args)  # type: ignore[misc]  # imaplib's own
        except imaplib.IMAP4.readonly:
            raise
        except imaplib.IMAP4.abort:
            # imaplib makes a plain abort of it, without the cause.
            if self._broken is not None:
                raise self._broken from self._broken.__cause__
            raise
        finally:
            self._shown, self._hide = "", None
            # Otherwise the next command would send what this one did not.
            self.literal = None

    def refuse(self, name: str, args: tuple[Any, ...]) -> None:
        """Raise when the command must not be sent."""
        self.own(farewell=name == "LOGOUT")
        if self._stream is not None:
            raise SessionBusy(
                "Messages are still being fetched.", hint="Read on to the last one, or close the iterator."
            )
        self.settle()
        # imaplib says the same of its states.
        if self.state == "NONAUTH" and self.state not in imaplib.Commands.get(name, (self.state,)):
            raise NotLoggedIn(name)
        in_words = args[0] if name == "UID" and args else name
        names_folder = str(in_words).upper() in _NAMES_FOLDER
        last = b""
        for argument in (name, *args):
            if argument is None:
                continue
            last = argument.encode("utf-8", "replace") if isinstance(argument, str) else bytes(argument)
            if breaks_a_line(last) or (names_folder and breaks_a_line(_folder(last))):
                raise UnsafeArgument(f"{name[:20]!r}: an argument contains a CR, an LF or a NUL. Nothing was sent.")
        if self.literal is None and _ANNOUNCES.search(last):
            raise UnsafeArgument(f"{name[:20]!r}: the last argument announces a literal. Nothing was sent.")
        if name in _SECRET:
            require_safe_link(self)

    secure_first = "Use a connection with secure authentication on, or call client.starttls() first."

    @property
    def place(self) -> tuple[str, int]:
        """The host and the port of the server."""
        return self.host, self.port

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        """The same error, as the class that callers of imaplib and imap_tools expect."""
        return open_error(error, origin)

    def hang_up(self) -> None:
        """As :meth:`shutdown`."""
        self.shutdown()

    def _command_complete(self, name: str, tag: Any) -> tuple[str, list[Any]]:
        farewell = name == "LOGOUT"
        if not farewell:
            self._check_bye()
        status, data = self._get_tagged_response(tag, expect_bye=farewell)
        if not farewell:
            self._check_bye()
        if status == "BAD":
            raise Refused(f"The server did not accept {name}", status, data[-1] or b"")
        return status, data

    def pipeline(self, *commands: tuple[str, ...]) -> list[tuple[str, list[Any]]]:
        """Send commands at once, and return the status and the text of each: one round trip for all.

        Their untagged answers are in ``untagged_responses``, together. Only for commands that do not depend on each
        other (RFC 9051, 5.5); one that is refused is in the result, not raised.
        """
        tags = [(name, self._command(name, *arguments)) for name, *arguments in commands]
        results: list[tuple[str, list[Any]]] = []
        for name, tag in tags:
            try:
                results.append(self._command_complete(name, tag))
            except Refused as refusal:
                results.append((refusal.status, [refusal.words.encode()]))
        return results

    def stream(self, uids: str, parts: str) -> Generator[list[Part], None, None]:
        """``UID FETCH``, message by message as they arrive: what one command asks for need not fit in memory.

        Each is a list as ``imaplib`` has it: texts, and pairs of a text and a literal. Until the last one was taken, or
        the iterator closed, no other command can be sent.
        """
        if not uids:
            return
        self.untagged_responses.pop("FETCH", None)
        tag = self._command("UID", "FETCH", uids, parts)
        channel, self._stream = self.channel, tag
        try:
            while self.tagged_commands.get(tag) is None:
                if self.sock is not channel:
                    raise LinkLost("The link that this reply came over is gone.", cause="closed")
                self._get_response()
                self._check_bye()
                if found := self.untagged_responses.pop("FETCH", None):
                    self._came = self._lines = 0
                    with self.channel.paused():
                        yield found
        finally:
            while self.sock is channel and not channel.forked and self.tagged_commands.get(tag) is None:
                self._get_response()
                if self.untagged_responses.pop("FETCH", None):
                    self._came = self._lines = 0
            if self.sock is channel:
                self._stream = None
        status, data = self._command_complete("UID FETCH", tag)
        if status != "OK":
            raise Refused("The server did not fetch that", status, data[-1] or b"")


def _folder(name: bytes) -> bytes:
    """The name of a folder as it is meant: in modified UTF-7 (RFC 3501, 5.1.3) a line break can hide."""
    try:
        return str(utf7_decode(name)).encode("utf-8", "replace")
    except (ValueError, LookupError):
        return b""
