"""The steps of a script: what the server says, and what it waits to hear."""

from __future__ import annotations

import re
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tests.servers.conversation import Conversation, UnexpectedError


class Step(ABC):
    """One step of a script."""

    @abstractmethod
    def play(self, talk: Conversation) -> bool:
        """Do it; return whether the script goes on."""


@dataclass(frozen=True)
class Send(Step):
    """Send bytes as they are."""

    data: bytes

    def play(self, talk: Conversation) -> bool:
        talk.send(self.data)
        return True


@dataclass(frozen=True)
class Expect(Step):
    """Wait for a line that the regular expression matches whole, without its line end."""

    pattern: bytes

    def play(self, talk: Conversation) -> bool:
        line = talk.line()
        if not re.fullmatch(self.pattern, line):
            raise UnexpectedError(f"the script expects {self.pattern!r}, the client sent {line!r}")
        return True


@dataclass(frozen=True)
class ExpectUntil(Step):
    """Wait for bytes of any number of lines up to and with a terminator, as after DATA."""

    terminator: bytes = b"\r\n.\r\n"

    def play(self, talk: Conversation) -> bool:
        talk.until(self.terminator)
        return True


@dataclass(frozen=True)
class ExpectBytes(Step):
    """Wait for a number of bytes, as after BDAT or for an IMAP literal."""

    count: int

    def play(self, talk: Conversation) -> bool:
        talk.exactly(self.count)
        return True


@dataclass(frozen=True)
class StartTLS(Step):
    """Shake hands for TLS; with *refused* the client must break off, and the script ends there."""

    context: ssl.SSLContext
    refused: bool = False

    def play(self, talk: Conversation) -> bool:
        try:
            talk.start_tls(self.context)
        except OSError as error:
            if not self.refused:
                raise UnexpectedError(f"the TLS handshake failed: {error!r}") from error
            talk.note("the client refused TLS")
            return False
        if self.refused:
            raise UnexpectedError("the client accepted TLS")
        return True


@dataclass(frozen=True)
class Close(Step):
    """Hang up; with *reset* the client sees ECONNRESET in place of the end."""

    reset: bool = False

    def play(self, talk: Conversation) -> bool:
        talk.note("the server hangs up")
        talk.close(reset=self.reset)
        return False


@dataclass(frozen=True)
class Silence(Step):
    """Answer nothing, and record what the client sends, until it closes or *seconds* passed.

    As the last step it means: from here on the client may say what it likes.
    """

    seconds: float = 30.0

    def play(self, talk: Conversation) -> bool:
        return not talk.rest(self.seconds)


@dataclass(frozen=True)
class Pause(Step):
    """Wait without reading."""

    seconds: float

    def play(self, talk: Conversation) -> bool:
        return not talk.pause(self.seconds)


@dataclass(frozen=True)
class Dribble(Step):
    """Send one byte every *interval* seconds, until the client closes or the test is over."""

    data: bytes
    interval: float = 1.0

    def play(self, talk: Conversation) -> bool:
        talk.note(f"the server dribbles {len(self.data)} bytes")
        for byte in self.data:
            try:
                talk.send_raw(bytes([byte]))
            except OSError:
                # Losing patience is what the client is to do.
                return False
            if talk.pause(self.interval):
                return False
        return True
