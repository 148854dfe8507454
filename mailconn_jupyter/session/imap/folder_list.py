"""``session.folders()``: the folders of a mailbox, each with its use, as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from imap_tools.imap_utf7 import utf7_decode

from ...formatting import columns, prose, table
from .client import IMAPClient
from .errors import Refused
from .folder_lines import folder_lines, unquoted
from .folders import encoded

__all__ = ["FolderList", "MailFolder", "folders_of"]

#: What a folder is for (RFC 6154, 2; RFC 8457), by its attribute.
_USES: Final = {
    f"\\{use}".lower(): use.lower()
    for use in ("All", "Archive", "Drafts", "Flagged", "Important", "Junk", "Sent", "Trash")
}
_CLOSED: Final = frozenset({"\\noselect", "\\nonexistent"})
_COUNTS: Final = re.compile(rb'(?:"((?:[^"\\]|\\.)*)"|([^ ]+)) \(([^()]*)\)\s*\Z', re.DOTALL)
_COUNT: Final = re.compile(rb"\b(MESSAGES|UNSEEN) ([0-9]{1,18})\b", re.IGNORECASE)


@dataclass(frozen=True)
class MailFolder:
    """A folder: the ``name`` that opens it, and what the server says of it.

    ``use`` is what it is for (``trash``, ``sent``, ``drafts``, ``junk``, ``archive``, ``all``, ``flagged``, ``important``),
    empty where the server does not say; ``subscribed`` and ``selectable`` whether mail programs list it, and whether it can
    hold messages. ``messages`` and ``unseen`` are counts, None where the server does not give them along (RFC 5819).
    ``delimiter`` stands between the levels of a name.
    """

    name: str
    use: str = ""
    subscribed: bool = False
    selectable: bool = True
    delimiter: str = ""
    messages: int | None = None
    unseen: int | None = None


class FolderList(tuple[MailFolder, ...]):
    """Folders, which show themselves as a table."""

    __slots__ = ()

    @property
    def names(self) -> list[str]:
        """What opens each."""
        return [folder.name for folder in self]

    def used_for(self, use: str) -> str:
        """The name of the first folder with this use; empty where there is none."""
        return next((folder.name for folder in self if folder.use == use and folder.selectable), "")

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        for folder in self:
            marks = [folder.use, "" if folder.selectable else "holds no messages"]
            counts = ["" if count is None else str(count) for count in (folder.messages, folder.unseen)]
            yield folder.name, " ".join(filter(None, marks)), *counts  # type: ignore[misc]  # they are two

    def __repr__(self) -> str:
        return (
            columns(self._rows(), header=("folder", "for", "messages", "unseen")) if self else "There are no folders."
        )

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{prose(repr(self))}</p>"
        return table(self._rows(), header=("Folder", "For", "Messages", "Unseen"))


def folders_of(client: IMAPClient, pattern: str = "*", *, counts: bool = True) -> FolderList:
    """The folders whose names fit the pattern (``*`` is anything), in the server's order: in one round trip.

    Without ``counts`` the server need not look into each. Raises :class:`~mailconn_jupyter.session.imap.errors.Refused`
    with the server's words.
    """
    wanted = ["SUBSCRIBED"]
    wanted += ["SPECIAL-USE"] if "SPECIAL-USE" in client.capabilities else []
    wanted += ["STATUS (MESSAGES UNSEEN)"] if counts and client.includes("LIST-STATUS") else []
    asked: list[tuple[str, ...]] = [("LIST", '""', encoded(pattern))]
    if client.includes("LIST-EXTENDED"):
        asked = [(*asked[0], f"RETURN ({' '.join(wanted)})")]
    else:
        asked.append(("LSUB", '""', encoded(pattern)))
    for kind in ("LIST", "LSUB", "STATUS"):
        client.untagged_responses.pop(kind, None)
    status, said = client.pipeline(*asked)[0]
    if status != "OK":
        raise Refused("The server did not list the folders", status, said[-1] or b"")
    answers = client.untagged_responses
    found = {folder.name: folder for folder in _listed(answers.pop("LIST", []))}
    subscribed = {folder.name for folder in _listed(answers.pop("LSUB", []))}
    counted = dict(_counted(answers.pop("STATUS", [])))
    return FolderList(
        replace(
            folder,
            subscribed=folder.subscribed or name in subscribed,
            messages=counted.get(name, {}).get(b"MESSAGES"),
            unseen=counted.get(name, {}).get(b"UNSEEN"),
        )
        for name, folder in found.items()
    )


def _listed(answers: Iterable[Any]) -> Iterator[MailFolder]:
    for line in folder_lines(answers):
        flags = [flag.lower() for flag in line.flags]
        yield MailFolder(
            _decoded(line.name),
            use=next((_USES[flag] for flag in flags if flag in _USES), ""),
            subscribed="\\subscribed" in flags,
            selectable=not _CLOSED.intersection(flags),
            delimiter=line.delimiter or "",
        )


def _counted(answers: Iterable[Any]) -> Iterator[tuple[str, dict[bytes, int]]]:
    # A name that is a literal comes in two parts, of which the second one says the counts.
    name = None
    for answer in answers:
        if isinstance(answer, tuple):
            name = answer[1]
            continue
        match = _COUNTS.match(answer if name is None else b"x " + answer.lstrip())
        if match:
            known = name if name is not None else unquoted(match[1]) if match[1] is not None else match[2]
            yield _decoded(known), {word.upper(): int(count) for word, count in _COUNT.findall(match[3])}
        name = None


def _decoded(name: bytes) -> str:
    """The name as a person reads it; one that is not in modified UTF-7 as it came."""
    try:
        return str(utf7_decode(name))
    except (ValueError, LookupError):
        return name.decode("utf-8", "replace")
