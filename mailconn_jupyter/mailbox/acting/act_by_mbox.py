"""Acting in a mailbox file: messages are removed under its lock, each known by more than its place."""

from __future__ import annotations

from collections import defaultdict

from ...session.mbox.errors import FileChanged, ReadOnly
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
        if session.readonly and not action.dry_run:
            raise ReadOnly(
                f"{session.path} is open to be read only. Nothing was changed.",
                hint="mailconn.connect(name, readonly=False) opens it for writing, and locks it.",
            )
        keys = {session.span(key)[0]: key for key in session.keys()}  # noqa: SIM118  # a session is a mailbox, no dict
        shown = list(wanted.shown)
        if wanted.reading is not None:
            found = _asked_for(session, wanted.reading, shown)
        else:
            found = _found(session, wanted, keys)
        if not action.dry_run and found:
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
    if reading.left > 0:
        for message in read(session, reading):
            found[int(message.uid)] = fingerprint(message)
            if len(shown) < MOST_SHOWN:
                shown.append(row_of(message))
            if len(found) >= reading.left:
                break
    return found


def _found(session: MBOXSession, wanted: Wanted, keys: dict[int, int]) -> dict[int, bytes]:
    """Where the messages begin by now that were read before."""
    found: dict[int, bytes] = {}
    moved: dict[str, bytes] = {}
    for uid, known in wanted.uids.items():
        start = int(uid)
        if start in keys and _at(session, keys[start]) == known:
            found[start] = known
        else:
            moved[uid] = known
    if moved:
        places: dict[bytes, list[int]] = defaultdict(list)
        for start, key in keys.items():
            if start not in found:
                places[_at(session, key)].append(start)
        for known in moved.values():
            if len(places[known]) > 1:
                raise FileChanged(
                    f"{session.path} was changed by another program, and holds several messages like one of these. "
                    "Nothing was changed.",
                    hint="Read the messages again.",
                )
            found.update((start, known) for start in places[known])
    return dict(sorted(found.items(), reverse=True))


def _at(session: MBOXSession, key: int) -> bytes:
    return fingerprint_of(header_at(session, *session.span(key)))
