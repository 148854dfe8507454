"""The wire of an IMAP session: lines and literals of an :class:`imaplib.IMAP4`, over a channel, and bounded."""

from __future__ import annotations

import imaplib
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from ...formatting import how_large
from ...secret import STARS
from ...transport.channel import Channel
from ...transport.transport_errors import TransportError, readable
from ..own_link import OwnLink
from ..response_codes import refusal_cause
from ..transcript import Transcript
from .errors import LinkLost
from .extended_search import found_by

__all__ = ["LONGEST_LINE", "MOST_ANSWER", "MOST_LINES", "MOST_LITERAL", "IMAPWire", "InFlight"]

#: Bytes of one line: the answer to a SEARCH that finds two million messages.
LONGEST_LINE = 20 * 2**20
#: Bytes of one literal: a message, with all its attachments.
MOST_LITERAL = 256 * 2**20
#: Bytes of the whole answer to one command.
MOST_ANSWER = 2**30
#: Lines of it: one for each message of a very large folder.
MOST_LINES = 2_000_000

_LINE_BEFORE_LOGIN = 8192  # nobody is known yet, and capabilities are short
_ANSWER_BEFORE_LOGIN = 65536
# RFC 9051, 9: number, nz-number. Of longer ones Python would not even make a number.
_NUMBER = re.compile(rb"[0-9]{1,10}")
_NUMBERS = re.compile(rb"[0-9]{1,10}(?: [0-9]{1,10})*")
_COUNTS = frozenset({"EXISTS", "RECENT", "EXPUNGE"})
_FINDS = frozenset({"SEARCH", "SORT"})
_PIECE = 16384  # bytes of a literal, of which one timeout is enough for the next ones
_BARE = re.compile(rb"[A-Z0-9]+ [A-Z]+\r?\n", re.IGNORECASE)


class InFlight(Protocol):
    """Commands whose answers are still to come."""

    def settle(self) -> None:
        """Read them."""


class IMAPWire(OwnLink, imaplib.IMAP4):
    """An ``imaplib.IMAP4`` over a channel: what comes in is bounded in size and time.

    Made, it is not connected: :meth:`take` gives it a channel.
    """

    sock: Any  # a channel, which has the methods of a socket that are used; None: no link

    def __init__(self) -> None:
        self.plain_allowed = False
        #: Secrets are stars in it, and messages counts of bytes.
        self.transcript = Transcript()
        self._came = self._lines = 0
        # Within a login: what is shown of what is sent, and what of an answer.
        self._shown = ""
        self._hide: Callable[[bytes], bytes] | None = None
        self._broken: LinkLost | None = None
        self._stream: bytes | None = None
        #: What was asked ahead, as long as an answer to it is to come.
        self.ahead: InFlight | None = None
        #: Opens a link in place of a parent's.
        self.reopened_by: Callable[[], None] | None = None
        super().__init__()

    # The wire, in place of imaplib's

    def open(self, host: str = "", port: int | None = 143, timeout: float | None = None) -> None:
        """Nothing is opened here: an opening brings the channel."""
        self.host, self.port = host, port or 143
        self.sock = None

    def _connect(self) -> None:
        """Nothing is read here: see :meth:`read_greeting`."""

    def take(self, channel: Channel, host: str) -> None:
        """Speak over this channel from now on; nothing has been read from it yet."""
        self.sock = channel
        self.host = host
        self.state = "NONAUTH"
        self.forget()

    def forget(self) -> None:
        """Drop all that the server has said: before TLS anybody could have said it."""
        self.untagged_responses = {}
        self.tagged_commands = {}
        self.continuation_response = ""
        self.capabilities: tuple[str, ...] = ()
        self.welcome = b""
        self.literal = None
        self._came = self._lines = 0
        self._broken = self._stream = self.ahead = None

    def settle(self) -> None:
        """Read the answers to what was asked ahead: they come before the one to anything else."""
        if self.ahead is not None:
            self.ahead.settle()

    @property
    def channel(self) -> Channel:
        """The channel; raises when the session is closed."""
        if not isinstance(self.sock, Channel):
            raise LinkLost("The session is closed.", cause="closed", hint="Open it again: mailconn.connect(...)")
        return self.sock

    def reopen(self) -> None:
        """As :meth:`OwnLink.reopen`; the session knows how."""
        (self.reopened_by or super().reopen)()

    def begin(self) -> None:
        """A command begins: the clock and the measure of its answer do, too."""
        self.channel.begin_answer()
        self._came = self._lines = 0
        self._broken = None

    def lost(self, error: Exception) -> NoReturn:
        self.shutdown()
        if isinstance(error, TransportError):
            self._broken = LinkLost(error.message, cause=error.cause, hint=error.hint)
        else:
            self._broken = LinkLost(f"The link broke ({error}).", cause="closed")
        raise self._broken from error

    def shutdown(self) -> None:
        """Close the link at once, without a farewell."""
        sock, self.sock = self.sock, None
        self.state = "LOGOUT"
        if sock is not None:
            sock.close()

    def send(self, data: Any) -> None:
        """Send bytes as they are."""
        data = bytes(data)
        # Neither a command nor DONE nor an end of a line: a literal.
        literal = len(data) > 6 and not data.startswith(self.tagpre)
        self.say(data, shown=self._shown or (f"({len(data)} bytes)" if literal else ""))

    def say(self, data: bytes, shown: str = "") -> None:
        """Send bytes as they are; ``shown`` stands for them in the transcript."""
        self._note("C", shown or data)
        channel = self.channel
        try:
            channel.sendall(data)
            # To send it may have taken long.
            channel.begin_answer()
        except OSError as error:
            self.lost(error)
        except BaseException:
            # Half a command is on its way: what follows would be read as its rest.
            self.shutdown()
            raise

    def _note(self, who: str, said: bytes | str) -> None:
        self.transcript.note(who, said, aloud=self.debug >= 4)

    def _log(self, line: str) -> None:
        """Keep nothing: imaplib's own log would hold what was sent, secrets too."""

    def _mesg(self, s: str, secs: float | None = None) -> None:
        """As :meth:`_log`; what was said is in the transcript."""

    def print_log(self) -> None:
        """Print the transcript to standard error, as imaplib does with its last interactions."""
        print(self.transcript, file=sys.stderr)  # noqa: T201  # what it is for

    def readline(self) -> bytes:
        """One line of an answer, which must be whole within the channel's timeout, but for the messages in it."""
        channel = self.channel
        known = self.state in {"AUTH", "SELECTED"}
        try:
            line = channel.readline(LONGEST_LINE if known else _LINE_BEFORE_LOGIN)
            self._lines += 1
            self._count(len(line), known=known)
        except OSError as error:
            self.lost(error)
        if line[:1] not in b"*+" and _BARE.fullmatch(line):
            # Without a text an end has no blank either, in the words of some servers, and imaplib asks for one.
            line = line.rstrip() + b" \r\n"
        if self._hide is None:
            self._note("S", line)
        elif line.startswith(b"+"):
            # With the challenges of SCRAM, a password could be guessed at leisure.
            self._note("S", f"+ {STARS}")
        else:
            line = self._hide(line)
            self._note("S", line)
        return line

    def _count(self, size: int, *, known: bool) -> None:
        self._came += size
        most = MOST_ANSWER if known else _ANSWER_BEFORE_LOGIN
        if self._came > most or self._lines > MOST_LINES:
            what = f"{most} bytes" if self._came > most else f"{MOST_LINES} lines"
            raise TransportError(f"The server's reply has more than {what}.", cause="too-long")

    def read(self, size: int) -> bytes:
        """A literal; it may take long, as long as its bytes keep coming."""
        channel = self.channel
        pieces = []
        try:
            if size > MOST_LITERAL:
                raise TransportError(
                    f"The server announced a literal of {how_large(size)}; at most {how_large(MOST_LITERAL)} is accepted.",
                    cause="too-long",
                )
            self._count(size, known=self.state in {"AUTH", "SELECTED"})
            for start in range(0, size, _PIECE):
                wanted = min(_PIECE, size - start)
                pieces.append(channel.take(wanted))
                channel.allow_for(wanted)
                if len(pieces[-1]) < wanted:
                    raise TransportError("The server closed the link in the middle of a message.", cause="closed")
        except OSError as error:
            self.lost(error)
        self._note("S", f"({size} bytes)")
        return b"".join(pieces)

    def _get_response(self, *args: Any, **kwargs: Any) -> bytes | None:
        """One response, stored as imaplib stores it; None when the server asks to go on."""
        try:
            response: bytes | None = super()._get_response(*args, **kwargs)  # type: ignore[misc]  # imaplib's own
        except LinkLost:
            raise
        except imaplib.IMAP4.abort as error:
            # What it said before it closed says more.
            self._check_bye()
            self.lost(_meaning(str(error)))
        except ValueError as error:
            self.lost(_meaning(str(error)))
        except Exception:
            raise
        except BaseException:
            # Interrupted within an answer: the rest of it would be taken for the next one's.
            self.shutdown()
            raise
        return response

    def _append_untagged(self, typ: str, dat: Any) -> None:
        """Keep an untagged response; what it counts is a number, or no answer of IMAP.

        One of ESEARCH is kept as that of SEARCH which says the same, for whoever waits for it.
        """
        try:
            if typ == "ESEARCH" and isinstance(dat, bytes) and (numbers := found_by(dat)) is not None:
                typ, dat = "SEARCH", numbers
        except TransportError as error:
            self.lost(error)
        if isinstance(dat, bytes | None) and typ in _COUNTS and not _NUMBER.fullmatch(dat or b""):
            self.lost(_meaning(f"unexpected response: {typ} {dat!r}"))
        if isinstance(dat, bytes) and typ in _FINDS and not _NUMBERS.fullmatch(dat):
            # Beside them RFC 7162, 3.1.5 has (MODSEQ 12).
            dat = b" ".join(word for word in dat.split() if _NUMBER.fullmatch(word))
        super()._append_untagged(typ, dat)  # type: ignore[misc]  # imaplib's own

    def _check_bye(self) -> None:
        bye = self.untagged_responses.get("BYE")
        if bye:
            text = bye[-1] if isinstance(bye[-1], bytes) else b""
            cause = refusal_cause(text, "closed")
            self.lost(TransportError(f"The server ended the session: {readable(text)}", cause=cause))


def _meaning(said: str) -> TransportError:
    """What an abort of imaplib means."""
    if "EOF" in said or ("unterminated" in said and not said.endswith(r"\n'")):
        return TransportError("The server closed the link.", cause="closed")
    return TransportError(f"The server's reply is not valid IMAP ({readable(said, 100)}).", cause="bad-reply")
