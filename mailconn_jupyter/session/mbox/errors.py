"""The errors of a mailbox file, each also the class of :mod:`mailbox` that its callers expect."""

from __future__ import annotations

import mailbox

from ...errors import MailConnError, OpenError

__all__ = ["FileChanged", "FileLocked", "MailboxMissing", "NotAMailbox", "ReadOnly", "SessionNotOpened", "open_error"]


class SessionNotOpened(OpenError, mailbox.Error):
    """A mailbox file could not be opened."""


class MailboxMissing(SessionNotOpened, mailbox.NoSuchMailboxError):
    """There is no such file."""


class NotAMailbox(SessionNotOpened, mailbox.FormatError):
    """There is something, and it is not a mailbox file."""


class FileLocked(SessionNotOpened, mailbox.ExternalClashError):
    """Another program has locked the file."""


class ReadOnly(MailConnError, mailbox.Error):
    """The session only reads; nothing was changed."""


class FileChanged(MailConnError, mailbox.ExternalClashError):
    """Another program has rewritten the file while it was read."""


_KINDS: dict[str, type[SessionNotOpened]] = {
    "no-file": MailboxMissing,
    "no-regular-file": NotAMailbox,
    "not-a-mailbox": NotAMailbox,
    "locked": FileLocked,
}


def open_error(error: OpenError) -> OpenError:
    """The error of a failed opening, as the class that callers of mailbox expect."""
    kind = _KINDS.get(error.cause, SessionNotOpened)
    return kind(error.message, stage=error.stage, cause=error.cause, hint=error.hint)
