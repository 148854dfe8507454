"""A plain connection to an SMTP server: commands out, replies in, and what the server offers (RFC 5321)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from ...message.mime.wire_format import Wire
from ...secret import STARS
from ...transport.channel import Channel
from ...transport.dial import a_label
from ...transport.tls import TLSPolicy
from ...transport.transport_errors import TransportError, readable
from ..line_arguments import UnsafeArgument, breaks_a_line
from ..transcript import Transcript
from .ehlo import features
from .errors import GreetingRefused, LinkLost, NotOffered, Refused, ReplyTooLong, greeting_cause
from .helo_name import literal_of
from .reply import Reply

__all__ = ["CLOSING", "Command", "Reply", "SMTPConnection"]

#: What a server answers to any command when it ends the session (RFC 5321, 3.8).
CLOSING = 421

_LONGEST_LINE = 8192  # what smtplib takes; RFC 5321 asks for 512
_MOST_LINES = 1000  # of one reply; EHLO of large servers has some 20
_TOGETHER = 65536  # bytes that are sent at once
_NUMBER = re.compile("[0-9]{1,18}")  # a server can say what it likes there, also digits that int() does not take


@dataclass(frozen=True)
class Command:
    """A line for the server, without its end; ``shown`` stands for it in the transcript."""

    line: bytes
    shown: str = ""


class SMTPConnection:
    """One link to a server, and what it has said of itself.

    To write commands and to read the replies are two things, so that several commands can be in flight (RFC 2920): a
    reply is of the oldest command that has none yet. Whatever comes in beyond the replies that are awaited ends the
    link, except a 421: it would be taken for the answer to another command.

    ``name`` is what EHLO says, by default this end's address in brackets. ``features`` are the extensions that EHLO told,
    lower-case keyword to parameters. ``transcript`` is the conversation, with stars for secrets, and for a message a
    count of bytes.
    """

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.debuglevel = 0
        #: None where there is no link.
        self.sock: Channel | None = None
        #: The name that a certificate must bear.
        self.host = ""
        self.plain_allowed = False
        self.logged_in = False
        #: Seconds for the reply to a whole message.
        self.message_patience = 60.0
        #: When the last reply came, by the monotonic clock.
        self.last_reply = time.monotonic()
        #: Within a login: what is shown of a reply, for some servers repeat in an error what was sent.
        self.hide: Callable[[bytes], bytes] | None = None
        self._name = self._literal = ""
        self._awaited = 0
        self._last = b""  # the code of the last reply
        self._broken: OSError | None = None
        self.forget()

    # The link

    def attach(self, channel: Channel, host: str) -> None:
        """Speak over this channel from now on; the greeting has not been read yet."""
        self.sock, self.host = channel, host
        # The client's address stands for its name where that is not known to be right.
        self._literal = literal_of(str(channel.getsockname()[0]))
        self._awaited, self._last, self._broken = 1, b"", None
        self.logged_in = False
        self.forget()

    def forget(self) -> None:
        """Drop what the server has told of itself: before TLS anybody could have told it."""
        self.ehlo_text: bytes | None = None
        self.helo_text: bytes | None = None
        self.features: dict[str, str] = {}
        self.esmtp = False

    @property
    def name(self) -> str:
        return self._name or self._literal

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def named(self) -> bool:
        """Whether somebody has given it a name."""
        return bool(self._name)

    @property
    def channel(self) -> Channel:
        """The channel; raises when the link is closed."""
        if self.sock is None:
            raise LinkLost("The session is closed.", cause="closed", hint="Open it again: mailconn.connect(...)")
        return self.sock

    def close(self) -> None:
        """Close the link at once, without a farewell; from another thread, too, whatever this one waits for."""
        sock, self.sock = self.sock, None
        self.forget()
        if sock is not None:
            sock.close()

    def lost(self, error: OSError) -> NoReturn:
        """Close the link, for what follows on it could be anything, and raise what happened."""
        self.close()
        if isinstance(error, TransportError):
            kind = ReplyTooLong if error.cause == "too-long" else LinkLost
            raise kind(error.message, cause=error.cause, hint=error.hint) from error
        raise LinkLost(f"The link broke ({error}).", cause="closed") from error

    # The conversation

    def write(self, *commands: Command) -> None:
        """Send commands at once, without waiting for the reply to any."""
        shown = [command.shown or self._shown(command.line) for command in commands]
        self._send(self.lines_of(commands), shown, len(commands))

    def lines_of(self, commands: Iterable[Command]) -> bytes:
        """The commands as they travel; raises for one that would be two."""
        for command in commands:
            if breaks_a_line(command.line):
                words = command.shown or self._shown(command.line)
                raise UnsafeArgument(
                    f"A command and its arguments contain prohibited newline characters: {repr(words)[1:-1]}",
                    hint="Nothing was sent.",
                )
        return b"".join(command.line + b"\r\n" for command in commands)

    def write_raw(self, data: bytes) -> None:
        """Send bytes as they are; each whole line counts as a command, all that follows a go-ahead to DATA as one."""
        content = self._last == b"354"
        self._send(data, [self._shown(data)], int(not self._awaited) if content else data.count(b"\n"))

    def write_content(self, content: Wire) -> None:
        """Send what follows DATA; nothing may be in flight."""
        self.expect_nothing()
        self._send(content, [f"(the message, {len(content)} bytes)"], 1)

    def expect_nothing(self) -> None:
        """Make sure that the server has said nothing to a message that it is still to have."""
        if unasked := self._unasked(self.channel):
            # It cannot be about it, but would be taken for the answer to it.
            words = readable(unasked, 60)
            self.lost(TransportError(f"The server replied before it had the message: {words!r}.", cause="bad-reply"))

    def expect_no_more(self) -> None:
        """Make sure that the server has said no more than it was asked; a 421 it may say at any time."""
        unasked = self._unasked(self.channel)
        if unasked and not unasked.startswith(str(CLOSING).encode()):
            words = readable(unasked, 60)
            self.lost(TransportError(f"The server spoke out of turn: {words!r}.", cause="bad-reply"))

    def launch(self, blocks: Iterable[bytes], shown: Iterable[str], awaited: int) -> None:
        """Send whole commands and contents that so many replies are to come to; the server may still be busy with others.

        Where the link breaks meanwhile nothing is raised: what the server said before is still to be read, and then
        :meth:`read_reply` tells what happened.
        """
        self._send(blocks, shown, awaited, still_read=True)

    def _send(
        self, data: bytes | Iterable[bytes], shown: Iterable[str], awaited: int, *, still_read: bool = False
    ) -> None:
        channel = self.channel
        self.expect_no_more()
        for words in shown:
            self._note("C", words)
        self._awaited += awaited
        try:
            for block in (data,) if isinstance(data, bytes) else _gathered(data):
                channel.sendall(block)
        except OSError as error:
            if not still_read or channel.closed:
                self.lost(error)
            self._broken = error
            channel.read_no_more()
        except BaseException:
            # Half of it is on its way: what follows would be read as its rest.
            self.close()
            raise

    def _unasked(self, channel: Channel) -> bytes:
        """What has come in beyond the replies that are awaited."""
        said, start = channel.buffered(), 0
        # Each of them has a line at least.
        if said.count(b"\n") < self._awaited:
            return b""
        for _ in range(self._awaited):
            while True:
                end = said.find(b"\n", start)
                if end < 0:
                    return b""
                more, start = said[start + 3 : start + 4] == b"-", end + 1
                if not more:
                    break
        return said[start:]

    def read_reply(self, patience: float | None = None) -> Reply:
        """The next reply, which must be whole after ``patience`` seconds (by default the channel's timeout).

        Raises when it is none (RFC 5321, 4.2.1: all its lines have one code), or longer than any server's.
        """
        channel = self.channel
        channel.begin_answer(patience)
        lines: list[bytes] = []
        code = b""
        while True:
            try:
                line = channel.readline(_LONGEST_LINE)
            except OSError as error:
                self.lost(error)
            except BaseException:
                # Interrupted: the reply that is still to come would be taken for the answer to something else.
                self.close()
                raise
            challenge = line.startswith(b"334")
            if self.hide is not None and not challenge:
                line = self.hide(line)
            # With the challenges of SCRAM, a password could be guessed at leisure.
            self._note("S", f"334 {STARS}" if challenge else line)
            if not line.endswith(b"\n"):
                self.lost(self._broken or TransportError("The server closed the link.", cause="closed"))
            if not line[:3].isdigit() or line[3:4] not in b" -\r\n" or not line.startswith(code):
                said = readable(line, 60)
                self.lost(TransportError(f"The server's reply is not valid SMTP: {said!r}.", cause="bad-reply"))
            code = line[:3]
            lines.append(line[4:].strip(b" \t\r\n"))
            if line[3:4] != b"-":
                break
            if len(lines) >= _MOST_LINES:
                self.lost(TransportError(f"A reply has more than {_MOST_LINES} lines.", cause="too-long"))
        self.last_reply = time.monotonic()
        self._awaited, self._last = max(0, self._awaited - 1), code
        return Reply.of(int(code), b"\n".join(lines))

    def command(self, line: str | bytes) -> Reply:
        """Send one command, and return the reply to it."""
        self.write(Command(line.encode() if isinstance(line, str) else line))
        return self.read_reply()

    def _shown(self, line: bytes) -> str:
        # Also where somebody drives smtplib's own auth(): the answer to a challenge is never shown.
        verb, *rest = line.split(None, 2) or [b""]
        if self._last == b"334":
            return STARS
        if verb.upper() == b"AUTH" and len(rest) > 1:
            return f"AUTH {readable(rest[0])} {STARS}"
        return line.decode("utf-8", "replace")

    def _note(self, who: str, said: bytes | str) -> None:
        self.transcript.note(who, said, aloud=self.debuglevel > 0)

    # What the server tells of itself

    def read_greeting(self) -> None:
        """Read the greeting; raises when it is none, or says no."""
        try:
            reply = self.read_reply()
        except LinkLost as error:
            if error.cause in {"bad-reply", "too-long"}:
                what = f"The server's greeting is malformed. {error.message}"
                raise TransportError(what, cause="bad-greeting") from error
            raise
        if reply.code != 220:
            raise GreetingRefused("The server turned this client away", reply, cause=greeting_cause(reply))

    def ehlo(self, name: str = "", verb: str = "ehlo") -> Reply:
        """Introduce this side, and learn what the server offers."""
        self.forget()
        reply = self.command(f"{verb} {name or self.name}")
        if reply.positive:
            self.ehlo_text, self.esmtp = reply.text, True
            self.features = features(reply.lines[1:])
        return reply

    def helo(self, name: str = "") -> Reply:
        """Introduce this side to a server that knows no extensions."""
        reply = self.command(f"helo {name or self.name}")
        self.helo_text = reply.text if reply.positive else None
        return reply

    def mechanisms(self) -> list[str]:
        """The SASL mechanisms that the server offers now."""
        return self.features.get("auth", "").split()

    @property
    def size_limit(self) -> int:
        """Bytes of the largest message that the server takes (RFC 1870); 0 when it does not say."""
        said = self.features.get("size", "")
        return int(said) if _NUMBER.fullmatch(said) else 0

    def request_tls(self) -> Reply:
        """Have the server agree to STARTTLS; the next byte is the handshake's."""
        if "starttls" not in self.features:
            raise NotOffered(
                "The server does not offer STARTTLS, so the link would stay plain text.",
                stage="secure",
                cause="no-starttls",
            )
        reply = self.command("STARTTLS")
        if reply.code != 220:
            raise Refused("The server offers STARTTLS, but refused it", reply, cause="starttls-refused")
        return reply

    def start_tls(self, policy: TLSPolicy) -> None:
        """Shake hands for TLS, and forget what was told before."""
        try:
            self.channel.start_tls(policy, a_label(self.host))
        except TransportError as error:
            self.lost(error)
        self.forget()

    def quit(self) -> Reply:
        """Say farewell and close. What was sent is the server's already, so its answer is not awaited for long."""
        channel = self.channel
        channel.begin_farewell()
        try:
            return self.command("quit")
        finally:
            self.close()


def _gathered(blocks: Iterable[bytes]) -> Iterator[bytes | bytearray]:
    """The same bytes, small blocks put together: each would travel alone, and as a record of its own in TLS."""
    held = bytearray()
    for block in blocks:
        if len(held) + len(block) > _TOGETHER and held:
            yield held
            held = bytearray()
        if len(block) < _TOGETHER:
            held += block
        else:
            yield block
    if held:
        yield held
