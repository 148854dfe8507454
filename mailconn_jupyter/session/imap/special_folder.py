"""The folder of a mailbox for what was sent, or for drafts: the one that the server names, or the usual one."""

from __future__ import annotations

import re
from typing import Final

from .errors import FolderRefused
from .folder_list import FolderList
from .session import IMAPSession

__all__ = ["special_folder"]

#: By their use (RFC 6154), what mail programs call them; the first is made where there is none.
_NAMES: Final = {
    "sent": ("Sent", "Sent Items", "Sent Messages", "Sent Mail"),
    "drafts": ("Drafts", "Draft"),
}
# RFC 2342, 5: the prefix of the first personal namespace, and its delimiter.
_PERSONAL: Final = re.compile(rb'\(\("([^"\\]*)" ')


def special_folder(session: IMAPSession, use: str, *, make: bool = True) -> str:
    """The name of the folder that is ``sent``, or ``drafts``; with ``make`` it is made where there is none.

    Raises :class:`~mailconn_jupyter.session.imap.errors.FolderRefused` where the server does not make it.
    """
    folders = session.folders(counts=False)
    return folders.used_for(use) or _called_so(folders, use) or (_made(session, use) if make else "")


def _called_so(folders: FolderList, use: str) -> str:
    for wanted in _NAMES[use]:
        for folder in folders:
            last = folder.name.rpartition(folder.delimiter)[2] if folder.delimiter else folder.name
            above = folder.name[: -len(last)].rstrip(folder.delimiter)
            # "Sent" below INBOX is the mailbox's own, "Sent" in an archive of another one is not.
            if folder.selectable and last.casefold() == wanted.casefold() and above.casefold() in {"", "inbox"}:
                return folder.name
    return ""


def _made(session: IMAPSession, use: str) -> str:
    name = f"{_prefix(session)}{_NAMES[use][0]}"
    try:
        session.folder.create(name)
    except FolderRefused as error:
        # Another program has made it meanwhile (RFC 5530).
        if error.code != "ALREADYEXISTS":
            raise
    session.folder.subscribe(name)
    return name


def _prefix(session: IMAPSession) -> str:
    """What the names of one's own folders begin with, where they do: ``INBOX.`` with some servers."""
    if not session.client.includes("NAMESPACE"):
        return ""
    _, said = session.client.namespace()
    match = _PERSONAL.match(said[-1]) if said and isinstance(said[-1], bytes) else None
    return match[1].decode("ascii", "replace") if match else ""
