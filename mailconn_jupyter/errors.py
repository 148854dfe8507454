"""The errors that the package raises on purpose: a sentence, the stage, and what to do about it.

What is no protocol's own is here, or where it is raised; a protocol's classes, which are also those of ``smtplib``,
``imaplib`` or ``poplib`` that callers expect, are in ``errors.py`` of its folder. :class:`MailConnWarning` is the one
warning. The tree::

    MailConnError: Base of every error that this package raises on purpose.
        CampaignStopped: A part of a campaign ended before its end.
        CredentialError: A secret is needed and none can be had, or none can be kept safely.
            KeyringLocked: The keyring is there, and nobody has unlocked it.
            SignInError: Signing in with OAuth 2.0 failed, or is to be done again.
        DeliveryError: Not every recipient's message was accepted.
        FileChanged (mbox): Another program has rewritten the file while it was read.
        InterchangeError: A connection cannot be read from another program, or written for it.
        JournalError: The journal of a batch cannot be used.
        MailboxChanged (imap, pop3): The folder is not as it was.
        MessageError: An address or a message that cannot be sent as it is.
            MergeError: Rows of a merge give no message that could be sent.
            NoDomain: A name stands where a mail address must.
            NoEnvelope (graph): What only an envelope could carry was asked for, and Graph has none beside the headers.
            NoRecipients (smtp): A message to nobody.
            NotSupported (smtp): The message needs an extension that the server does not offer.
                ExtensionMissing (smtp): It was asked for, or the message cannot do without it.
                NotASCII (smtp): An address is not ASCII, which only SMTPUTF8 can carry.
            SMIMEError: What is to be signed or encrypted cannot be.
        NotAllAccepted: Not every message of a merge was accepted for everybody.
        NotLoggedIn (imap, pop3): A command needs a login, and the session has none.
        NotUnderstood (imap): The server's answer does not match the command.
        NotebookError: A notebook that cannot be found, read, run or exported.
        OpenError: A session could not be opened.
            SessionNotOpened (smtp, imap, pop3, mbox): An SMTP session could not be opened.
                FileLocked (mbox): Another program has locked the file.
                LoginRefused (smtp, imap, pop3): The server refused the login.
                MailboxMissing (mbox): There is no such file.
                NotAMailbox (mbox): There is something, and it is not a mailbox file.
                NotOffered (smtp, imap, pop3): The server does not offer what the connection requires.
                ServerUnreachable (smtp, imap, pop3): The server could not be reached, or its link is not what the connection asks for.
        OptionError: An option has a value that it cannot have, or two options contradict each other.
            UnknownKeyword: A function was called with a keyword that it does not have.
        ReadOnly (mbox): The session only reads.
        SandboxElsewhere: Another kernel's sandbox has the name.
        SessionBusy (imap, pop3): The answer to an earlier command is still being read.
        StoreError: A connection cannot be read from, or written to, the user's configuration.
            ConnectionChanged: The connection on disk is not the one that was read.
            UnknownConnection: No connection has that name.
            UnknownGroup: No group has that name.
        TransportError: The link failed, or is not what the policy asks for.
            LinkLost (smtp, imap, pop3): The link broke, or the server did not answer in time, or not in its protocol.
                DeliveryUnknown (smtp): The link broke after the last byte of the message.
                ReplyTooLong (smtp): A reply, or a line of one, is longer than any server's.
                ServerClosing (smtp): The server ended the session with a 421.
                    ClosedAtData (smtp): 421 in answer to DATA, or to the message.
                    ClosedAtRecipient (smtp): 421 in answer to RCPT.
                    ClosedAtSender (smtp): 421 in answer to MAIL.
            Refused (smtp, imap, pop3, graph): The server said no.
                DataRefused (smtp): The server did not take the message.
                FolderRefused (imap): The server did not do what was asked with a folder.
                GreetingRefused (smtp): The server turned this client away, or refused the greeting.
                RecipientsRefused (smtp): The server takes the message for none of the recipients.
                SenderRefused (smtp): The server does not take mail from this sender.
                    MessageTooLarge (smtp): The message is larger than the server takes.
        UnsafeArgument (imap, pop3): An argument would have made the server read another command than this one.
        WrongUsage: The arguments of a command are wrong.
            PasswordGiven: A password stood in the line.
            UsageError: The arguments of the magic are wrong.
                PasswordRefused: A password stood in the cell.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, Final

from traitlets import TraitError

__all__ = [
    "ConnectionChanged",
    "CredentialError",
    "MailConnError",
    "MailConnWarning",
    "MessageError",
    "NoDomain",
    "OpenError",
    "OptionError",
    "SMIMEError",
    "SignInError",
    "StoreError",
    "UnknownKeyword",
    "heard_warnings",
    "hidden_warning",
    "warn",
]


class MailConnWarning(UserWarning):
    """Something works, but less safely or less well than it could; the text says what to change."""


_heard: Final[ContextVar[list[str] | None]] = ContextVar("heard", default=None)


@contextmanager
def heard_warnings() -> Iterator[list[str]]:
    """What :func:`warn` says within, for a page that has a place of its own for it; other threads warn as ever."""
    heard: list[str] = []
    before = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(before)


def warn(text: str) -> None:
    """Say ``text`` as a :class:`MailConnWarning`, at the line from outside of the package that led here."""
    if (heard := _heard.get()) is not None:
        heard.append(text)
        return
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # as warnings itself counts them
    level = 1
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(text, MailConnWarning, stacklevel=level)


def hidden_warning(text: str) -> None:
    """Say ``text`` as a warning that shows no line of the caller's: a password may stand there."""
    warnings.warn_explicit(text, MailConnWarning, "mailconn-password", 1)


class MailConnError(Exception):
    """Base of every error that this package raises on purpose.

    ``message`` says what failed and where, ``hint`` (may be empty) what to do about it. In IPython the error shows
    as those one or two lines and fails the cell; ``%tb`` afterwards shows the whole cause.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        # Not super(): the subclasses are also exceptions of other libraries, whose constructors want other arguments.
        Exception.__init__(self, message)
        self.message = message
        self.hint = hint
        self._shown: TracebackType | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # To another process, which a worker's error goes to: no constructor takes the arguments that an exception keeps.
        return _remade, (type(self), self.args), vars(self) | {"_shown": None}

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    @property
    def in_one_line(self) -> str:
        """The message and the hint beside each other, where there is room for one line."""
        return f"{self.message} {self.hint}".strip()

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the short form first, and the whole cause when asked again (``%tb``)."""
        if self._shown is not None and self._shown is self.__traceback__:
            return "".join(traceback.format_exception(self)).splitlines()
        self._shown = self.__traceback__
        return [f"{type(self).__name__}: {self.message}", *([self.hint] if self.hint else [])]


def _remade(kind: type[MailConnError], arguments: tuple[Any, ...]) -> MailConnError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


class OptionError(MailConnError, TraitError, ValueError):
    """An option has a value that it cannot have, or two options contradict each other.

    ``trait`` names the option, so that a form can show the message beside its field.
    """

    def __init__(self, message: str, *, trait: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.trait = trait


class UnknownKeyword(OptionError, TypeError):
    """A function was called with a keyword that it does not have; ``trait`` is the keyword."""


class MessageError(MailConnError, ValueError):
    """An address or a message that cannot be sent as it is. Nothing was sent."""


class NoDomain(MessageError):
    """A name stands where a mail address must: ``root``. ``name`` is it."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message, hint="For example: ana@example.org")
        self.name = name


class SMIMEError(MessageError):
    """What is to be signed or encrypted cannot be: a certificate or a key is missing, or not what it must be."""


class StoreError(MailConnError):
    """A connection cannot be read from, or written to, the user's configuration. Nothing on disk was changed."""


class ConnectionChanged(StoreError):
    """The connection on disk is not the one that was read: saving would undo somebody's change."""


class CredentialError(MailConnError):
    """A secret is needed and none can be had, or none can be kept safely."""


class SignInError(CredentialError):
    """Signing in with OAuth 2.0 failed, or is to be done again.

    ``error`` is the authorization server's own word (RFC 6749, 5.2), empty where it said none; ``cause`` a short fixed
    word: ``sign-in`` (a person has to sign in), ``sign-in-refused``, ``sign-in-unreachable``, ``sign-in-option``.
    """

    def __init__(self, message: str, *, cause: str, error: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cause = cause
        self.error = error


class OpenError(MailConnError):
    """A session could not be opened; ``stage`` is the stage that failed, ``cause`` a short fixed word for why.

    The causes are those of :mod:`mailconn_jupyter.session.opening.hints`. ``temporary``: the server was busy, or said that
    it may be tried again later.
    """

    temporary = False

    def __init__(self, message: str, *, stage: str, cause: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.stage = stage
        self.cause = cause
