"""The wire of a POP3 session: commands and answers of a :class:`poplib.POP3`, hardened."""

from __future__ import annotations

import poplib
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from ...formatting import how_large
from ...secret import STARS
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.dial import connect_any, look_up
from ...transport.transport_errors import TransportError, readable
from ..line_arguments import breaks_a_line
from ..own_link import OwnLink
from ..response_codes import refusal_cause
from ..transcript import Transcript
from .errors import LinkLost, NotLoggedIn, Refused, SessionBusy, UnsafeArgument
from .numbered_lines import is_number

__all__ = ["LONGEST_LINE", "MOST_BYTES", "MOST_LINES", "POP3Wire"]

#: Bytes of one line of a message. RFC 5322 asks for 1000, and many programs do not listen.
LONGEST_LINE = 32 * 2**20
#: Bytes of one answer: a message, with all its attachments.
MOST_BYTES = 256 * 2**20
#: Lines of one answer.
MOST_LINES = 5_000_000

_LONGEST_REPLY = 8192  # RFC 2449, 4 asks for 512
_LINES_BEFORE_LOGIN = 1000  # nobody is known yet, and capabilities are few
_PIECE = 16384  # bytes of a message, of which one timeout is enough for the next ones
_MESSAGES = frozenset({"RETR", "TOP "})
_OF_MAILBOX = frozenset({"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "RSET"})
_SECRET = frozenset({"PASS", "APOP", "AUTH"})


class POP3Wire(OwnLink, poplib.POP3):
    """What :class:`~mailconn_jupyter.session.pop3.session.POP3Session` speaks with. Without a host it is not connected.

    ``transcript`` holds the last lines of the conversation, each after ``C:`` or ``S:``; secrets are stars in it, and
    messages counts of lines.
    """

    sock: Any  # a channel, which has the methods of a socket that are used; None: no link

    def __init__(
        self, host: str = "", port: int = 110, timeout: float = 20.0, source_address: tuple[str, int] | None = None
    ) -> None:
        self.transcript = Transcript()
        self.known = False
        self._source = source_address
        # Within a login: what is shown of an answer.
        self._hide: Callable[[bytes], bytes] | None = None
        # The messages that were asked for, and whose answers are still to come.
        self._asked: deque[int] = deque()
        # A line that was read to see what it is, and is not taken yet.
        self._ahead: bytes | None = None
        self.sock = None
        self._debugging = 0
        if host:
            super().__init__(host, port, timeout=timeout)
        else:
            self.host, self.port, self.welcome = host, port, b""

    # The wire, in place of poplib's

    @property
    def channel(self) -> Channel:
        """The channel; raises when the session is closed."""
        if not isinstance(self.sock, Channel):
            raise LinkLost("The session is closed.", cause="closed", hint="Open it again: mailconn.connect(...)")
        return self.sock

    def take(self, channel: Channel, host: str) -> None:
        """Speak over this channel from now on; nothing has been read from it yet."""
        self.sock = channel
        self.host, self.welcome = host, b""
        self.known = False
        self._ahead = None
        self._asked.clear()

    def _create_socket(self, timeout: float) -> Channel:
        limit = Limit(timeout)
        try:
            sock = connect_any(look_up(self.host, self.port, limit), limit, self._source)
        except TransportError as error:
            raise LinkLost(f"{self.host} port {self.port}: {error.message}", cause=error.cause) from error
        return Channel(sock, timeout=timeout)

    def lost(self, error: Exception) -> NoReturn:
        self.close()
        if isinstance(error, TransportError):
            raise LinkLost(error.message, cause=error.cause, hint=error.hint) from error
        raise LinkLost(f"The link broke ({error}).", cause="closed") from error

    def close(self) -> None:
        """Close the link at once; :meth:`quit` says farewell first, and only then is deleted what was marked."""
        sock, self.sock = self.sock, None
        if sock is not None:
            sock.close()

    def _note(self, who: str, said: bytes | str) -> None:
        self.transcript.note(who, said, aloud=self._debugging > 0)

    def _putcmd(self, line: str) -> None:
        if self._asked:
            raise SessionBusy(
                "Messages are still being fetched.", hint="Read on to the last one, or close the iterator."
            )
        word = line.partition(" ")[0].upper()
        if word in _OF_MAILBOX:
            self.require_login(word)
        self.say(line.encode(self.encoding), shown=f"{word} {STARS}" if word in _SECRET else "")

    def require_login(self, command: str) -> None:
        """Raise where nobody has logged in: there is no mailbox then."""
        if self.sock is not None and not self.known:
            raise NotLoggedIn(command)

    def _putline(self, line: bytes) -> None:
        self.say(line)

    def say(self, line: bytes, shown: str = "", *, ahead: bool = False) -> None:
        """Send a line; ``shown`` stands for it in the transcript. ``ahead``: answers to earlier ones are still to come."""
        if breaks_a_line(line):
            raise UnsafeArgument("An argument contains a CR, an LF or a NUL. Nothing was sent.")
        self.own()
        channel = self.channel
        # An answer to a question that was not asked yet would be taken for the answer to this one.
        unasked = b"" if self._asked or ahead else channel.buffered()
        if unasked.startswith(b"-ERR"):
            text = unasked[4:].strip()
            cause = refusal_cause(text, "closed")
            self.lost(TransportError(f"The server ended the session: {readable(text)}", cause=cause))
        if unasked:
            said = readable(unasked, 60)
            self.lost(TransportError(f"The server spoke out of turn: {said!r}.", cause="bad-reply"))
        self._note("C", shown or line)
        try:
            channel.sendall(line + b"\r\n")
        except OSError as error:
            self.lost(error)

    def _line(self, longest: int) -> bytes:
        if self._ahead is not None:
            line, self._ahead = self._ahead, None
            return line
        channel = self.channel
        try:
            line = channel.readline(longest)
        except OSError as error:
            self.lost(error)
        except BaseException:
            # Interrupted: the answer that is still to come would be taken for the one to something else.
            self.close()
            raise
        if not line.endswith(b"\n"):
            self.lost(TransportError("The server closed the link.", cause="closed"))
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def reply(self) -> bytes:
        """The first line of an answer: it begins with +OK, with -ERR, or within a login with + alone."""
        self.channel.begin_answer()
        line = self._line(_LONGEST_REPLY)
        if self._hide is not None:
            line = self._hide(line)
        challenge = line[:1] == b"+" and line[:3] != b"+OK"
        # With the challenges of SCRAM, a password could be guessed at leisure.
        self._note("S", f"+ {STARS}" if challenge else line)
        if not line.startswith((b"+OK", b"-ERR")) and not (challenge and self._hide is not None):
            said = readable(line, 60)
            self.lost(TransportError(f"The server's reply is not valid POP3: {said!r}.", cause="bad-reply"))
        return line

    def _getresp(self) -> bytes:
        line = self.reply()
        if line.startswith(b"-ERR"):
            raise Refused("The server refused the command", line[4:].strip())
        return line

    def _getline(self) -> tuple[bytes, int]:
        line = self._line(LONGEST_LINE)
        return line, len(line) + 2

    def _longcmd(self, line: str) -> tuple[bytes, list[bytes], int]:
        self._putcmd(line)
        return self.long_answer(of_message=line[:4].upper() in _MESSAGES)

    def long_answer(self, *, of_message: bool) -> tuple[bytes, list[bytes], int]:
        """An answer of several lines; one with a message in it may take as long as its lines keep coming."""
        first = self._getresp()
        most = MOST_LINES if self.known else _LINES_BEFORE_LOGIN
        lines: list[bytes] = []
        octets = 0
        counted = 0
        while (line := self._line(LONGEST_LINE)) != b".":
            # RFC 1939, 3: a line that begins with a dot has one more.
            line = line[1:] if line.startswith(b"..") else line
            octets += len(line) + 2
            lines.append(line)
            if of_message and octets - counted > _PIECE:
                self.channel.allow_for(octets - counted)
                counted = octets
            if len(lines) > most or octets > MOST_BYTES:
                what = f"{most} lines" if len(lines) > most else how_large(MOST_BYTES)
                self.lost(TransportError(f"The server's reply has more than {what}.", cause="too-long"))
        self._note("S", f"({len(lines)} lines)" if self.known else b", ".join(lines))
        return first, lines, octets

    def undoubled(self, missing: int, *, idle: bool) -> list[bytes]:
        """The rest of an answer from a server that does not double dots, which a line of one dot seems to end.

        ``missing`` are the bytes that should have come; ``idle``: no answer to another command is to follow.
        """
        if idle:
            self.say(b"NOOP")
        self.channel.begin_answer()
        rest: list[bytes] = []
        least = -missing - _LONGEST_REPLY
        while not (line := self._line(LONGEST_LINE)).startswith((b"+OK", b"-ERR")):
            rest.append(b".")
            while line != b".":
                rest.append(line)
                missing -= len(line) + 2
                if missing < least:
                    self.lost(TransportError("The server's reply is longer than announced.", cause="too-long"))
                self.channel.allow_for(len(line))
                line = self._line(LONGEST_LINE)
            missing -= 3
            if missing <= 0:
                if idle:
                    self._getresp()
                return rest
        if not idle:
            self._ahead = line
        return rest

    # poplib's, with answers that are not what they should be

    def stat(self) -> tuple[int, int]:
        """How many messages there are, and how many bytes they have together."""
        words = self._shortcmd("STAT").split()  # type: ignore[attr-defined]  # poplib's own
        if len(words) < 3 or not all(map(is_number, words[1:3])):
            self.lost(TransportError("The server's reply to STAT is malformed.", cause="bad-reply"))
        return int(words[1]), int(words[2])

    def capa(self) -> dict[str, list[str]]:
        """The capabilities (RFC 2449), each with its arguments."""
        lines: Any = self._longcmd("CAPA")[1]
        words = [line.decode("ascii", "replace").split() for line in lines]
        return {name.upper(): arguments for name, *arguments in filter(None, words)}
