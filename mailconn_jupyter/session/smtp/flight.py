"""Messages on their way: one command at a time, or as many as the server takes at once (RFC 2920, RFC 3030).

With PIPELINING ``RSET``, ``MAIL``, each ``RCPT`` and ``DATA`` travel together, and with them the content of the message
before. RSET heads each group: without it a transaction whose recipients were all refused stays open at Postfix, the next
MAIL is refused, its RCPT joins the old one, and the dot after that delivers an empty message. With CHUNKING too, a content
follows its own envelope at once, as ``BDAT``.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from ...message.mime.wire_format import Wire
from ...transport.transport_errors import TransportError
from .connection import Command, SMTPConnection
from .errors import LinkLost, ServerClosing
from .reply import Reply
from .transaction import Slot, Transaction

__all__ = ["Flight"]

_LARGE = 256 * 1024  # bytes of a content that does not leave before its recipients are taken
_RSET, _DATA = Command(b"rset"), Command(b"DATA")


class Flight:
    """The messages of ``source`` on their way over one link; ``queue`` are those that were taken from it, in order.

    ``window`` is the most messages that are on their way by BDAT (``chunking``) without a reply; with DATA it is one, and
    the envelope of the next. A None of the source is "none now": those that are on their way come first.
    """

    def __init__(
        self, link: SMTPConnection, source: Iterator[Transaction | None], *, window: int = 1, chunking: bool = True
    ) -> None:
        self.link, self.channel = link, link.channel
        self.queue: deque[Transaction] = deque()
        self.exhausted = False
        #: What the source raised; those that are on their way come first.
        self.failure: Exception | None = None
        #: Whether several commands travel together.
        self.grouped = "pipelining" in link.features
        self._source = source
        self._chunking = chunking and self.grouped and "chunking" in link.features
        self._window = window if self._chunking else 1 + self.grouped
        # The last of the queue, where its content waits for the replies to its envelope.
        self._held: Transaction | None = None
        # What is to be sent before the next reply is awaited: its blocks and bytes, how it is shown, how many replies.
        self._blocks: list[Iterable[bytes]] = []
        self._size = 0
        self._shown: list[str] = []
        self._replies = 0

    def settle(self) -> Transaction | None:
        """Take the oldest message out of the queue once all is said of it; None where none is on its way.

        Raises :class:`~mailconn_jupyter.session.smtp.errors.LinkLost` where the link is lost, or the server ends it; the
        queue is then as it was.
        """
        self._fill()
        if not self.queue:
            return None
        one = self.queue[0]
        if self.grouped:
            self._hear_group(one)
        else:
            self._held = None
            self._one_at_a_time(one)
        self.queue.popleft()
        return one

    # Out

    def _fill(self) -> None:
        while self._held is None and not self.exhausted and len(self.queue) < self._window:
            try:
                one = next(self._source)
            except StopIteration:
                self.exhausted = True
                return
            except Exception as error:  # noqa: BLE001  # raised once the others have arrived
                self.exhausted, self.failure = True, error
                return
            if one is None:
                return
            self.queue.append(one)
            if self.grouped:
                self._put_commands(_RSET, one.mail, *one.rcpts, *([] if self._chunking else [_DATA]))
            if not self._chunking or len(one.data) > _LARGE:
                self._held = one
            else:
                self._put_content(one, one.data)

    def _put_commands(self, *commands: Command) -> None:
        lines = self.link.lines_of(commands)
        self._put([lines], len(lines), lines.decode().splitlines(), len(commands))

    def _put_content(self, one: Transaction, data: Wire) -> None:
        content = data.ended() if self._chunking else data.stuffed()
        size = len(content)
        command = f"BDAT {size} LAST\r\n" if self._chunking else ""
        shown = [*command.splitlines(), f"(the message, {size} bytes)"]
        self._put(chain([command.encode()], content), len(command) + size, shown, 1)
        one.end = self.channel.handed + self._size

    def _put(self, blocks: Iterable[bytes], size: int, shown: Iterable[str], replies: int) -> None:
        self._blocks.append(blocks)
        self._size += size
        self._shown += shown
        self._replies += replies

    # In

    def _hear(self, one: Transaction, slot: Slot, patience: float | None = None) -> Reply:
        if self.link.sock is not self.channel:
            error = self.channel.closed_here()
            raise LinkLost(error.message, cause=error.cause, hint=error.hint)
        if self._replies:
            blocks, shown, replies = chain.from_iterable(self._blocks), self._shown, self._replies
            self._blocks, self._size, self._shown, self._replies = [], 0, [], 0
            self.link.launch(blocks, shown, replies)
        reply = self.link.read_reply(patience)
        if slot == "final":
            # One reply too many was taken for the answer to this message.
            self.link.expect_no_more()
        try:
            one.heard(slot, reply)
        except ServerClosing:
            self.link.close()
            raise
        if self.grouped and slot != "go_ahead" and not (reply.positive or reply.temporary or reply.permanent):
            self._out_of_step(reply)
        return reply

    def _hear_group(self, one: Transaction) -> None:
        self._hear(one, "reset")
        self._hear(one, "sender")
        for _ in one.envelope.recipients:
            self._hear(one, "recipients")
        if not self._chunking:
            self._hear(one, "go_ahead")
        if self._held is one:
            self._held = None
            self._go_on(one)
            # The envelope of the next one goes along.
            self._fill()
        if one.end < math.inf:
            self._hear(one, "final", self.link.message_patience)

    def _go_on(self, one: Transaction) -> None:
        """Send the content, now that its envelope was answered, where somebody is to have it."""
        wanted = one.wanted and not one.sender_refused
        reply = one.go_ahead
        if reply is None:
            if wanted:
                self._put_content(one, one.data)
        elif reply.temporary or reply.permanent:
            return
        elif 300 <= reply.code < 400 and wanted:
            self.link.expect_nothing()
            self._put_content(one, one.data)
        elif 300 <= reply.code < 400 and not one.wanted and one.reset is not None and one.reset.positive:
            # RFC 2920, 3.1: nobody is to have it, and the server waits for the dot that ends it.
            self._put_content(one, Wire())
        else:
            self._out_of_step(reply)

    def _out_of_step(self, reply: Reply) -> None:
        """Give the link up: it cannot be known any more which reply is to what."""
        words = f"The server's replies do not match the commands: {str(reply)[:60]!r}."
        self.link.lost(TransportError(words, cause="bad-reply"))

    def _one_at_a_time(self, one: Transaction) -> None:
        def ask(slot: Slot, command: Command) -> Reply:
            self._put_commands(command)
            return self._hear(one, slot)

        if ask("sender", one.mail).positive:
            for command in one.rcpts:
                ask("recipients", command)
            if one.wanted and 300 <= ask("go_ahead", _DATA).code < 400:
                self.link.expect_nothing()
                self._put_content(one, one.data)
                self._hear(one, "final", self.link.message_patience)
                return
        ask("reset", _RSET)
