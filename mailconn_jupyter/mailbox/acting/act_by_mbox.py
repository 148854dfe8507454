"""Acting in a mailbox file: messages are removed under its lock, each known by more than its place."""

from __future__ import annotations

import os
from collections import defaultdict

from ...session.mbox.errors import FileChanged
from ...session.mbox.session import MBOXSession
from ..by_mbox import header_at, read
from ..portions import Reading
from .act import Wanted
from .action import Action
from .action_report import MOST_SHOWN, ActionReport, Row, row_of
from .fingerprint import fingerprint, fingerprint_of
from .place import Place

__all__ = ["act"]


def act(place: Place, action: Action, wanted: Wanted) -> ActionReport:
    """Delete the messages that are wanted, which is all that can be done here."""
    with place.opened(readonly=action.dry_run) as session:
        if not action.dry_run:
            session.require_writable()
        shown = list(wanted.shown)
        found = _asked_for(session, wanted.reading, shown) if wanted.reading else _found(session, wanted)
        if not action.dry_run and found:
            keys = _keys(session)
            for start in found:
                session.remove(keys[start])
            session.flush()
        missing = set(wanted.uids.values()).difference(found.values())
        return ActionReport(
            action,
            folder=session.path,
            uids={str(start): known for start, known in found.items()},
            gone=[uid for uid, known in wanted.uids.items() if known in missing],
            shown=shown,
        )


def _asked_for(session: MBOXSession, reading: Reading, shown: list[Row]) -> dict[int, bytes]:
    """Where the messages begin that are asked for."""
    found: dict[int, bytes] = {}
    for message in reading.first(read(session, reading)):
        found[int(message.uid)] = fingerprint(message)
        if len(shown) < MOST_SHOWN:
            shown.append(row_of(message))
    return found


def _found(session: MBOXSession, wanted: Wanted) -> dict[int, bytes]:
    """Where the messages begin by now that were read before."""
    found: dict[int, bytes] = {}
    moved: dict[str, bytes] = {}
    # Who only reads has removed nothing: as long as each is where it was, the file is not searched for all.
    keys = {} if session.readonly else _keys(session)
    end = session.file.seek(0, os.SEEK_END)
    for uid, known in wanted.uids.items():
        start = int(uid)
        stands = session.readonly or start in keys
        if stands and _at(session, *(session.span(keys[start]) if keys else (start, end))) == known:
            found[start] = known
        else:
            moved[uid] = known
    if moved:
        places: dict[bytes, list[int]] = defaultdict(list)
        for start, key in (keys or _keys(session)).items():
            if start not in found:
                places[_at(session, *session.span(key))].append(start)
        for known in moved.values():
            if len(places[known]) > 1:
                raise FileChanged(
                    f"{session.path} was changed by another program, and contains several messages like one of these. "
                    "Nothing was changed.",
                    hint="Read the messages again.",
                )
            found.update((start, known) for start in places[known])
    return dict(sorted(found.items(), reverse=True))


def _keys(session: MBOXSession) -> dict[int, int]:
    """The key of each message by where it begins, for which all of the file is read."""
    return {session.span(key)[0]: key for key in session.keys()}  # noqa: SIM118  # a session is a mailbox, no dict


def _at(session: MBOXSession, start: int, stop: int) -> bytes:
    try:
        return fingerprint_of(header_at(session, start, stop))
    except FileChanged:
        return b""
