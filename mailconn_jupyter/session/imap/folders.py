"""The folders of an IMAP session, each by the name that opens it; an answer that is none is an error of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from imap_tools.errors import UnexpectedCommandStatusError
from imap_tools.folder import FolderInfo, MailBoxFolderManager
from imap_tools.imap_utf7 import utf7_decode
from imap_tools.utils import encode_folder

from ...errors import MailConnError
from ...transport.transport_errors import readable
from .errors import FolderRefused, NotUnderstood, Refused
from .folder_lines import folder_lines

__all__ = ["Folders", "encoded", "same_folder"]


class Folders(MailBoxFolderManager):
    """As imap_tools' own, which leaves the backslashes of a name doubled, as they travel; with Domino all have some.

    And which takes the square of the length of a listing to read it.
    """

    def set(self, folder: str | bytes, readonly: bool = False) -> tuple[Any, ...]:
        """Select a folder."""
        with _done("did not open", folder):
            return tuple(super().set(folder, readonly))

    def create(self, folder: str | bytes) -> tuple[Any, ...]:
        """Make a folder; the server's delimiter stands between the levels of a name."""
        with _done("did not create", folder):
            return tuple(super().create(folder))

    def rename(self, old_name: str | bytes, new_name: str | bytes) -> tuple[Any, ...]:
        """Call a folder something else, with those below it."""
        with _done("did not rename", old_name):
            return tuple(super().rename(old_name, new_name))

    def delete(self, folder: str | bytes) -> tuple[Any, ...]:
        """Delete a folder, with its messages."""
        with _done("did not delete", folder):
            return tuple(super().delete(folder))

    def subscribe(self, folder: str | bytes, value: bool = True) -> tuple[Any, ...]:
        """Have mail programs list a folder, or with False no longer."""
        with _done("did not subscribe to" if value else "did not unsubscribe from", folder):
            return tuple(super().subscribe(folder, value))

    def status(self, folder: str | bytes | None = None, options: Iterable[str] | None = None) -> dict[str, int]:
        """What the server counts in a folder, by default in the one that is selected."""
        given = self.get() if folder is None else folder
        if given is None:
            raise ValueError("Name a folder: none is selected.")
        with _done("did not give the status of", given), _understood("STATUS"):
            return dict(super().status(given, options))

    def list(
        self, folder: str | bytes = "", search_args: str | bytes = "*", subscribed_only: bool = False
    ) -> list[FolderInfo]:
        """A listing of folders on the server, each with its name, delimiter and flags."""
        client: Any = self.mailbox.client
        command = "LSUB" if subscribed_only else "LIST"
        status, said = client._simple_command(command, encode_folder(folder), encode_folder(search_args))  # noqa: SLF001  # imaplib's own
        lines = client.untagged_responses.pop(command, [])
        if status != "OK":
            raise Refused("The server did not list the folders", status, said[-1] or b"")
        with _understood(command):
            return [
                FolderInfo(utf7_decode(line.name), "NIL" if line.delimiter is None else line.delimiter, line.flags)
                for line in folder_lines(lines)
            ]


def encoded(name: str) -> str:
    """A folder's name as a command has it: in modified UTF-7 (RFC 3501, 5.1.3), quoted."""
    return encode_folder(name).decode("ascii")


def same_folder(one: str, other: str) -> bool:
    """Whether two names open one folder (RFC 9051, 5.1: INBOX in any case)."""
    return one == other or one.upper() == other.upper() == "INBOX"


@contextmanager
def _done(what: str, folder: str | bytes) -> Iterator[None]:
    try:
        yield
    except UnexpectedCommandStatusError as error:
        name = folder if isinstance(folder, str) else folder.decode("utf-8", "replace")
        status, said = error.command_result[:2]
        text = said[-1] if isinstance(said[-1], bytes) else b""
        raise FolderRefused(f"The server {what} the folder {name!r}", status, text) from error


@contextmanager
def _understood(command: str) -> Iterator[None]:
    try:
        yield
    except MailConnError:
        raise
    except (LookupError, UnicodeError, ValueError) as error:
        raise NotUnderstood(
            f"The server's reply to {command} is not valid IMAP ({readable(str(error), 100)})."
        ) from error
