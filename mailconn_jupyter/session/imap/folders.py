"""The folders of an IMAP session, each by the name that opens it; an answer that is none is an error of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from imap_tools.folder import FolderInfo, MailBoxFolderManager
from imap_tools.utils import encode_folder

from ...errors import MailConnError
from ...transport.transport_errors import readable
from .errors import NotUnderstood

__all__ = ["Folders", "encoded"]


class Folders(MailBoxFolderManager):
    """As imap_tools' own, which leaves the backslashes of a name doubled, as they travel; with Domino all have some."""

    def status(self, folder: str | bytes | None = None, options: Iterable[str] | None = None) -> dict[str, int]:
        """What the server counts in a folder, by default in the one that is selected."""
        given = self.get() if folder is None else folder
        if given is None:
            raise ValueError("Name a folder: none is selected.")
        with _understood("STATUS"):
            return dict(super().status(given, options))

    def list(self, *args: Any, **options: Any) -> list[FolderInfo]:
        """A listing of folders on the server, each with its name, delimiter and flags."""
        with _understood("LIST"):
            found = super().list(*args, **options)
        return [FolderInfo(_single(each.name), _single(each.delim), each.flags) for each in found]


def encoded(name: str) -> str:
    """A folder's name as a command has it: in modified UTF-7 (RFC 3501, 5.1.3), quoted."""
    return encode_folder(name).decode("ascii")


@contextmanager
def _understood(command: str) -> Iterator[None]:
    try:
        yield
    except MailConnError:
        raise
    except (LookupError, UnicodeError, ValueError) as error:
        raise NotUnderstood(
            f"The server's answer to {command} is not one of IMAP ({readable(str(error), 100)})."
        ) from error


def _single(text: str) -> str:
    return text.replace("\\\\", "\\")
