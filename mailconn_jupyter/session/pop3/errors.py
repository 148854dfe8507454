"""The errors of a POP3 session, each also the class of :mod:`poplib` that its callers expect."""

from __future__ import annotations

import poplib
from typing import Final

from ...errors import MailConnError, OpenError
from ...transport.transport_errors import readable
from .. import line_arguments
from ..opening import error_classes
from ..response_codes import response_code

__all__ = [
    "LinkLost",
    "LoginRefused",
    "MailboxChanged",
    "NotLoggedIn",
    "NotOffered",
    "Refused",
    "ServerUnreachable",
    "SessionBusy",
    "SessionNotOpened",
    "UnsafeArgument",
    "open_error",
]


class LinkLost(error_classes.LinkLost, poplib.error_proto):
    """The link broke, or the server did not answer in time, or not in POP3; the session is closed.

    Messages that were marked as deleted are still there: a server deletes at the end of a session, when it has answered
    ``quit()``.
    """


class Refused(error_classes.Refused, poplib.error_proto):
    """The server answered -ERR: ``code`` is its response code (RFC 2449, may be empty), and ``words`` what it said."""

    def __init__(self, what: str, text: bytes, *, cause: str = "refused-by-server", hint: str = "") -> None:
        self.code, self.words = response_code(text), readable(text)
        super().__init__(f"{what}: {self.words or '-ERR'}", cause=cause, hint=hint)


class UnsafeArgument(line_arguments.UnsafeArgument, poplib.error_proto):
    """An argument would have made the server read another command than this one; nothing was sent."""


class SessionBusy(MailConnError, poplib.error_proto):
    """The answers to earlier commands are still being read; nothing was sent."""


class NotLoggedIn(error_classes.NotLoggedIn, poplib.error_proto):
    """The command needs a login, and the session has none; nothing was sent."""


class MailboxChanged(MailConnError, poplib.error_proto):
    """Other messages have the numbers that were known; nothing was sent."""


class SessionNotOpened(OpenError, poplib.error_proto):
    """A POP3 session could not be opened; ``code`` and ``words`` are as for :class:`Refused`, where the server said no."""

    code = words = ""


class ServerUnreachable(SessionNotOpened):
    """The server could not be reached, or its link is not what the connection asks for."""


class NotOffered(SessionNotOpened):
    """The server does not offer what the connection requires."""


class LoginRefused(SessionNotOpened):
    """The server refused the login."""


_KINDS: Final = error_classes.OpenKinds(SessionNotOpened, ServerUnreachable, NotOffered, LoginRefused)


def open_error(error: OpenError, origin: Exception) -> OpenError:
    """The error of a failed opening, as the class that callers of poplib expect."""
    failure = _KINDS.of(error, origin)
    if isinstance(origin, Refused):
        failure.code, failure.words = origin.code, origin.words
    return failure
