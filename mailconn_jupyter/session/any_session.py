"""What a type checker takes the session of a connection for, whose protocol it cannot know. Nothing imports it to run."""

from __future__ import annotations

from typing import Any

from .graph.session import GraphSession
from .imap.session import IMAPSession
from .mbox.session import MBOXSession
from .pop3.session import POP3Session
from .smtp.session import SMTPSession

__all__ = ["AnySession", "ReadingSession"]

ReadingSession = IMAPSession | POP3Session | MBOXSession


class AnySession(SMTPSession, IMAPSession, POP3Session, MBOXSession, GraphSession):  # type: ignore[misc]  # no session is all of them
    """What any of the sessions has, so that it goes where each of them goes, and a misspelt method is an error.

    ``connect_smtp()`` and its like know which one it is.
    """

    # What the protocols have in common by name alone.
    login: Any
    noop: Any
    opening: Any
    quit: Any
    rset: Any
    transcript: Any
