"""Reading by IMAP: the server searches, from the newest message on, and what it finds is fetched in portions."""

from __future__ import annotations

import contextlib
import imaplib
import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Final

from ..errors import MailConnError
from ..formatting import how_large
from ..message.incoming.header import end_of_header
from ..message.incoming.parsed import ParsedMessage
from ..message.incoming.sent_date import date_of
from ..session.imap.errors import Refused
from ..session.imap.folders import same_folder
from ..session.imap.search import search, sequence_set
from ..session.imap.session import IMAPSession
from .fetched import Fetched
from .portions import Reading, batches
from .read_ahead import ReadAhead, require_folder
from .selection import Selection

__all__ = ["read"]

# Messages that one SEARCH looks through, at first and at most: its answer stays short, and a limit is soon met.
_FIRST_WINDOW: Final = 1000
_WINDOW: Final = 20_000
# Messages that are looked at before more is read of some, at first and at most, or marked at once.
_FIRST_PORTION: Final = 50
_PORTION: Final = 500


def read(session: IMAPSession, reading: Reading) -> Generator[ParsedMessage, None, None]:
    """The messages, newest first: by their UIDs, which grow in the order of arrival."""
    with _selected(session, reading) as count:
        taken: list[int] = []
        try:
            for message in _messages(session, reading, count):
                taken.append(int(message.uid))
                yield message
                if taken[_PORTION:]:
                    _mark(session, reading, taken)
        finally:
            _mark(session, reading, taken)


def _mark(session: IMAPSession, reading: Reading, taken: list[int]) -> None:
    """Mark as read what was handed over, and only that."""
    if reading.mark_seen and taken and session.client.sock is not None:
        require_folder(session, reading)
        session.client.uid("STORE", sequence_set(taken), "+FLAGS.SILENT", r"(\Seen)")
    taken.clear()


@contextlib.contextmanager
def _selected(session: IMAPSession, reading: Reading) -> Iterator[int]:
    """The folder selected, only to be read if nothing is to be marked; the number of its messages."""
    before, was_readonly = session.folder.get(), session.client.is_readonly
    same = before is not None and same_folder(before, reading.folder)
    readonly = not reading.mark_seen and (was_readonly or not same)
    told = session.client.untagged_responses.get("EXISTS", [])
    if reading.fresh and same and readonly == was_readonly and told and isinstance(told[-1], bytes):
        # To do so again takes time in a large folder.
        yield int(told[-1])
        return
    try:
        _, data = session.folder.set(reading.folder, readonly)
    except imaplib.IMAP4.readonly as error:
        raise MailConnError(
            f"The folder {reading.folder!r} is read-only, so nothing in it can be marked.",
            hint="Read it without mark_seen.",
        ) from error
    try:
        yield int(data[-1] or 0)
    finally:
        changed = not reading.fresh and (not same or readonly != was_readonly)
        if changed and before is not None and session.client.sock is not None:
            session.folder.set(before, was_readonly)


def _messages(session: IMAPSession, reading: Reading, count: int) -> Iterator[ParsedMessage]:
    selection = reading.selection
    searches = _Searches(session, selection)
    lowest = 2**32
    high = count
    # Who wants all of them waits for no less when the server looks through few at once, unless that takes it long.
    all_at_once = reading.left > _WINDOW and not selection.text
    window = reading.left if selection.everything or all_at_once else _FIRST_WINDOW
    while high > 0:
        low = max(1, high - int(min(window, _WINDOW)) + 1)
        require_folder(session, reading)
        uids = searches.found(f"{low}:{high}")
        here = searches.compares_here
        fits = selection.matches if here else selection.fits
        # A text that the server does not look for is in the body, perhaps.
        search_body = here and not selection.text.isascii()
        fresh = [uid for uid in reversed(uids) if uid < lowest]
        wanted = _all if here else reading.wanted
        found = _fetch_sought(session, reading, fresh, wanted, whole=reading.body or search_body)
        for done, message in enumerate(found):
            reading.looked_at((count - high + (high - low + 1) * done / len(fresh)) / count)
            if fits(message) and (not search_body or selection.holds(message)):
                yield message if reading.body or not search_body else message.without_body()
        lowest = min([lowest, *uids])
        # What was expunged meanwhile has moved what lies above it.
        gone = len(session.client.untagged_responses.pop("EXPUNGE", []))
        high = min(low - 1, count - gone)
        window = max(window, 1) * 4
        reading.tell(reading.looked, 1 - high / count)


class _Searches:
    """Searches of one read; what the server has refused once, it is not asked again."""

    def __init__(self, session: IMAPSession, selection: Selection) -> None:
        self._client = session.client
        self._selection = selection
        self._refused = False

    @property
    def compares_here(self) -> bool:
        """Whether texts are still to be compared."""
        return self._refused and not self._selection.is_ascii

    def found(self, where: str) -> list[int]:
        """The UIDs among these messages."""
        selection = self._selection
        # Not every server looks into every header. And every server knows UTF-8 (RFC 9051, 6.4.4), but not all are so new,
        # and they say no in many ways. What is not asked then is looked at here.
        if not self._refused and (selection.sought is not None or not selection.is_ascii):
            try:
                return self._search(where, selection.words(), charset="" if selection.is_ascii else "UTF-8")
            except Refused:
                self._refused = True
        return self._search(where, replace(selection, sought=None).words(ascii_only=True))

    def _search(self, where: str, words: Iterable[str | bytes], charset: str = "") -> list[int]:
        return search(self._client, [where, *words], charset=charset)


def _all() -> float:
    return math.inf


def _fetch_sought(
    session: IMAPSession, reading: Reading, uids: Iterable[int], wanted: Callable[[], float], *, whole: bool
) -> Iterator[ParsedMessage]:
    """As :func:`_fetch`; where the header decides how much of a message is read, it comes first."""
    sought = reading.selection.sought
    if sought is None:
        yield from _fetch(session, reading, uids, wanted, whole=whole)
        return
    for portion in batches(uids, first=_FIRST_PORTION, most=_PORTION):
        heads = [each for each in _fetch(session, reading, portion, _all, whole=False) if reading.selection.fits(each)]
        longer = {each.uid: each for each in heads if sought.whole(each)}
        bodies = _fetch(session, reading, map(int, longer), _all, whole=True)
        body = next(bodies, None)
        for each in heads:
            if body is not None and body.uid == each.uid:
                yield body
                body = next(bodies, None)
            elif each.uid not in longer:
                yield each


def _fetch(
    session: IMAPSession, reading: Reading, uids: Iterable[int], wanted: Callable[[], float], *, whole: bool
) -> Iterator[ParsedMessage]:
    """Messages by their UIDs, in that order, or their headers; one that is gone meanwhile is left out."""
    with contextlib.closing(ReadAhead(session, reading, wanted)) as ahead:
        chosen = ahead.with_files(uids) if reading.selection.has_attachment else uids
        for portion in ahead.whole(chosen) if whole else ahead.headers(chosen):
            found = [_parsed(one, complete=whole, most=reading.most) for one in portion]
            undated = {int(message.uid): message for message in found if not message.says_date}
            if undated:
                # Only of these: a server may have to look at a file for each.
                for uid, arrived in ahead.arrivals(list(undated)).items():
                    undated[uid].arrived = date_of(arrived)[0]
            yield from found


def _parsed(known: Fetched, *, complete: bool, most: int) -> ParsedMessage:
    problems = []
    if known.raw is None:
        problems.append(known.refusal.message if known.refusal else "The server did not send it.")
    elif complete and len(known.raw) == most:
        problems.append(f"Only its first {how_large(most)} were read.")
    raw = known.raw or b""
    return ParsedMessage(
        # Some servers send more than the header that they were asked for.
        raw if complete else raw[: end_of_header(raw)],
        uid=str(known.uid),
        size=known.size,
        flags=known.flags,
        complete=complete,
        problems=problems,
    )
