"""Many messages over one open session, with as many on their way at once as the server takes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from ...errors import MailConnError
from ...message.mime.wire_format import Wire
from .envelope import Envelope
from .errors import LinkLost, MessageTooLarge
from .flight import Flight
from .session import SMTPSession
from .transaction import Fate, Transaction

__all__ = ["Fate", "Posted", "Posting", "post"]


@dataclass(frozen=True)
class Posted:
    """One message that is ready to travel; ``key`` is the caller's own."""

    key: object
    envelope: Envelope
    data: Wire


#: A message, and what became of each of its recipients, by the address.
Told = tuple[Posted, dict[str, Fate]]


def post(
    session: SMTPSession,
    messages: Iterable[Posted | None],
    *,
    window: int = 1,
    cancel: threading.Event | None = None,
) -> Posting:
    """Send the messages over the link of the session; gives each, in order, with its recipients' fates as soon as they are known.

    With a server that offers PIPELINING, the content of one message and the envelope of the next travel together, so one
    round trip goes by for each. With ``window`` over 1, and CHUNKING, so many whole messages are on their way before the
    first is answered; so many can be unknown, then, when the link breaks. Otherwise it is one command at a time.

    A message is taken from ``messages`` when it is about to be written. A None in place of one says that the next is not
    there yet: what is on its way is settled first. What cannot be given to this server is refused without a reply. An
    error of ``messages`` itself is raised once what is on its way has been told.

    Where the session has to open again first, that is tried once, and setting ``cancel`` ends it; what is on its way
    goes on then. Where the link is lost, or the server ends it by a 421, the fates of all that were taken are given
    first, and then :class:`~mailconn_jupyter.session.smtp.errors.LinkLost` is raised. After an interrupt, or when the
    caller stops in the midst, the link is closed, and :meth:`Posting.untold` has the rest.
    """
    return Posting(session, messages, window, cancel)


class Posting(Iterator[Told]):
    """What :func:`post` gives: an iterator for one thread. Nothing else can be sent over the session before its end."""

    def __init__(
        self,
        session: SMTPSession,
        messages: Iterable[Posted | None],
        window: int,
        cancel: threading.Event | None,
    ) -> None:
        self._post = _Post(session, iter(messages))
        self._told = _run(self._post, window, cancel)

    def __next__(self) -> Told:
        return next(self._told)

    def close(self) -> None:
        """End it, and close the link where messages are on their way."""
        self._told.close()

    def untold(self) -> list[Told]:
        """Once it has ended: the messages that were taken and not given, with their fates.

        The last one that was given is among them: an interrupt may have kept the caller from seeing it.
        """
        return [(posted, self._post.fates(state)) for posted, state in self._post.taken]


class _Post:
    """What was taken from the caller and not told yet, each with its state, or its fates where they are known."""

    def __init__(self, session: SMTPSession, messages: Iterator[Posted | None]) -> None:
        self.session, self.messages = session, messages
        self.taken: deque[tuple[Posted, Transaction | dict[str, Fate]]] = deque()
        self.flight: Flight | None = None
        self.why = "It was interrupted."

    def transactions(self) -> Iterator[Transaction | None]:
        for posted in self.messages:
            if posted is None:
                yield None
                continue
            try:
                one = Transaction(self.session.link, posted.envelope, posted.data)
            except MailConnError as error:
                reply = error.reply if isinstance(error, MessageTooLarge) else None
                names = [str(each.address) for each in posted.envelope.recipients]
                self.taken.append((posted, dict.fromkeys(names, Fate("refused", reply, error.message))))
                yield None
            else:
                self.taken.append((posted, one))
                yield one

    def fates(self, state: Transaction | dict[str, Fate]) -> dict[str, Fate]:
        if isinstance(state, dict) or self.flight is None:
            return state if isinstance(state, dict) else {}
        channel = self.flight.channel
        return state.fates(why=self.why, handed=channel.handed, another=channel.forked)

    def settle(self) -> bool:
        """Have the fates of the oldest one known; whether there is one."""
        assert self.flight is not None
        while not self.taken or isinstance(self.taken[0][1], Transaction):
            one = self.flight.settle()
            if one is None:
                if self.flight.exhausted and not self.taken:
                    return False
                continue
            at = next(at for at, (_, state) in enumerate(self.taken) if state is one)
            self.taken[at] = self.taken[at][0], one.fates()
        return True


def _run(posting: _Post, window: int, cancel: threading.Event | None) -> Generator[Told, None, None]:
    session = posting.session
    with session.turn(cancel=cancel, patient=False):
        posting.flight = flight = Flight(
            session.link, posting.transactions(), window=max(1, window), chunking=window > 1
        )
        session.posting = True
    lost: LinkLost | None = None
    try:
        while True:
            try:
                if not posting.settle():
                    break
            except LinkLost as error:
                lost, posting.why = error, error.message
                break
            posted, state = posting.taken[0]
            yield posted, posting.fates(state)
            posting.taken.popleft()
        while posting.taken:
            posted, state = posting.taken[0]
            yield posted, posting.fates(state)
            posting.taken.popleft()
    finally:
        if not flight.channel.forked:
            session.posting = False
        if flight.queue and session.link.sock is flight.channel:
            # What the server says of them would be taken for the answers to something else.
            session.link.close()
    failure = lost or flight.failure
    if failure is not None:
        raise failure
