"""An IMAP session that opens as its connection says, and is an :class:`imap_tools.BaseMailBox` in full."""

from __future__ import annotations

import contextlib
import imaplib
import re
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, UnexpectedCommandStatusError

from ...connection import MailConnection
from ...credentials import Secret
from ...errors import OpenError, OptionError
from ...formatting import how_large
from ...transport.channel import Channel
from ...transport.dial import a_label
from ...transport.sasl.choose import Mechanism
from ...transport.transport_errors import readable
from ..opening.run_stages import Opening
from ..opening.stages import Listener
from .client import IMAPClient
from .commands_imap import Part
from .errors import Refused, open_error
from .idle import PatientIdle

__all__ = ["IMAPSession"]

_FAREWELL = 2.0  # seconds for the answer to LOGOUT
_QUOTA = re.compile(rb"\b(STORAGE|MESSAGE) ([0-9]{1,18}) ([0-9]{1,18})", re.IGNORECASE)
_NO_FOLDER = re.compile(rb"\\(Noselect|NonExistent)\b", re.IGNORECASE)
_COUNT = re.compile(rb"\b(MESSAGES|UNSEEN) ([0-9]{1,18})", re.IGNORECASE)


class IMAPSession(BaseMailBox):
    """A session with a mailbox, usable wherever an ``imap_tools.MailBox`` is: ``fetch``, ``folder``, ``idle``...

    ``IMAPSession(connection=connection)`` opens as the :class:`~mailconn_jupyter.connection.MailConnection` says:
    secured, logged in, with INBOX selected; :func:`mailconn_jupyter.connect` is the short way. With ``readonly`` INBOX is
    only examined, so nothing in it changes. ``client`` is an :class:`imaplib.IMAP4`; it refuses CR, LF and NUL in
    arguments and bounds what a server may send.

    After the opening an answer may take the connection's timeout or its deadline, whichever is longer; set
    ``client.sock.settimeout`` for more. ``survey`` has the last stage also count folders and ask for the quota.

    Raises :class:`~mailconn_jupyter.errors.OpenError`, which is also the class of imaplib or imap_tools that fits.
    """

    client: IMAPClient
    idle_manager_class = PatientIdle

    def __init__(
        self,
        *,
        connection: MailConnection | None = None,
        readonly: bool = False,
        survey: bool = False,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        if connection is not None and connection.protocol != "IMAP":
            raise OptionError(f"{connection.name}: the protocol is {connection.protocol}, not IMAP.", trait="protocol")
        self.connection = connection
        self.opening: Opening | None = None
        self._readonly = readonly
        self._survey = survey
        self._pinned = ""
        self._patience = 60.0
        super().__init__()
        if connection is None:
            return
        self.opening = Opening(connection, listener=listener, cancel=cancel, ask=ask, source_address=source_address)
        self.opening.run(self)

    def _get_mailbox_client(self) -> IMAPClient:
        return IMAPClient()

    @property
    def transcript(self) -> list[str]:
        """The last lines of the conversation, each after ``C:`` or ``S:``, with stars for every secret."""
        return self.client.transcript

    # The steps of an opening

    def _attach(self, channel: Channel, connection: MailConnection) -> None:
        client = self.client
        client.take(channel, a_label(connection.server_host))
        client.port = int(connection.port or 0)
        client.plain_allowed = connection.allow_plaintext_password
        # RFC 3501, 6.2.1: STARTTLS is for a link that is not logged in, so PREAUTH would keep it plain text.
        client.may_be_preauth = not connection.use_authentication and connection.security in {"", "SSL"}
        self._pinned = connection.sasl_mechanism
        self._patience = max(connection.timeout, connection.deadline)

    def _ask_for_tls(self) -> None:
        self.client.read_greeting()
        self.client.request_tls()

    def _greet(self, *, greeted: bool) -> dict[str, str]:
        client = self.client
        facts = {}
        if greeted:
            client.forget()
            client.ask_capabilities()
        else:
            client.read_greeting()
            facts["Server says"] = readable(client.welcome.removeprefix(b"* OK "))
        facts["Capabilities"] = ", ".join(word for word in client.capabilities if not word.startswith("AUTH="))
        if mechanisms := self._mechanisms():
            facts["Mechanisms"] = ", ".join(mechanisms)
        return facts

    def _mechanisms(self) -> list[str]:
        return self.client.mechanisms(self._pinned)

    def _login_with(self, mechanism: Mechanism) -> None:
        self.client.login_with(mechanism)

    def _ready(self) -> dict[str, str]:
        client = self.client
        if client.state != "AUTH":
            client.noop()
            return {"Folders": "not asked for without a login"}
        facts = self._look_around() if self._survey else {}
        count, access = self._select()
        facts.setdefault("INBOX", f"{count} messages")
        if access:
            facts["INBOX"] += f" ({access})"
        # To search a large folder, or to store a message, takes longer than to greet.
        client.channel.settimeout(self._patience)
        return facts

    def _select(self) -> tuple[int, str]:
        try:
            try:
                _, data = self.folder.set("INBOX", self._readonly)
                access = ""
            except imaplib.IMAP4.readonly:
                # The server lets this user only read it.
                _, data = self.folder.set("INBOX", readonly=True)
                access = "read-only"
        except UnexpectedCommandStatusError as error:
            status, said = error.command_result[:2]
            raise Refused("The server does not open INBOX", status, said[-1] or b"") from error
        return int(data[-1] or 0), access

    def _look_around(self) -> dict[str, str]:
        """What a person wants to know of a mailbox, in one round trip; what the server does not tell is left out."""
        client = self.client
        quota = "QUOTA" in client.capabilities
        client.pipeline(
            ("LIST", '""', "*"),
            ("STATUS", "INBOX", "(MESSAGES UNSEEN)"),
            *([("GETQUOTAROOT", "INBOX")] if quota else []),
        )
        answers = client.untagged_responses
        listed = [part[0] if isinstance(part, tuple) else part for part in answers.pop("LIST", [])]
        facts = {"Folders": str(sum(1 for line in listed if line.startswith(b"(") and not _NO_FOLDER.search(line)))}
        counts = {name.upper(): int(count) for name, count in _COUNT.findall(_text(answers.pop("STATUS", [])))}
        if b"MESSAGES" in counts:
            facts["INBOX"] = f"{counts[b'MESSAGES']} messages, {counts.get(b'UNSEEN', 0)} unseen"
        limits = {
            name.upper(): (int(used), int(most)) for name, used, most in _QUOTA.findall(_text(answers.pop("QUOTA", [])))
        }
        if b"STORAGE" in limits:
            used, most = limits[b"STORAGE"]  # in units of 1024 bytes
            facts["Quota"] = f"{how_large(used * 1024)} of {how_large(most * 1024)} used"
        elif b"MESSAGE" in limits:
            used, most = limits[b"MESSAGE"]
            facts["Quota"] = f"{used} of {most} messages"
        return facts

    def _failure(self, error: OpenError, origin: Exception) -> OpenError:
        return open_error(error, origin)

    # Logging in by hand, for a connection that does not

    def login(self, username: str, password: str, initial_folder: str | None = "INBOX") -> Self:
        """Log in with the strongest mechanism that both sides have, once, and select a folder."""
        secret, password = Secret(password), "********"  # this frame can be in a traceback
        self.login_result = self.client.log_in(username, secret)
        return self._in(initial_folder)

    login_utf8 = login

    def xoauth2(self, username: str, access_token: str, initial_folder: str | None = "INBOX") -> Self:
        """Log in with an OAuth 2.0 access token, and select a folder."""
        secret, access_token = Secret(access_token), "********"  # this frame can be in a traceback
        self.login_result = self.client.log_in(username, secret, token=True)
        return self._in(initial_folder)

    def _in(self, folder: str | None) -> Self:
        if folder is not None:
            self.folder.set(folder)
        return self

    # Reading

    def stream(self, uids: str | Iterable[str], parts: str = "(UID FLAGS BODY.PEEK[])") -> Iterator[list[Part]]:
        """The messages with these UIDs, one by one as they arrive, by a single command; each fits ``MailMessage``.

        ``parts`` is what FETCH asks for (RFC 9051, 6.4.5); BODY.PEEK marks nothing as read. Use the last one up, or
        close the iterator, before the next command.
        """
        chosen = uids if isinstance(uids, str) else ",".join(uids)
        return self.client.stream(chosen, parts) if chosen else iter(())

    # Ending

    def logout(self) -> tuple[Any, ...]:
        """Say farewell and close; the answer is not awaited for long."""
        with contextlib.suppress(imaplib.IMAP4.error):
            self.client.channel.settimeout(_FAREWELL)
        result: tuple[Any, ...] = super().logout()
        return result

    def quit(self) -> None:
        """Say farewell and close, as sessions of the other protocols do; a server that hung up first is no error."""
        try:
            if self.client.sock is not None:
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


def _text(parts: Iterable[Any]) -> bytes:
    return b" ".join(piece for part in parts for piece in (part if isinstance(part, tuple) else (part,)) if piece)
