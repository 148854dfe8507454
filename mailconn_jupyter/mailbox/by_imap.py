"""Reading by IMAP: the server searches, from the newest message on, and what it finds is fetched in portions."""

from __future__ import annotations

import contextlib
import imaplib
import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Final

from imap_tools.errors import UnexpectedCommandStatusError

from ..errors import MailConnError
from ..formatting import how_large
from ..message.incoming.parsed import ParsedMessage
from ..message.incoming.sent_date import date_of
from ..session.imap.errors import Refused
from ..session.imap.search import search, sequence_set
from ..session.imap.session import IMAPSession
from .fetched import Fetched, Records
from .portions import MOST_MESSAGE, Reading, batches

__all__ = ["read"]

# Messages that one SEARCH looks through, at first and at most: its answer stays short, and a limit is soon met.
_FIRST_WINDOW: Final = 1000
_WINDOW: Final = 20_000
# Messages of one FETCH. Its command must stay under the 8192 bytes that servers take (RFC 7162, 4).
_FIRST_LIST: Final = 50
_LIST: Final = 500
_BODIES: Final = 64
_ABOUT: Final = "UID FLAGS RFC822.SIZE"


def read(session: IMAPSession, reading: Reading) -> Generator[ParsedMessage, None, None]:
    """The messages, newest first: by their UIDs, which grow in the order of arrival."""
    with _selected(session, reading) as count:
        taken: list[int] = []
        try:
            for message in _messages(session, reading, count):
                taken.append(int(message.uid))
                yield message
                if taken[_LIST:]:
                    _mark(session, reading, taken)
        finally:
            _mark(session, reading, taken)


def _mark(session: IMAPSession, reading: Reading, taken: list[int]) -> None:
    """Mark as read what was handed over, and only that."""
    if reading.mark_seen and taken and session.client.sock is not None:
        _still_there(session, reading)
        session.client.uid("STORE", sequence_set(taken), "+FLAGS.SILENT", r"(\Seen)")
    taken.clear()


@contextlib.contextmanager
def _selected(session: IMAPSession, reading: Reading) -> Iterator[int]:
    """The folder selected, only to be read if nothing is to be marked; the number of its messages."""
    before, was_readonly = session.folder.get(), session.client.is_readonly
    same = before is not None and _same(before, reading.folder)
    readonly = not reading.mark_seen and (was_readonly or not same)
    told = session.client.untagged_responses.get("EXISTS", [])
    if reading.fresh and same and readonly == was_readonly and told and isinstance(told[-1], bytes):
        # The opening has just selected it, and to do so again takes time in a large folder.
        yield int(told[-1])
        return
    try:
        _, data = session.folder.set(reading.folder, readonly)
    except UnexpectedCommandStatusError as error:
        status, said = error.command_result[:2]
        raise Refused(f"The server did not open the folder {reading.folder!r}", status, said[-1] or b"") from error
    except imaplib.IMAP4.readonly as error:
        raise MailConnError(
            f"The folder {reading.folder!r} is read-only, so nothing in it can be marked.",
            hint="Read it without mark_seen.",
        ) from error
    try:
        yield int(data[-1] or 0)
    finally:
        if before is not None and (not same or readonly != was_readonly) and session.client.sock is not None:
            session.folder.set(before, was_readonly)


def _same(folder: str, other: str) -> bool:
    return folder == other or folder.upper() == other.upper() == "INBOX"


def _still_there(session: IMAPSession, reading: Reading) -> None:
    """Raise when somebody has selected another folder meanwhile: the UIDs would mean other messages there."""
    now = session.folder.get()
    if now is None or not _same(now, reading.folder):
        raise MailConnError(
            f"The session has left the folder {reading.folder!r} while its messages were read.",
            hint="Use another session for another folder.",
        )


def _messages(session: IMAPSession, reading: Reading, count: int) -> Iterator[ParsedMessage]:
    selection = reading.selection
    here = False  # whether texts are compared here, as the server cannot
    lowest = 2**32
    high = count
    window = reading.left if selection.everything else _FIRST_WINDOW
    while high > 0:
        low = max(1, high - int(min(window, _WINDOW)) + 1)
        _still_there(session, reading)
        uids, here = _found(session, reading, f"{low}:{high}", here=here)
        fits = selection.matches if here else selection.fits
        # A text that the server does not look for is in the body, perhaps.
        search_body = here and not selection.text.isascii()
        fresh = [uid for uid in reversed(uids) if uid < lowest]
        wanted = _all if here else reading.wanted
        chosen = _with_files(session, reading, fresh) if selection.has_attachment else fresh
        for done, message in enumerate(
            _fetch_sought(session, reading, chosen, wanted, whole=reading.body or search_body)
        ):
            reading.looked_at((count - high + (high - low + 1) * done / len(fresh)) / count)
            if fits(message) and (not search_body or selection.holds(message)):
                yield message if reading.body or not search_body else message.without_body()
        lowest = min([lowest, *uids])
        # What was expunged meanwhile has moved what lies above it.
        gone = len(session.client.untagged_responses.pop("EXPUNGE", []))
        high = min(low - 1, count - gone)
        window = max(window, 1) * 4
        reading.tell(reading.looked, 1 - high / count)


def _found(session: IMAPSession, reading: Reading, where: str, *, here: bool) -> tuple[list[int], bool]:
    """The UIDs among these messages, and whether texts are still to be compared."""
    selection = reading.selection
    if selection.sought is not None:
        try:
            return search(session.client, [where, *selection.words()]), here
        except Refused:
            # Not every server looks into every header: then that is done here.
            return search(session.client, [where, *replace(selection, sought=None).words()]), here
    if not here and not selection.is_ascii:
        try:
            return search(session.client, [where, *selection.words()], charset="UTF-8"), False
        except Refused:
            # RFC 9051, 6.4.4: every server knows UTF-8. Not all are so new, and they say no in many ways.
            here = True
    return search(session.client, [where, *selection.words(ascii_only=True)]), here


def _all() -> float:
    return math.inf


def _with_files(session: IMAPSession, reading: Reading, uids: Iterable[int]) -> Iterator[int]:
    """Those with a file beside their text; what a message consists of, a server tells without its body."""
    for portion in batches(uids, first=_FIRST_LIST, most=_LIST):
        found = _ask(session, reading, portion, "(UID BODYSTRUCTURE)")
        yield from (uid for uid in portion if uid in found and found[uid].has_file)


def _fetch_sought(
    session: IMAPSession, reading: Reading, uids: Iterable[int], wanted: Callable[[], float], *, whole: bool
) -> Iterator[ParsedMessage]:
    """As :func:`_fetch`; where the header decides how much of a message is read, it comes first."""
    sought = reading.selection.sought
    if sought is None:
        yield from _fetch(session, reading, uids, wanted, whole=whole)
        return
    for portion in batches(uids, first=_FIRST_LIST, most=_LIST):
        heads = [each for each in _fetch(session, reading, portion, _all, whole=False) if reading.selection.fits(each)]
        longer = [int(each.uid) for each in heads if sought.whole(each)]
        bodies = _fetch(session, reading, longer, _all, whole=True)
        body = next(bodies, None)
        for each in heads:
            if body is not None and body.uid == each.uid:
                yield body
                body = next(bodies, None)
            elif not sought.whole(each):
                yield each


def _fetch(
    session: IMAPSession, reading: Reading, uids: Iterable[int], wanted: Callable[[], float], *, whole: bool
) -> Iterator[ParsedMessage]:
    """Messages by their UIDs, in that order, or their headers; one that is gone meanwhile is left out."""
    most = reading.most
    for portion in batches(uids, first=_FIRST_LIST, most=_LIST, wanted=wanted):
        if not whole:
            found = _ask(session, reading, portion, f"({_ABOUT} BODY.PEEK[HEADER])")
            yield from _dated(session, reading, [_parsed(one, complete=False) for one in found.values()])
            continue
        listed = _ask(session, reading, portion, f"({_ABOUT})")
        sizes = {uid: listed[uid].size or 0 for uid in portion if uid in listed}
        for batch in batches(sizes, first=1, most=_BODIES, size=sizes.__getitem__, wanted=wanted):
            # Of one that is too large for the memory, or for what is looked for in it, only the beginning.
            part = f"<0.{most}>" if max(map(sizes.__getitem__, batch)) > most else ""
            found = _ask(session, reading, batch, f"(UID BODY.PEEK[]{part})")
            read = [_parsed(listed[uid].updated(one), complete=True, most=most) for uid, one in found.items()]
            yield from _dated(session, reading, read)


def _dated(session: IMAPSession, reading: Reading, found: list[ParsedMessage]) -> list[ParsedMessage]:
    """The same; those that say no date know when they arrived, for which the server is asked only where it must be."""
    undated = {int(message.uid): message for message in found if not message.says_date}
    if undated:
        for uid, one in _tried(session, reading, list(undated), "(UID INTERNALDATE)").items():
            undated[uid].arrived = date_of(one.arrived or "")[0]
    return found


def _ask(session: IMAPSession, reading: Reading, uids: Iterable[int], parts: str) -> dict[int, Fetched]:
    """What the server gives of these messages; one that it refuses is among them, and if it refuses all, that is raised."""
    wanted = list(uids)
    found = _tried(session, reading, wanted, parts)
    refusals = [one.refusal for one in found.values() if one.refusal is not None]
    if len(refusals) == len(found) > 1:
        raise refusals[0]
    if "PEEK" in parts and "EXPUNGE" in session.client.untagged_responses:
        # A server may give an empty message for one that is gone (RFC 2180, 4.1).
        return {uid: one for uid, one in found.items() if one.raw or one.refusal}
    return found


def _tried(session: IMAPSession, reading: Reading, wanted: list[int], parts: str) -> dict[int, Fetched]:
    """The same, each refusal with its message: where one of many cannot be had, servers refuse the whole, or the rest."""
    _still_there(session, reading)
    records, gone = Records(), _expunged(session)
    found = records.by_uid
    try:
        for answer in session.stream(sequence_set(wanted), parts):
            if (now := _expunged(session)) != gone:
                gone = now
                records.moved()
            records.add(answer)
    except Refused as error:
        if error.code != "EXPUNGEISSUED":
            # News of a flag that somebody changed has no body.
            missing = [uid for uid in wanted if uid not in found or ("PEEK" in parts and found[uid].raw is None)]
            if len(wanted) == 1:
                return {uid: found.get(uid, Fetched(uid)).updated(Fetched(refusal=error)) for uid in missing} or found
            half = (len(missing) + 1) // 2
            for some in filter(None, (missing[:half], missing[half:])):
                for uid, one in _tried(session, reading, some, parts).items():
                    found[uid] = found.get(uid, one).updated(one)
    return {uid: found[uid] for uid in wanted if uid in found}


def _expunged(session: IMAPSession) -> int:
    return len(session.client.untagged_responses.get("EXPUNGE", []))


def _parsed(known: Fetched, *, complete: bool, most: int = MOST_MESSAGE) -> ParsedMessage:
    problems = []
    if known.raw is None:
        problems.append(known.refusal.message if known.refusal else "The server did not send it.")
    elif complete and len(known.raw) == most:
        problems.append(f"Only its first {how_large(most)} were read.")
    return ParsedMessage(
        known.raw or b"",
        uid=str(known.uid),
        size=known.size,
        flags=known.flags,
        complete=complete,
        problems=problems,
    )
