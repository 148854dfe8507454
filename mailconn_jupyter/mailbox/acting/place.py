"""Where messages lie, and the session that reaches them: one that is open, or one that is opened for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from ...connection import MailConnection
from ...session.connect import open_session

__all__ = ["Place"]

_READ_ONLY: Final = frozenset({"IMAP", "MBOX"})


class Place:
    """A folder of a mailbox, and what it was when its messages were read.

    ``target`` is a connection, or a session of somebody else's, which stays open. ``validity`` is what the server says
    of its UIDs (UIDVALIDITY; RFC 9051, 2.3.1.1), None as long as none was read: with another one they mean other
    messages. ``reading`` is the session that is being read from, where it was opened for that.
    """

    def __init__(self, target: Any, protocol: str, folder: str) -> None:
        self.connection: MailConnection | None = target if isinstance(target, MailConnection) else target.connection
        self.session: Any = None if isinstance(target, MailConnection) else target
        self.protocol = protocol
        self.folder = folder
        self.validity: str | None = None
        self.reading: Any = None
        self._acting: Any = None

    def is_that_of(self, other: Place) -> bool:
        """Whether the two are one folder, reached in the same way."""
        here, there = (self.session, self.folder, self.validity), (other.session, other.folder, other.validity)
        return self is other or (here == there and self.connection == other.connection)

    @contextlib.contextmanager
    def opened(self, *, readonly: bool) -> Iterator[Any]:
        """A session that may change it, or with ``readonly`` need not.

        As long as messages are being read the same one serves each action; POP3 lets nobody in beside the one that reads.
        """
        if self.session is not None:
            yield self.session
            return
        if self.protocol == "POP3" and self.reading is not None:
            yield self.reading
            return
        session, self._acting = self._acting or self.open(readonly=readonly and self.reading is None), None
        try:
            yield session
        except BaseException:
            session.close()
            raise
        if self.reading is not None and self.protocol == "IMAP":
            self._acting = session
        else:
            session.quit()

    def came_from(self, session: Any) -> None:
        """A message was read by this session, in the folder that it has selected."""
        if self.protocol == "IMAP" and self.validity is None:
            self.validity = session.uid_validity

    def open(self, *, readonly: bool) -> Any:
        """A session of its own."""
        assert self.connection is not None
        return open_session(self.connection, readonly=readonly if self.protocol in _READ_ONLY else None)

    def read_up(self) -> None:
        """Nothing is read any more."""
        self.reading = None
        acting, self._acting = self._acting, None
        if acting is not None:
            acting.quit()

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: the connection, and no session."""
        return self.__dict__ | {"session": None, "reading": None, "_acting": None}
