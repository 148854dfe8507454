"""Messages of an IMAP server, a portion on its way while the one before it is handed over."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from ..errors import MailConnError
from ..session.imap.errors import Refused
from ..session.imap.fetches_ahead import Asked, FetchesAhead
from ..session.imap.folders import same_folder
from ..session.imap.search import sequence_set
from ..session.imap.session import IMAPSession
from .fetched import Fetched, Records
from .portions import MOST_AHEAD, Reading, batches

__all__ = ["ReadAhead", "require_folder"]

# Messages of one FETCH. Its command must stay under the 8192 bytes that servers take (RFC 7162, 4).
_FIRST_LIST: Final = 50
_LIST: Final = 500
# Headers with the signatures of all who passed them on have some kilobytes each.
_HEADERS: Final = 200
_ABOUT: Final = "UID FLAGS RFC822.SIZE"
# Bytes of a message that are asked for before its size is known.
_BEGINNING: Final = 2**18
_IN_FLIGHT: Final = 2
# Who takes more seconds over a message is not in haste, and a server would wait for what is asked ahead to be read.
_HASTE: Final = 1.0


@dataclass
class _Portion:
    """Messages of one FETCH, and their bytes together, as far as these are known."""

    uids: list[int]
    parts: str
    size: int = 0
    #: Whether what is missing of them will be asked for.
    only_begun: bool = False


class ReadAhead:
    """Reads messages by their UIDs, in the order in which these are given; one that is gone meanwhile is left out.

    ``wanted`` tells how many are still of use. What was asked for and what was read are some megabytes together, or one
    message. A limit is taken for haste; without one the first message is handed over before others are asked for.
    """

    def __init__(self, session: IMAPSession, reading: Reading, wanted: Callable[[], float]) -> None:
        self._session, self._reading, self._wanted = session, reading, wanted
        self._records = Records()
        self._fetches = FetchesAhead(session.client, self._records.add, self._records.moved)
        self._hurried = 1 < reading.left < math.inf

    def headers(self, uids: Iterable[int]) -> Iterator[list[Fetched]]:
        """Their headers alone, in portions."""
        first = _HEADERS if self._hurried else _FIRST_LIST
        portions = batches(uids, first=first, most=_HEADERS, wanted=self._wanted)
        yield from self._paced(_Line(self, (_Portion(each, f"({_ABOUT} BODY.PEEK[HEADER])") for each in portions)))

    def whole(self, uids: Iterable[int]) -> Iterator[list[Fetched]]:
        """All of each, in portions; the sizes of the next ones are asked for with the first."""
        rest = iter(uids)
        newest = [] if self._hurried else list(islice(rest, 1))
        beginning = f"({_ABOUT} BODY.PEEK[]<0.{min(_BEGINNING, self._reading.most)}>)"
        begun = self.ask(_Portion(newest, beginning, only_begun=True)) if newest else None
        lists = batches(rest, first=_LIST if self._hurried else _FIRST_LIST, most=_LIST, growth=4, wanted=self._wanted)
        listed = _Line(self, (_Portion(each, f"({_ABOUT})") for each in lists), most=1)
        if self._wanted() > len(newest):
            listed.fill()
        again: list[int] = []
        if begun is not None:
            found = self.answer(*begun)
            again = [uid for uid in found if self._is_cut(uid)]
            yield from self._paced([[uid for uid in found if uid not in again]])
        sized = chain(again, (uid for found in listed for uid in found))
        portions = batches(
            sized,
            first=16 if self._hurried else 4,
            most=_LIST,
            growth=4,
            size=self._size,
            most_bytes=MOST_AHEAD // (_IN_FLIGHT + 1),
            wanted=self._wanted,
        )
        yield from self._paced(_Line(self, map(self._bodies, portions)))

    def with_files(self, uids: Iterable[int]) -> Iterator[int]:
        """Those with a file beside their text; what a message consists of, a server tells without its body."""
        portions = batches(uids, first=_FIRST_LIST, most=_LIST, growth=4)
        for found in _Line(self, (_Portion(each, "(UID BODYSTRUCTURE)") for each in portions)):
            for uid in found:
                if self._records.by_uid[uid].has_file:
                    yield uid
                else:
                    self._records.take(uid)

    def arrivals(self, uids: list[int]) -> dict[int, str]:
        """When these came into the mailbox, in the server's words, where it says so."""
        portion = _Portion(uids, "(UID INTERNALDATE)")
        self._answer_each(portion, self.ask(portion)[1])
        found = {uid: self._records.take(uid) for uid in uids}
        return {uid: one.arrived for uid, one in found.items() if one is not None and one.arrived is not None}

    def close(self) -> None:
        """Keep nothing of what is still to come."""
        self._records.forget()

    def _paced(self, portions: Iterable[list[int]]) -> Iterator[list[Fetched]]:
        """What is known of them, handed over; it is seen how long that takes."""
        for uids in portions:
            taken = [one for uid in uids if (one := self._records.take(uid)) is not None]
            started = time.monotonic()
            yield taken
            if taken:
                self._hurried = time.monotonic() - started <= _HASTE * len(taken)

    def _size(self, uid: int) -> int:
        return min(self._records.by_uid[uid].size or 0, self._reading.most)

    def _is_cut(self, uid: int) -> bool:
        """Whether all of it must be asked for: only its beginning came, or nothing, as where a server gives no parts."""
        one = self._records.by_uid[uid]
        came = -1 if one.raw is None else len(one.raw)
        whole = came > _BEGINNING or came in {one.size, self._reading.most}
        whole = whole or (came != _BEGINNING and came > (one.size or -1))
        if not whole:
            self._records.by_uid[uid] = one._replace(raw=None, refusal=None)
        return not whole

    def _bodies(self, uids: list[int]) -> _Portion:
        # Of one that is too large for the memory, or for what is looked for in it, only the beginning.
        most = self._reading.most
        cut = max(self._records.by_uid[uid].size or 0 for uid in uids) > most
        return _Portion(uids, f"(UID BODY.PEEK[]{f'<0.{most}>' if cut else ''})", sum(map(self._size, uids)))

    # What a line of portions needs

    def ask(self, portion: _Portion) -> tuple[_Portion, Asked]:
        """Send it; raises where the session has left the folder."""
        require_folder(self._session, self._reading)
        self._records.asked.update(portion.uids)
        return portion, self._fetches.ask(sequence_set(portion.uids), portion.parts)

    def answer(self, portion: _Portion, asked: Asked) -> list[int]:
        """The messages that the server gives of it, or refuses; if it refuses all of several, that is raised."""
        self._answer_each(portion, asked)
        records, peeks = self._records, "PEEK" in portion.parts
        found = {uid: records.by_uid[uid] for uid in portion.uids if uid in records.by_uid}
        refused = [one.refusal for one in found.values() if one.refusal and not (peeks and one.raw is not None)]
        if refused and len(refused) == len(found) > 1:
            raise refused[0]
        if peeks and "EXPUNGE" in self._session.client.untagged_responses:
            # A server may give an empty message for one that is gone (RFC 2180, 4.1).
            found = {uid: one for uid, one in found.items() if one.raw or one.refusal or portion.only_begun}
        for uid in portion.uids:
            if uid not in found:
                records.take(uid)
        return list(found)

    def _answer_each(self, portion: _Portion, asked: Asked) -> None:
        """The same, each refusal with its message: where one of many cannot be had, servers refuse the whole, or the rest."""
        uids, records = portion.uids, self._records
        require_folder(self._session, self._reading)
        try:
            self._fetches.finish(asked)
        except Refused as error:
            if error.code == "EXPUNGEISSUED":
                return
            # News of a flag that somebody changed has no body.
            missing = [
                uid
                for uid in uids
                if uid not in records.by_uid or ("PEEK" in portion.parts and records.by_uid[uid].raw is None)
            ]
            if len(uids) == 1:
                for uid in missing:
                    records.by_uid[uid] = records.by_uid.get(uid, Fetched(uid)).updated(Fetched(refusal=error))
                return
            half = (len(missing) + 1) // 2
            for some in filter(None, (missing[:half], missing[half:])):
                self._answer_each(*self.ask(_Portion(some, portion.parts)))

    def may_ask(self, count: int) -> bool:
        """Whether more are of use beside so many."""
        return not count or (self._hurried and self._wanted() > count)


class _Line:
    """Portions one after the other, as lists of the messages in each that there are; the next ones are in flight."""

    def __init__(self, ahead: ReadAhead, portions: Iterator[_Portion], most: int = _IN_FLIGHT) -> None:
        self._ahead, self._portions, self._most = ahead, portions, most
        self._flying: deque[tuple[_Portion, Asked]] = deque()
        self._next: _Portion | None = None

    def fill(self, held: int = 0, size: int = 0) -> None:
        """Ask for as many as may be in flight, beside so many messages, of so many bytes, that are not handed over yet."""
        while len(self._flying) < self._most:
            count = held + sum(len(portion.uids) for portion, _ in self._flying)
            if not self._ahead.may_ask(count):
                return
            self._next = self._next or next(self._portions, None)
            if self._next is None:
                return
            ahead = size + sum(portion.size for portion, _ in self._flying)
            if ahead and ahead + self._next.size > MOST_AHEAD:
                return
            self._flying.append(self._ahead.ask(self._next))
            self._next = None

    def __iter__(self) -> Iterator[list[int]]:
        while True:
            self.fill()
            if not self._flying:
                return
            portion, asked = self._flying.popleft()
            found = self._ahead.answer(portion, asked)
            self.fill(len(found), portion.size)
            yield found


def require_folder(session: IMAPSession, reading: Reading) -> None:
    """Raise when somebody has selected another folder meanwhile: the UIDs would mean other messages there."""
    now = session.folder.get()
    if now is None or not same_folder(now, reading.folder):
        raise MailConnError(
            f"The session has left the folder {reading.folder!r} while its messages were read.",
            hint="Use another session for another folder.",
        )
