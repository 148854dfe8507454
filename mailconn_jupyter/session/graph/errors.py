"""The errors of a session with Microsoft Graph. No standard library has such a session, so they are nobody's but ours.

Graph's form of an error, and its statuses: https://learn.microsoft.com/graph/errors
"""

from __future__ import annotations

from typing import Final

from ...errors import MessageError
from ...transport.http_question import Reply
from ...transport.transport_errors import readable
from ..opening import error_classes

__all__ = ["BUSY", "NoEnvelope", "Refused", "refusal", "words_of"]

#: Not done, and to be tried again when ``Retry-After`` has passed (https://learn.microsoft.com/graph/throttling).
BUSY: Final = frozenset({429, 503})

#: By Graph's own word: a cause of :mod:`~mailconn_jupyter.session.opening.hints`, and what to do.
_CODES: Final = {
    "ErrorAccessDenied": (
        "no-permission",
        "The app needs the permission Mail.Send of Microsoft Graph, and Mail.ReadWrite for a large message.",
    ),
    "ErrorSendAsDenied": (
        "foreign-sender",
        "The mailbox may not send as the address in From: use its own, or have the administrator allow Send As.",
    ),
    "MailboxNotEnabledForRESTAPI": (
        "no-mailbox",
        "The user has no mailbox in Exchange Online (it is elsewhere, or has no licence): check the username.",
    ),
}
_ALSO: Final = {
    "Authorization_RequestDenied": "ErrorAccessDenied",
    "ErrorInvalidUser": "MailboxNotEnabledForRESTAPI",
    "ErrorNonExistentMailbox": "MailboxNotEnabledForRESTAPI",
    "MailboxNotSupportedForRESTAPI": "MailboxNotEnabledForRESTAPI",
    "ResourceNotFound": "MailboxNotEnabledForRESTAPI",
    "Request_ResourceNotFound": "MailboxNotEnabledForRESTAPI",
}
#: What Graph says to an app that has no user, of a path that begins with ``/me``.
_NO_USER: Final = "delegated authentication"


class Refused(error_classes.Refused):
    """Graph said no: ``status`` is that of HTTP, ``code`` Graph's own word (may be empty), ``words`` what it says.

    ``temporary``: it may be tried again later.
    """

    def __init__(
        self, what: str, reply: Reply, words: str, *, code: str = "", cause: str = "refused-by-server", hint: str = ""
    ) -> None:
        super().__init__(f"{what}: {reply.status} {words}", cause=cause, hint=hint)
        self.status, self.code, self.words = reply.status, code, words
        self.temporary = reply.status in BUSY


class NoEnvelope(MessageError):
    """What only an envelope could carry was asked for, and Graph has none beside the headers; nothing was sent."""


def words_of(reply: Reply) -> tuple[str, str]:
    """Graph's own word for an error, and what it says with it; of what is not Graph's answer, what it is instead."""
    if 300 <= reply.status < 400:
        return "", "redirected to another address, to which no token is sent"
    error = reply.fields.inner("error") if reply.fields is not None else None
    code = readable(error.text("code"), 60) if error is not None else ""
    if error is None or not code:
        return "", readable(f"{reply.kind or 'nothing'} instead of Graph's reply")
    return code, ": ".join(filter(None, (code, readable(error.text("message")))))


def refusal(reply: Reply, what: str = "Graph refused it") -> Refused:
    """What a no means."""
    code, words = words_of(reply)
    cause, hint = _CODES.get(_ALSO.get(code, code), ("refused-by-server", ""))
    if reply.status == 401:
        cause, hint = "token-refused", ""
    elif reply.status in BUSY:
        cause, hint = "rate-limited", "Wait a few minutes before the next try."
    elif _NO_USER in words:
        cause, hint = "app-only", "The token belongs to the app itself: set oauth_flow to client_credentials."
    elif not code:
        cause = "bad-reply"
    return Refused(what, reply, words, code=code, cause=cause, hint=hint)
