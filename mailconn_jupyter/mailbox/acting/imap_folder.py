"""What is in a folder of an IMAP server: which of the messages that are meant, and what they are."""

from __future__ import annotations

import contextlib
import imaplib
from collections.abc import Iterable, Iterator
from typing import Final

from ...errors import MailConnError, OptionError
from ...formatting import did_you_mean
from ...message.incoming.parsed import ParsedMessage
from ...session.imap.errors import FolderRefused, MailboxChanged, NotUnderstood, Refused
from ...session.imap.folders import same_folder
from ...session.imap.search import search, sequence_set
from ...session.imap.session import IMAPSession
from ...transport.transport_errors import TransportError
from .. import by_imap
from ..fetched import Fetched
from ..portions import Reading
from .action_report import MOST_SHOWN, Row, row_of
from .place import Place

__all__ = ["asked_for", "identities", "next_uid", "present", "selected", "sets", "shown", "trash_of"]

# Characters of a set: a command must stay under the 8192 bytes that servers take (RFC 7162, 4).
_LONGEST_SET: Final = 7500
# Bytes of what is said of messages: of each at least some, and of all together.
_LEAST_HELD: Final = 200
_MOST_HELD: Final = 64 * 2**20
_SUMMARY: Final = "(UID BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)])"
_IDENTITY: Final = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"


@contextlib.contextmanager
def selected(session: IMAPSession, place: Place, *, readonly: bool) -> Iterator[None]:
    """The folder selected, the same that the messages were read from; what another's session had is so again afterwards."""
    before, was_readonly = session.folder.get(), session.client.is_readonly
    own = session is not place.session
    there = before is not None and same_folder(before, place.folder) and (readonly or not was_readonly)
    try:
        # Where its opening, or the last action, has selected it, to do so again would take time in a large folder.
        if not (own and there and session.uid_validity):
            _select(session, place, readonly=readonly)
        _same_uids(session, place)
        yield
    finally:
        if not own and before is not None and session.client.sock is not None:
            now = session.folder.get(), session.client.is_readonly
            if session.client.state != "SELECTED" or now != (before, was_readonly):
                session.folder.set(before, was_readonly)


def _select(session: IMAPSession, place: Place, *, readonly: bool) -> None:
    try:
        session.folder.set(place.folder, readonly)
    except imaplib.IMAP4.readonly as error:
        raise MailConnError(
            f"The server allows the folder {place.folder!r} only to be read. Nothing was changed."
        ) from error


def _same_uids(session: IMAPSession, place: Place) -> None:
    """Raise where the UIDs that were read do not mean the same messages any more."""
    now = session.uid_validity
    if place.validity is None and now:
        place.validity = now
    elif not now or not place.validity:
        raise MailboxChanged(
            "The server gives no UIDVALIDITY, so its UIDs may mean different messages each time. Nothing was changed."
        )
    elif now != place.validity:
        raise MailboxChanged(
            f"The folder {place.folder!r} was recreated since it was read: its UIDs now mean different messages "
            "(UIDVALIDITY). Nothing was changed.",
            hint="Read the messages again.",
        )


# Which messages


def sets(uids: Iterable[int], most: int = 2**32) -> Iterator[list[int]]:
    """The UIDs, ascending, in portions whose sets fit into a command; at most so many in each."""
    portion: list[int] = []
    length = 0
    run = 0
    for uid in sorted(uids):
        run = run + 1 if portion and uid == portion[-1] + 1 else 1
        # Of a range the first and the last one are written.
        length += len(f"{uid},") if run <= 2 else 0
        if portion and (length > _LONGEST_SET or len(portion) >= most):
            yield portion
            portion, length, run = [], len(f"{uid},"), 1
        portion.append(uid)
    if portion:
        yield portion


def present(session: IMAPSession, uids: Iterable[int], *also: str) -> list[int]:
    """Those that are still in the selected folder; ``also``: and are as these words of a SEARCH say."""
    wanted = set(uids)
    found = [uid for some in sets(wanted) for uid in search(session.client, ["UID", sequence_set(some), *also])]
    # A server that heeds no UID would have others acted on.
    return [uid for uid in found if uid in wanted]


def asked_for(session: IMAPSession, reading: Reading, *also: str) -> list[int]:
    """The UIDs of what is asked for, the folder being selected: as the server finds them, where it alone can tell."""
    selection = reading.selection
    if not (selection.since or selection.before or selection.sought or selection.has_attachment):
        charset = "" if selection.is_ascii else "UTF-8"
        try:
            found = search(session.client, ["ALL", *selection.words(), *also], charset=charset)
        except Refused:
            if not charset:
                raise
        else:
            return found if reading.left >= len(found) else found[len(found) - int(reading.left) :]
    reading.fresh = True
    uids = [int(message.uid) for message in reading.first(by_imap.read(session, reading))]
    return present(session, uids, *also) if also else sorted(uids)


# What they are


def shown(session: IMAPSession, uids: Iterable[int]) -> list[Row]:
    """What a report shows of the newest of them."""
    newest = sorted(uids)[-MOST_SHOWN:]
    found = _fetched(session, sequence_set(newest), _SUMMARY)
    return [row_of(ParsedMessage(found[uid].raw or b"")) for uid in reversed(newest) if uid in found]


def identities(session: IMAPSession, uids: str) -> dict[int, object]:
    """What tells each message from all others, also as a copy: when it arrived, its size, its Message-ID.

    Without the first two a message is like any other, so it is left out.
    """
    found = _fetched(session, uids, _IDENTITY).items()
    return {uid: (one.arrived, one.size, one.raw) for uid, one in found if None not in {one.arrived, one.size}}


def _fetched(session: IMAPSession, uids: str, parts: str) -> dict[int, Fetched]:
    """What is said of each message, also in several answers, of which some may be to nothing that was asked."""
    found: dict[int, Fetched] = {}
    held = 0
    for one in map(Fetched.of, session.stream(uids, parts)):
        held += _LEAST_HELD + len(one.raw or b"")
        if held > _MOST_HELD:
            session.client.lost(TransportError("The server sends more than it was asked for.", cause="too-long"))
        if one.uid is not None:
            found[one.uid] = found.get(one.uid, Fetched()).updated(one)
    return found


# Where they go


def next_uid(session: IMAPSession, folder: str) -> tuple[int, int]:
    """The UID that the next message in another folder will have, and what its UIDs are good for; it must exist."""
    try:
        said = session.folder.status(folder, ["UIDNEXT", "UIDVALIDITY"])
        return said["UIDNEXT"], said["UIDVALIDITY"]
    except KeyError as error:
        raise NotUnderstood(f"The server does not say which UIDs are next in the folder {folder!r}.") from error
    except FolderRefused as error:
        names = session.folders(counts=False).names
        if folder in names:
            what = f"The folder {folder!r} cannot hold messages"
            raise Refused(what, error.status, error.words.encode()) from error
        raise OptionError(
            f"There is no folder {folder!r}. Nothing was changed.{did_you_mean(folder, names)}",
            hint="session.folder.create(name) makes one.",
        ) from error


def trash_of(session: IMAPSession, place: Place) -> str:
    r"""The folder that the server names as its trash (RFC 6154: \Trash)."""
    trash = session.folders(counts=False).used_for("trash")
    if not trash:
        raise OptionError(
            "The server names no folder as its trash. Nothing was deleted.",
            hint='move("Trash") moves to a folder of that name; delete(expunge=True) deletes for good.',
        )
    if same_folder(trash, place.folder):
        raise OptionError(
            f"The messages are already in the trash ({trash}).", hint="delete(expunge=True) deletes them for good."
        )
    return trash
