"""Acting by IMAP: on sets of UIDs, in few commands, and so that a link that breaks loses no message and doubles none."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ...errors import MailConnError, OptionError
from ...session.imap.errors import LinkLost, MailboxChanged, Refused
from ...session.imap.folders import encoded, same_folder
from ...session.imap.search import sequence_set
from ...session.imap.session import IMAPSession
from .act import Wanted
from .action import Action
from .action_report import ActionReport, Row
from .imap_folder import asked_for, identities, next_uid, present, selected, sets, shown, trash_of
from .place import Place

__all__ = ["act"]

# Messages of one COPY, so that a server that has lost its client is done with them soon.
_MOST_COPIED: Final = 2000
# Seconds between two looks at what a server may still be doing for a link that broke, and how often at most.
_PAUSE = 0.5
_LOOKS: Final = 20
_DELETED: Final = r"\Deleted"


def act(place: Place, action: Action, wanted: Wanted) -> ActionReport:
    """Do it with the messages that are wanted."""
    with place.opened(readonly=action.dry_run) as session:
        if not action.dry_run:
            session.require_writable()
        work = _Work(place, action)
        try:
            work.begin(session, wanted)
        except LinkLost as error:
            work.finish(error)
        except KeyboardInterrupt:
            work.complete()
            raise
        return work.report()


class _Work:
    """One action, which can go on over another link where the first one broke."""

    def __init__(self, place: Place, action: Action) -> None:
        self._place, self._action = place, action
        self._asked: list[int] = []
        self._found: list[int] = []
        self._left: list[int] = []
        self._begun = False
        self._to, self._valid_there = "", 0
        self._shown: Sequence[Row] = ()
        self._notes: list[str] = []
        # Whether what was to be removed is marked, and stays.
        self._pending = False
        # What is copied for sure; what may be, and the UID that the first copy of it has then.
        self._copied: set[int] = set()
        self._copying: tuple[list[int], int] | None = None

    def begin(self, session: IMAPSession, wanted: Wanted) -> None:
        """Find the messages, and do it."""
        action, place = self._action, self._place
        with selected(session, place, readonly=action.dry_run or action.kind == "copy"):
            if wanted.reading is None:
                self._asked = [int(uid) for uid in wanted.uids]
                self._found = present(session, self._asked, *self._unmarked(session))
            else:
                self._asked = self._found = asked_for(session, wanted.reading, *self._unmarked(session))
            if action.arrives:
                self._to = trash_of(session, place) if action.kind == "delete" else action.folder
                if same_folder(self._to, place.folder):
                    raise OptionError(f"The messages are already in the folder {place.folder!r}.")
                _, self._valid_there = next_uid(session, self._to)
            self._shown = wanted.shown or shown(session, self._found)
            if not action.dry_run:
                self._may_be_set(session)
                self._left = list(self._found)
                self._go_on(session)

    def report(self) -> ActionReport:
        gone = set(self._asked).difference(self._found)
        uids, missing = ({str(uid): b"" for uid in sorted(some, reverse=True)} for some in (set(self._found), gone))
        return ActionReport(
            self._action,
            folder=self._place.folder,
            to=self._to,
            uids=uids,
            gone=list(missing),
            notes=self._notes,
            pending=self._pending,
            shown=self._shown,
        )

    def _unmarked(self, session: IMAPSession) -> tuple[str, ...]:
        """Where what is moved stays with the mark of being deleted, what has it was moved already."""
        return ("UNDELETED",) if self._copies(session) and not session.client.includes("UIDPLUS") else ()

    # Doing it

    def _may_be_set(self, session: IMAPSession) -> None:
        """Raise where the folder does not keep the flag that is to be set (RFC 9051, 7.1: PERMANENTFLAGS)."""
        flag = _DELETED if self._action.leaves else self._action.flag
        moves = self._action.arrives and session.client.includes("MOVE")
        said = session.client.untagged_responses.get("PERMANENTFLAGS", [])
        if not flag or moves or not said or not isinstance(said[-1], bytes):
            return
        kept = said[-1].decode("utf-8", "replace").lower().strip("()").split()
        if flag.lower() not in kept and (flag.startswith("\\") or r"\*" not in kept):
            raise OptionError(
                f"The server does not let {flag} be set in the folder {self._place.folder!r}. Nothing was changed."
            )

    def _go_on(self, session: IMAPSession) -> None:
        for some in list(sets(self._left, _MOST_COPIED if self._copies(session) else 2**32)):
            self._begun = True
            try:
                self._do(session, some)
            except Refused as error:
                error.hint = self._so_far() or error.hint
                raise
            self._left = self._left[len(some) :]

    def _copies(self, session: IMAPSession) -> bool:
        return self._action.arrives and not (self._action.leaves and session.client.includes("MOVE"))

    def _do(self, session: IMAPSession, uids: list[int]) -> None:
        action = self._action
        if action.flag:
            sign = "+" if action.kind == "mark" else "-"
            _say(session, "STORE", uids, f"{sign}FLAGS.SILENT", f"({action.flag})")
        elif action.arrives and not self._copies(session):
            _say(session, "MOVE", uids, encoded(self._to))
        else:
            if action.arrives:
                self._copy(session, uids)
            if action.leaves:
                self._remove(session, uids)

    def _remove(self, session: IMAPSession, uids: list[int]) -> None:
        _say(session, "STORE", uids, "+FLAGS.SILENT", f"({_DELETED})")
        if session.client.includes("UIDPLUS"):
            _say(session, "EXPUNGE", uids)
            return
        note = (
            f"They stay in {self._place.folder}, marked as deleted: the server lacks UIDPLUS, and EXPUNGE would also remove "
            "what others have marked."
        )
        if not self._pending:
            self._pending = True
            self._notes.append(note)

    def _copy(self, session: IMAPSession, uids: list[int]) -> None:
        if self._copying is not None:
            # Sent over a link that broke; a server copies all of a set or nothing (RFC 9051, 6.4.7).
            self._copied |= self._arrived(session, *self._copying)
            self._copying = None
        wanted = [uid for uid in uids if uid not in self._copied]
        if wanted:
            first, valid = next_uid(session, self._to)
            if valid != self._valid_there:
                raise MailboxChanged(f"The folder {self._to!r} was recreated in the meantime.", hint=self._so_far())
            self._copying = wanted, first
            _say(session, "COPY", wanted, encoded(self._to))
            self._copied.update(wanted)
            self._copying = None

    def _arrived(self, session: IMAPSession, uids: list[int], first: int) -> set[int]:
        """Which of the messages have a copy among those that came into the other folder since."""
        there = Counter[object]()
        other = Place(session, "IMAP", self._to)
        other.validity = str(self._valid_there)
        with selected(session, other, readonly=True):
            # The last one is given, too, where none is so new (RFC 9051, 9: seq-range).
            there.update(known for uid, known in identities(session, f"{first}:*").items() if uid >= first)
        found = set()
        for some in sets(uids):
            for uid, known in identities(session, sequence_set(some)).items():
                if there[known] > 0:
                    there[known] -= 1
                    found.add(uid)
        return found

    # When the link breaks

    def finish(self, error: LinkLost) -> None:
        """Finish over a link of its own what was begun over one that broke, or raise and say what is known."""
        if self._begun and not self._left:
            return
        # What went unanswered the server may still be at; who was cancelled wants no more.
        if not self._begun or error.cause != "closed" or self._place.connection is None:
            raise self._told(error)
        try:
            session = self._place.open(readonly=False)
        except MailConnError:
            raise self._told(error) from error
        try:
            self._go_on_with(session)
        except LinkLost as again:
            raise self._told(again) from again
        self._notes.append("The link broke; the work was finished over a new one.")

    def complete(self) -> None:
        """Finish what an interrupt has left half moved, and nothing more: it would be there twice."""
        half = self._copied.union(self._copying[0] if self._copying else ())
        self._left = [uid for uid in self._left if uid in half]
        if self._action.leaves and self._left and self._place.connection is not None:
            with contextlib.suppress(MailConnError):
                self._go_on_with(self._place.open(readonly=False))

    def _go_on_with(self, session: IMAPSession) -> None:
        try:
            with selected(session, self._place, readonly=self._action.kind == "copy"):
                self._left = self._settled(session)
                self._go_on(session)
        finally:
            session.quit()

    def _settled(self, session: IMAPSession) -> list[int]:
        """What is still to be done, when the server does nothing more for the link that broke."""
        before: object = None
        for _ in range(_LOOKS):
            session.noop()
            now = present(session, self._left, *self._unmarked(session)), next_uid(session, self._to) if self._to else 0
            if now == before:
                return now[0]
            before = now
            time.sleep(_PAUSE)
        raise LinkLost("The server is still working on what was asked for before the link broke.", cause="no-answer")

    def _told(self, error: LinkLost) -> LinkLost:
        if self._begun:
            error.hint = self._so_far() or error.hint
        return error

    def _so_far(self) -> str:
        """What became of the messages, where not all is done."""
        done, count = len(self._found) - len(self._left), len(self._found)
        said = f"Done with {done} of {count} messages."
        if self._copying is not None:
            return f"{said} {len(self._copying[0])} may be in {self._to!r} as well: check there before you try again."
        if doubled := len(self._copied.intersection(self._left)) if self._action.leaves else 0:
            return f"{said} {doubled} were copied to {self._to!r} and are still in {self._place.folder!r}."
        return f"{said} Repeat the call for the rest." if count else ""


def _say(session: IMAPSession, command: str, uids: list[int], *arguments: str) -> None:
    status, said = session.client.uid(command, sequence_set(uids), *arguments)
    if status != "OK":
        raise Refused(f"The server refused {command}", status, said[-1] or b"")
