"""An IMAP session that opens as its connection says, and is an :class:`imap_tools.BaseMailBox` in full."""

from __future__ import annotations

import contextlib
import imaplib
import threading
from collections.abc import Generator, Iterable
from types import TracebackType
from typing import Any, Self

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError

from ...connection import MailConnection
from ...credentials.cell_literal import BY_HAND, tell_of_literal
from ...errors import MailConnError
from ...secret import STARS, Secret
from ..opening.log_in import log_in
from ..opening.over_network import Opening
from ..opening.stages import Listener
from ..transcript import Transcript
from .adapter_imap import IMAPAdapter
from .client import IMAPClient
from .commands_imap import Part
from .folder_list import FolderList, folders_of
from .folders import Folders
from .idle import PatientIdle

__all__ = ["IMAPSession"]


class IMAPSession(BaseMailBox):
    """A session with a mailbox, usable wherever an ``imap_tools.MailBox`` is: ``fetch``, ``folder``, ``idle``...

    ``IMAPSession(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, with INBOX selected; :func:`mailconn_jupyter.connect` is the short way. With ``readonly`` INBOX is
    only examined, so nothing in it changes. ``client`` is an :class:`imaplib.IMAP4`; it refuses CR, LF and NUL in
    arguments and bounds what a server may send.

    After the opening an answer may take the connection's timeout or its deadline, whichever is longer; set
    ``client.sock.settimeout`` for more; messages have the time that their bytes take, besides. ``cancel`` ends an answer
    after the opening, too. A process that is forked from this one has a link of its own, in the same folder.

    Raises :class:`~mailconn_jupyter.errors.OpenError`, which is also the class of imaplib or imap_tools that fits.
    """

    client: IMAPClient
    folder: Folders
    idle: PatientIdle
    idle_manager_class = PatientIdle
    folder_manager_class = Folders

    def __init__(
        self,
        *,
        connection: MailConnection | None = None,
        readonly: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self.connection = connection
        self.opening: Opening | None = None
        #: Whether it was opened to read only.
        self.readonly = readonly
        super().__init__()
        if connection is None:
            return
        self.opening = Opening(connection, listener=listener, cancel=cancel, ask=ask, source_address=source_address)
        self.opening.run(self.adapter)
        self._source = source_address
        self.client.reopened_by = self._open_again

    def _open_again(self) -> None:
        """Open a link of this process's own, in the folder that the parent's was in."""
        assert self.connection is not None
        folder, readonly = self.folder.get(), self.client.is_readonly
        self.opening = Opening(self.connection, ask=False, source_address=self._source)
        self.opening.run(self.adapter)
        if folder is not None and (folder != "INBOX" or readonly != self.readonly):
            self.folder.set(folder, readonly)

    def _get_mailbox_client(self) -> IMAPClient:
        return IMAPClient()

    @property
    def transcript(self) -> Transcript:
        """The last lines of the conversation, each after ``C:`` or ``S:``, with stars for every secret."""
        return self.client.transcript

    @property
    def uid_validity(self) -> str:
        """What the UIDs of the selected folder are good for (RFC 9051, 2.3.1.1); empty where the server does not say."""
        said = self.client.untagged_responses.get("UIDVALIDITY", [])
        return said[-1].decode("ascii", "replace") if said and isinstance(said[-1], bytes) else ""

    #: What opens it.
    opening_class = Opening

    @property
    def adapter(self) -> IMAPAdapter:
        """How a session of this protocol is opened."""
        return IMAPAdapter(self.client, self.folder, readonly=self.readonly)

    # Logging in by hand, for a connection that does not

    def login(self, username: str, password: str, initial_folder: str | None = "INBOX") -> Self:
        """Log in with the strongest mechanism that both sides have, once, and select a folder."""
        secret, password = Secret(password), STARS  # this frame can be in a traceback
        tell_of_literal(1, "password", "password", BY_HAND)
        self.login_result = log_in(self.client, username, secret)
        return self._in(initial_folder)

    login_utf8 = login

    def xoauth2(self, username: str, access_token: str, initial_folder: str | None = "INBOX") -> Self:
        """Log in with an OAuth 2.0 access token, and select a folder."""
        secret, access_token = Secret(access_token), STARS  # this frame can be in a traceback
        tell_of_literal(1, "access_token", "token", BY_HAND)
        self.login_result = log_in(self.client, username, secret, token=True)
        return self._in(initial_folder)

    def _in(self, folder: str | None) -> Self:
        if folder is not None:
            self.folder.set(folder)
        return self

    def folders(self, pattern: str = "*", *, counts: bool = True) -> FolderList:
        """The folders whose names fit the pattern, by default all: with their use and, where the server tells, their messages.

        Without ``counts`` it is not asked for their messages, which in a mailbox of many folders may take long.
        ``folder`` makes, renames, subscribes to and deletes one, by its name in any script.
        """
        return folders_of(self.client, pattern, counts=counts)

    # Reading

    def stream(
        self, uids: str | Iterable[str], parts: str = "(UID FLAGS BODY.PEEK[])"
    ) -> Generator[list[Part], None, None]:
        """The messages with these UIDs, one by one as they arrive, by a single command; each fits ``MailMessage``.

        ``parts`` is what FETCH asks for (RFC 9051, 6.4.5); BODY.PEEK marks nothing as read. Use the last one up, or
        close the iterator, before the next command.
        """
        return self.client.stream(uids if isinstance(uids, str) else ",".join(uids), parts)

    def require_writable(self) -> None:
        """Raise where the session was opened to read only."""
        if self.readonly:
            raise MailConnError(
                "The session is read-only. Nothing was changed.",
                hint="mailconn.connect(name) opens one that can change the mailbox.",
            )

    def noop(self) -> tuple[str, list[Any]]:
        """One round trip: the server's status and words. Raises when the link is lost."""
        answer: tuple[str, list[Any]] = self.client.noop()
        return answer

    # Ending

    def logout(self) -> tuple[Any, ...]:
        """Say farewell and close; the answer is not awaited for long."""
        with contextlib.suppress(imaplib.IMAP4.error):
            self.client.channel.begin_farewell()
        result: tuple[Any, ...] = super().logout()
        return result

    def quit(self) -> None:
        """Say farewell and close, as sessions of the other protocols do; a server that hung up first is no error.

        Where messages are still to come that nobody waits for any more, the link is closed without a word.
        """
        try:
            if self.client.sock is not None and self.client.ahead is None:
                self.logout()
        except (imaplib.IMAP4.error, ImapToolsError, OSError):
            pass
        finally:
            self.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.quit()

    def close(self) -> None:
        """Close the link at once; :meth:`quit` says farewell first."""
        self.client.shutdown()
