"""How an IMAP session is opened: the steps of its :class:`~mailconn_jupyter.session.opening.adapter.Adapter`."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterable
from typing import Any

from ...connection import MailConnection
from ...errors import OpenError
from ...formatting import counted, how_large
from ...transport.channel import Channel
from ...transport.dial import a_label
from ...transport.sasl.choose import Mechanism
from ...transport.transport_errors import readable
from ..response_codes import greeting_cause
from .client import IMAPClient
from .errors import FolderRefused, Refused
from .folders import Folders

__all__ = ["IMAPAdapter"]

_QUOTA = re.compile(rb"\b(STORAGE|MESSAGE) ([0-9]{1,18}) ([0-9]{1,18})", re.IGNORECASE)
_NO_FOLDER = re.compile(rb"\\(Noselect|NonExistent)\b", re.IGNORECASE)
_COUNT = re.compile(rb"\b(MESSAGES|UNSEEN) ([0-9]{1,18})", re.IGNORECASE)


class IMAPAdapter:
    """The steps of one opening of one session; ``readonly``: INBOX is only examined."""

    protocol = "IMAP"

    def __init__(self, client: IMAPClient, folder: Folders, *, readonly: bool) -> None:
        self._client, self._folder = client, folder
        self._readonly = readonly
        self._pinned = ""
        self._patience = 0.0

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        client = self._client
        client.take(channel, a_label(connection.server_host))
        client.port = int(connection.port or 0)
        client.plain_allowed = connection.allow_plaintext_password
        # RFC 3501, 6.2.1: STARTTLS is for a link that is not logged in, so PREAUTH would keep it plain text.
        client.may_be_preauth = not connection.use_authentication and connection.security in {"", "SSL"}
        self._pinned = connection.sasl_mechanism
        self._patience = max(connection.timeout, connection.deadline)

    def ask_for_tls(self) -> None:
        self._client.read_greeting()
        self._client.request_tls()

    def greet(self, *, greeted: bool) -> dict[str, str]:
        client, facts = self._client, {}
        if greeted:
            client.forget()
            client.ask_capabilities()
        else:
            client.read_greeting()
            facts["Server says"] = readable(client.welcome.removeprefix(b"* OK "))
        facts["Capabilities"] = ", ".join(word for word in client.capabilities if not word.startswith("AUTH="))
        if mechanisms := self.mechanisms():
            facts["Mechanisms"] = ", ".join(mechanisms)
        return facts

    def mechanisms(self) -> list[str]:
        return self._client.mechanisms(self._pinned)

    def log_in(self, mechanism: Mechanism) -> None:
        self._client.login_with(mechanism)

    def ready(self, *, testing: bool) -> dict[str, str]:
        client = self._client
        if client.state != "AUTH":
            if testing:
                client.noop()
            return {"Folders": "not asked for without a login"}
        facts = self._look_around() if testing else {}
        try:
            count, access = self._select(readonly=self._readonly or testing)
        except Refused as error:
            # An account may have none (RFC 9051, 5.1), and other folders all the same.
            if error.status != "NO" or self._has_inbox():
                raise
            facts["INBOX"] = f"there is none ({error.words})"
        else:
            facts.setdefault("INBOX", f"{count} messages")
            if access:
                facts["INBOX"] += f" ({access})"
        # To search a large folder, or to store a message, takes longer than to greet.
        client.channel.settimeout(self._patience)
        return facts

    def _select(self, *, readonly: bool) -> tuple[int, str]:
        try:
            try:
                _, data = self._folder.set("INBOX", readonly)
                access = ""
            except imaplib.IMAP4.readonly:
                # The server lets this user only read it.
                _, data = self._folder.set("INBOX", readonly=True)
                access = "read-only"
        except FolderRefused as error:
            (words,) = error.command_result[1]
            raise Refused("The server did not open INBOX", error.status, words, cause=greeting_cause(words)) from error
        return int(data[-1] or 0), access

    def _has_inbox(self) -> bool:
        """Whether the server lists a folder INBOX that can be opened, or does not say."""
        ((status, _),) = self._client.pipeline(("LIST", '""', "INBOX"))
        return status != "OK" or self._listed() > 0

    def _listed(self) -> int:
        """How many folders the last answer to LIST has that can be opened."""
        answers = self._client.untagged_responses.pop("LIST", [])
        listed = [part[0] if isinstance(part, tuple) else part for part in answers]
        return sum(1 for line in listed if line.startswith(b"(") and not _NO_FOLDER.search(line))

    def _look_around(self) -> dict[str, str]:
        """What a person wants to know of a mailbox, in one round trip; what the server does not tell is left out."""
        client = self._client
        quota = "QUOTA" in client.capabilities
        client.pipeline(
            ("LIST", '""', "*"),
            ("STATUS", "INBOX", "(MESSAGES UNSEEN)"),
            *([("GETQUOTAROOT", "INBOX")] if quota else []),
        )
        answers = client.untagged_responses
        facts = {"Folders": str(self._listed())}
        counts = {name.upper(): int(count) for name, count in _COUNT.findall(_text(answers.pop("STATUS", [])))}
        if b"MESSAGES" in counts:
            facts["INBOX"] = f"{counted(counts[b'MESSAGES'], 'message')}, {counts.get(b'UNSEEN', 0)} unseen"
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

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return self._client.failure(error, origin)

    def close(self) -> None:
        self._client.shutdown()


def _text(parts: Iterable[Any]) -> bytes:
    return b" ".join(piece for part in parts for piece in (part if isinstance(part, tuple) else (part,)) if piece)
