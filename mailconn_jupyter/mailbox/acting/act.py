"""From an action to the protocol that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Final

from ...errors import MailConnError, OptionError
from ..portions import Reading
from .action import Action
from .action_report import ActionReport, Row
from .place import Place

__all__ = ["Wanted", "act"]

_ACTORS: Final = {"IMAP": "act_by_imap", "POP3": "act_by_pop3", "MBOX": "act_by_mbox"}


@dataclass(frozen=True)
class Wanted:
    """Which messages.

    Their ``uids``, each with what it is known by besides (:mod:`.fingerprint`), and what is ``shown`` of the first ones; or
    what is asked for, by ``reading``.
    """

    uids: Mapping[str, bytes] = field(default_factory=dict)
    shown: Sequence[Row] = ()
    reading: Reading | None = None


def act(place: Place | None, action: Action, wanted: Wanted) -> ActionReport:
    """Do it, or with ``dry_run`` say what would be done."""
    if place is None:
        raise MailConnError("This message was not read from a mailbox.", hint="mailconn.messages(name) reads one.")
    if wanted.reading is None and not wanted.uids:
        return ActionReport(action, folder=place.folder, uids={})
    _require(place.protocol, action)
    if wanted.reading is not None:
        # Found by their headers, for which nothing is marked.
        wanted = replace(wanted, reading=replace(wanted.reading, body=False, mark_seen=False))
    actor: Any = import_module(f".{_ACTORS[place.protocol]}", __package__)
    report: ActionReport = actor.act(place, action, wanted)
    return report


def _require(protocol: str, action: Action) -> None:
    if protocol == "IMAP" or action.kind == "expunge":
        return
    if action.kind == "delete":
        raise OptionError(
            f"{protocol} has no trash: what is deleted is gone.", hint="delete(expunge=True) deletes for good."
        )
    what = "has no folders" if action.arrives else "keeps no marks" if protocol == "POP3" else "is not marked here"
    raise OptionError(f"{protocol} {what}; messages can only be deleted, by delete(expunge=True).")
