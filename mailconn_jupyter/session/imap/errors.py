"""The errors of an IMAP session, each also the class of :mod:`imaplib` or imap_tools that its callers expect."""

from __future__ import annotations

import imaplib
from typing import Final

from imap_tools.errors import (
    MailboxFolderCreateError,
    MailboxFolderDeleteError,
    MailboxFolderRenameError,
    MailboxFolderSelectError,
    MailboxFolderStatusError,
    MailboxFolderSubscribeError,
    MailboxLoginError,
)

from ...errors import MailConnError, OpenError
from ...transport.transport_errors import readable
from .. import line_arguments
from ..opening import error_classes
from ..response_codes import response_code

__all__ = [
    "FolderRefused",
    "LinkLost",
    "LoginRefused",
    "MailboxChanged",
    "NotLoggedIn",
    "NotOffered",
    "NotUnderstood",
    "Refused",
    "ServerUnreachable",
    "SessionBusy",
    "SessionNotOpened",
    "UnsafeArgument",
    "open_error",
]


class LinkLost(error_classes.LinkLost, imaplib.IMAP4.abort):
    """The link broke, or the server did not answer in time, or not in IMAP; the session is closed."""


class Refused(error_classes.Refused, imaplib.IMAP4.error):
    """The server said no: ``status`` is NO, BAD or BYE, ``code`` its response code (may be empty), and its ``words``."""

    def __init__(
        self, what: str, status: str, text: bytes, *, cause: str = "refused-by-server", hint: str = ""
    ) -> None:
        self.status, self.code, self.words = status, response_code(text), readable(text)
        super().__init__(f"{what}: {status} {self.words}", cause=cause, hint=hint)


class FolderRefused(
    Refused,
    MailboxFolderCreateError,
    MailboxFolderDeleteError,
    MailboxFolderRenameError,
    MailboxFolderSelectError,
    MailboxFolderStatusError,
    MailboxFolderSubscribeError,
):
    """The server did not do what was asked with a folder; ``command_result`` holds its words, as imap_tools has them."""

    def __init__(self, what: str, status: str, text: bytes, *, hint: str = "") -> None:
        super().__init__(what, status, text, hint=hint)
        self.command_result, self.expected = (status, [text]), "OK"

    __str__ = MailConnError.__str__


class UnsafeArgument(line_arguments.UnsafeArgument, imaplib.IMAP4.error):
    """An argument would have made the server read another command than this one; nothing was sent."""


class SessionBusy(MailConnError, imaplib.IMAP4.error):
    """The answer to an earlier command is still being read; nothing was sent."""


class MailboxChanged(MailConnError, imaplib.IMAP4.error):
    """The folder is not as it was: the UIDs that were known mean other messages; nothing was changed."""


class NotLoggedIn(error_classes.NotLoggedIn, imaplib.IMAP4.error):
    """The command needs a login, and the session has none; nothing was sent."""


class NotUnderstood(MailConnError, imaplib.IMAP4.error):
    """The server's answer does not match the command; the session goes on."""


class SessionNotOpened(OpenError, imaplib.IMAP4.error):
    """An IMAP session could not be opened."""


class ServerUnreachable(SessionNotOpened, imaplib.IMAP4.abort):
    """The server could not be reached, or its link is not what the connection asks for."""


class NotOffered(SessionNotOpened):
    """The server does not offer what the connection requires."""


class LoginRefused(SessionNotOpened, MailboxLoginError):
    """The server refused the login; ``command_result`` holds its words, as imap_tools has them."""

    command_result: tuple[str, list[bytes]] = ("NO", [b""])
    expected = "OK"


_KINDS: Final = error_classes.OpenKinds(SessionNotOpened, ServerUnreachable, NotOffered, LoginRefused)


def open_error(error: OpenError, origin: Exception) -> OpenError:
    """The error of a failed opening, as the class that callers of imaplib and imap_tools expect."""
    failure = _KINDS.of(error, origin)
    if isinstance(failure, LoginRefused) and isinstance(origin, Refused):
        failure.command_result = (origin.status, [origin.words.encode()])
    return failure
