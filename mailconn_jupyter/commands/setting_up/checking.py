"""``check``: files of connections that an administrator is about to give to everybody, or has given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...connection import MailConnection
from ...errors import StoreError
from ...formatting import counted
from ...paths import expanded, is_folder, is_there
from ...store import atomic_files
from ...store.file_trust import refusal_of_folder
from ...store.layer import Layer, Problem
from ..wrong_usage import WrongUsage

__all__ = ["check"]


def check(*, files: Sequence[str], installed: bool = False) -> Iterator[str]:
    """A line for each thing that is wrong, and what there is to know; fails where something is wrong."""
    paths = [expanded(file) for file in files]
    for path in paths:
        if not is_there(path):
            raise WrongUsage(f"%mailconn check: there is no {atomic_files.show(path)}.")
    checked, found = 0, 0
    for path in paths:
        whole = is_folder(path)
        layer = Layer(path if whole else path.parent, "shared", judged=installed)
        entries = layer.entries() if whole else [layer.read(path)]
        known = [entry for entry in entries if entry is not None]
        checked += len(known)
        refusal = refusal_of_folder(layer.folder) if installed else None
        problems = [Problem(layer.folder, refusal.sentence)] if refusal else []
        problems += layer.problems(known)
        for entry in known:
            if entry.connection is not None:
                problems += [Problem(entry.path, str(problem)) for problem in entry.connection.problems()]
        found += len(problems)
        # Those of one file together.
        yield from (str(problem).replace("\n", " ") for problem in sorted(problems, key=lambda one: one.path))
        for entry in known:
            if entry.connection is not None:
                notes = [*entry.connection.lookalikes(), *_risks(entry.connection)]
                yield from (f"{atomic_files.show(entry.path)}: note: {note}" for note in notes)
    what = counted(checked, "file")
    if not checked:
        raise StoreError(f"There are no connection files in {', '.join(map(atomic_files.show, paths))}.")
    if found:
        raise StoreError(f"{counted(found, 'problem')} in {what}.")
    yield f"{what}: no problems."


def _risks(connection: MailConnection) -> Iterator[str]:
    """What may be meant, and is worth a second look."""
    if connection.trusts_everything:
        yield "trusted_hosts is *, so any certificate is accepted. A pin (host=sha256:HEX) accepts only one."
    if connection.allow_plaintext_password and not connection.security:
        yield "allow_plaintext_password is on, so anyone on the way can read the password."
