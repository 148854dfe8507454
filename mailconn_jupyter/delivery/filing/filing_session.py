"""A session with the mailbox that copies and drafts are put into."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ...connection import MailConnection
from ...errors import MailConnError, OptionError
from ...session.connect import open_session

if TYPE_CHECKING:
    from ...session.imap.appending import Appended
    from ...session.imap.session import IMAPSession

__all__ = ["FilingSession", "require_imap"]

_IDLE = 5.0  # seconds after which a NOOP makes sure that the server is still there
#: What each kind of message is marked as.
_FLAGS: Final = {"sent": r"\Seen", "drafts": r"\Draft \Seen"}


def require_imap(connection: MailConnection) -> None:
    """Raise unless it leads to a mailbox in which something can be put."""
    if connection.protocol != "IMAP":
        raise OptionError(
            f"{connection.name}: messages are saved by IMAP, not by {connection.protocol}.",
            trait="protocol",
            hint="Name an IMAP connection.",
        )


class FilingSession:
    """An IMAP session for messages that are put into the folder that is for them; it can wait for the next one."""

    ended = False

    def __init__(self, session: IMAPSession) -> None:
        self.session = session
        self._folders: dict[str, str] = {}
        self._used = time.monotonic()

    @classmethod
    def opened(cls, connection: MailConnection, *, ask: bool) -> FilingSession:
        """Open it; in the folder that it begins in, nothing changes."""
        require_imap(connection)
        session: IMAPSession = open_session(connection, ask=ask, readonly=True)
        return cls(session)

    @property
    def sock(self) -> object | None:
        sock: object | None = self.session.client.sock
        return sock

    def still_there(self) -> bool:
        """Whether the link is, as far as it can be known."""
        if self.sock is None or self.session.client.channel.hung_up:
            return False
        if time.monotonic() - self._used < _IDLE:
            return True
        with suppress(MailConnError, OSError):
            self.session.noop()
            return self.sock is not None
        return False

    def folder(self, use: str, *, make: bool = True) -> str:
        """The folder for what was ``sent``, or for ``drafts``; empty where there is none, and none is to be made."""
        from ...session.imap.special_folder import special_folder  # noqa: PLC0415  # imap-tools, for those who have it

        if use not in self._folders:
            if not (found := special_folder(self.session, use, make=make)):
                return ""
            self._folders[use] = found
        return self._folders[use]

    def put(self, messages: Sequence[bytes], use: str) -> list[Appended]:
        """Put messages into the folder for that, and return what the server said of each.

        A folder that is gone meanwhile is looked for again, once.
        """
        from ...session.imap.appending import append_all  # noqa: PLC0415  # as above

        said = append_all(self.session.client, self.folder(use), messages, _FLAGS[use])
        self._used = time.monotonic()
        gone = [number for number, each in enumerate(said) if each.code in {"TRYCREATE", "NONEXISTENT"}]
        if gone:
            del self._folders[use]
            again = append_all(
                self.session.client, self.folder(use), [messages[number] for number in gone], _FLAGS[use]
            )
            for number, each in zip(gone, again, strict=True):
                said[number] = each
        return said

    def quit(self) -> None:
        self.session.quit()

    def close(self) -> None:
        self.session.close()
