"""The folders of an IMAP session, each by the name that opens it."""

from __future__ import annotations

from typing import Any

from imap_tools.folder import FolderInfo, MailBoxFolderManager

__all__ = ["Folders"]


class Folders(MailBoxFolderManager):
    """As imap_tools' own, which leaves the backslashes of a name doubled, as they travel; with Domino all have some."""

    def list(self, *args: Any, **options: Any) -> list[FolderInfo]:
        """A listing of folders on the server, each with its name, delimiter and flags."""
        found = super().list(*args, **options)
        return [FolderInfo(_single(each.name), _single(each.delim), each.flags) for each in found]


def _single(text: str) -> str:
    return text.replace("\\\\", "\\")
