"""Reading by POP3: the server cannot search, so headers are compared here, before a body is fetched."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from ..message.incoming.header import end_of_header
from ..message.incoming.parsed import ParsedMessage
from ..session.pop3.errors import Refused
from ..session.pop3.numbered_lines import is_number, numbered_lines
from ..session.pop3.session import POP3Session
from .portions import Reading, batches

__all__ = ["read"]

_HEADERS: Final = 64
_BODIES: Final = 32
# Where several are on their way at once (PIPELINING), the next ones are asked for until a portion has come.
_PIPELINED: Final = 500
# TOP with more lines than any message has: all of it, and unlike RETR it marks nothing as read on a server that also has
# IMAP. It is what fetchmail does to keep messages unseen.
_ALL_LINES: Final = 99_999_999


def read(session: POP3Session, reading: Reading) -> Generator[ParsedMessage, None, None]:
    """The messages, newest first: by their numbers, the highest of which is the last that arrived."""
    mailbox = _Mailbox(session)
    numbers = sorted(mailbox.sizes, reverse=True)
    if not numbers:
        return
    selection = reading.selection
    filtered = selection.of_header or selection.of_body
    if selection.larger is not None:
        numbers = [number for number in numbers if mailbox.sizes[number] > selection.larger]
    if not numbers:
        return
    mailbox.try_top(numbers[0])
    # Where the header decides, or is all that is wanted, it comes alone.
    whole = reading.body or selection.of_body
    heads = (selection.of_header or not whole) and mailbox.has_top
    pipelined = "PIPELINING" in session.learn()
    growth = 4 if pipelined else 2
    for batch in batches(
        numbers,
        first=_HEADERS if heads else 1,
        most=_PIPELINED if pipelined else _HEADERS if heads else _BODIES,
        growth=growth,
        size=lambda number: 0 if heads else mailbox.sizes[number],
        wanted=lambda: math.inf if filtered else reading.left,
    ):
        chosen = []
        for number, message in list(mailbox.get(batch, header=heads or not whole, whole=not heads)):
            reading.looked_at((reading.looked + 1) / len(numbers))
            if not selection.matches(message):
                continue
            if heads and whole and (selection.sought is None or selection.sought.whole(message)):
                chosen.append(number)
            elif not message.complete or selection.holds(message):
                yield message if reading.body or not message.complete else message.without_body()
        for part in batches(chosen, first=1, most=_BODIES, size=mailbox.sizes.__getitem__, wanted=lambda: reading.left):
            for _, message in list(mailbox.get(part, header=False, whole=True)):
                if selection.holds(message):
                    yield message if reading.body else message.without_body()


class _Mailbox:
    """What the server keeps: the size of each message, and its unique id where the server has them (UIDL)."""

    def __init__(self, session: POP3Session) -> None:
        self._session = session
        self.sizes = {number: int(size) for number, size in numbered_lines(session.list()[1]) if is_number(size)}
        self._ids = dict(self._unique_ids())
        self.has_top = False

    def _unique_ids(self) -> Iterator[tuple[int, str]]:
        try:
            yield from numbered_lines(self._session.uidl()[1])
        except Refused:
            # RFC 1939, 7: it is optional.
            return

    def try_top(self, number: int) -> None:
        """Find out whether the server has TOP, which is optional (RFC 1939, 7); ``number`` is a message to try it with."""
        offered = self._session.learn()
        self.has_top = "TOP" in offered
        if not offered:
            with contextlib.suppress(Refused):
                self._session.top(number, 0)
                self.has_top = True

    def get(self, numbers: Iterable[int], *, header: bool, whole: bool) -> Iterator[tuple[int, ParsedMessage]]:
        """Messages and their numbers, in that order: all of each, or its ``header``, which comes alone unless ``whole``."""
        wanted = list(numbers)
        found: dict[int, bytes | Refused] = {}
        if self.has_top:
            with contextlib.closing(self._answers(wanted, _ALL_LINES if whole else 0)) as answers:
                for number, raw in answers:
                    # Some servers offer TOP and refuse it, cut what it gives, or do not double the dots in it.
                    if isinstance(raw, Refused):
                        if number == wanted[0]:
                            break
                    elif not whole or _is_whole(raw, self.sizes[number]):
                        found[number] = raw[: end_of_header(raw)] if header else raw
        missing = [number for number in wanted if number not in found]
        for number, raw in self._answers(missing, None):
            found[number] = raw[: end_of_header(raw)] if header and isinstance(raw, bytes) else raw
        if missing == wanted and isinstance(found[wanted[0]], bytes):
            self.has_top = False
        for number in wanted:
            raw = found[number]
            if isinstance(raw, Refused):
                yield number, self._message(number, b"", complete=not header, problem=raw.message)
            else:
                yield number, self._message(number, raw, complete=not header)

    def _answers(self, numbers: list[int], lines: int | None) -> Generator[tuple[int, bytes | Refused], None, None]:
        """What the server gives of each message, or why it does not."""
        waiting = numbers
        while waiting:
            done = 0
            try:
                for number, got in self._session.retrieve(waiting, lines, sizes=self.sizes):
                    done += 1
                    yield number, b"".join(line + b"\r\n" for line in got)
                return
            except Refused as error:
                # One that it does not give is no reason to give up the others.
                yield waiting[done], error
                waiting = waiting[done + 1 :]

    def _message(self, number: int, raw: bytes, *, complete: bool, problem: str = "") -> ParsedMessage:
        return ParsedMessage(
            raw,
            uid=self._ids.get(number, ""),
            size=self.sizes[number],
            complete=complete,
            problems=[problem] if problem else [],
        )


def _is_whole(raw: bytes, size: int) -> bool:
    """Whether it is as long as LIST says, where a line end may count once, and the last one not at all."""
    return len(raw) in {size, size + 2} or len(raw) - raw.count(b"\n") >= size
