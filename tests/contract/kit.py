"""What a protocol brings to the fault catalogue: the server's side of its conversation, piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.servers.conversation import Conversation
from tests.servers.steps import Step

__all__ = ["Babble", "Do", "Flood", "ProtocolKit"]


@dataclass(frozen=True)
class Do(Step):
    """Run a piece of the conversation; what it returns does not matter, what it raises ends the script."""

    piece: Callable[[Conversation], object]

    def play(self, talk: Conversation) -> bool:
        self.piece(talk)
        return True


@dataclass(frozen=True)
class Flood(Step):
    """Send very much; that the client hangs up meanwhile is what it is to do."""

    data: bytes

    def play(self, talk: Conversation) -> bool:
        talk.note(f"the server sends {len(self.data)} bytes")
        try:
            talk.send_raw(self.data)
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Babble(Step):
    """Say the same for ever; only that the client hangs up, or the end of the test, ends it."""

    data: bytes
    pause: float = 0.0

    def play(self, talk: Conversation) -> bool:
        talk.note(f"the server says {self.data[:40]!r} for ever")
        try:
            while not talk.pause(self.pause):
                talk.send_raw(self.data)
        except OSError:
            pass
        return False


class ProtocolKit(ABC):
    """The server's side of one protocol. Each method plays its part on a conversation and returns when it is done.

    A method that reads a command raises :class:`~tests.servers.conversation.UnexpectedError` when the client says
    anything else: that is how "nothing more was sent" is seen. A kit may keep what it must repeat (the tag of an IMAP
    command); conversations come one after the other.
    """

    #: As ``MailConnection.protocol``.
    protocol: ClassVar[str]
    #: The class of the standard library that a failed opening must also be.
    error: ClassVar[type[Exception]]
    #: Greetings that are none of this protocol; after each the client must hang up without a word.
    bad_greetings: ClassVar[Sequence[bytes]]
    #: How a greeting begins, to be followed by any text and a line end.
    greeting_start: ClassVar[bytes]
    #: How a challenge begins, to be followed by its Base64.
    challenge_start: ClassVar[bytes]
    #: Whether ``connect()`` asks something last, too; where it asks nothing, ``check()`` alone does.
    connect_asks_last: ClassVar[bool] = True
    #: A line of an answer to :meth:`asked_for_capabilities` after which more lines must come, with its end.
    endless_line: ClassVar[bytes]

    @abstractmethod
    def greet(self, talk: Conversation) -> None:
        """Send the greeting."""

    @abstractmethod
    def asked_for_capabilities(self, talk: Conversation) -> None:
        """Read the client's question for the capabilities."""

    @abstractmethod
    def tell_capabilities(self, talk: Conversation, *, starttls: bool, mechanisms: Sequence[str]) -> None:
        """Answer it."""

    @abstractmethod
    def asked_for_tls(self, talk: Conversation) -> None:
        """Read the command that begins TLS."""

    @abstractmethod
    def go_ahead(self, talk: Conversation, also: bytes = b"") -> None:
        """Agree to TLS; ``also`` follows in the same segment."""

    @abstractmethod
    def refuse_tls(self, talk: Conversation) -> None:
        """Refuse TLS although it was offered."""

    @abstractmethod
    def injection(self) -> bytes:
        """A reply that nobody asked for, such as an attacker slips in before the handshake."""

    @abstractmethod
    def login(self, talk: Conversation, mechanism: str) -> bytes:
        """Read the command that logs in by this mechanism, and the client's first message, asked for where needed."""

    @abstractmethod
    def asked_to_log_in(self, talk: Conversation) -> None:
        """Read the command that begins a login, whichever it is, and answer nothing."""

    @abstractmethod
    def challenge(self, talk: Conversation, data: bytes) -> bytes | None:
        """Send a challenge; returns the client's answer, None where it calls the exchange off."""

    @abstractmethod
    def accept(self, talk: Conversation) -> None:
        """Say that the login succeeded."""

    @abstractmethod
    def refuse(self, talk: Conversation) -> None:
        """Say that the login failed, or that it was called off."""

    @abstractmethod
    def asked_whether_ready(self, talk: Conversation) -> None:
        """Read what the client asks last, before its session is open (``connect()`` only as the kit says)."""

    @abstractmethod
    def ready(self, talk: Conversation) -> None:
        """Answer it."""

    @abstractmethod
    def farewell(self, talk: Conversation) -> None:
        """Read the client's farewell and answer it."""

    # Pieces put together

    def offer(self, *mechanisms: str, starttls: bool = False) -> list[Step]:
        """Greet, be asked for the capabilities, and tell them."""
        return [Do(self.greet), *self.tell(*mechanisms, starttls=starttls)]

    def tell(self, *mechanisms: str, starttls: bool = False) -> list[Step]:
        """Be asked for the capabilities, and tell them."""
        return [
            Do(self.asked_for_capabilities),
            Do(lambda talk: self.tell_capabilities(talk, starttls=starttls, mechanisms=mechanisms)),
        ]
