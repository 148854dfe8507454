"""IMAP's side of the fault catalogue."""

from __future__ import annotations

import base64
import imaplib
from collections.abc import Sequence

from tests.contract.kit import ProtocolKit
from tests.contract.smtp import expect
from tests.servers.conversation import Conversation, UnexpectedError

__all__ = ["IMAPKit"]


class IMAPKit(ProtocolKit):
    """RFC 3501; with or without initial responses (SASL-IR, RFC 4959)."""

    protocol = "IMAP"
    error = imaplib.IMAP4.error
    bad_greetings = (
        b"220 mail.test ESMTP\r\n",
        b"+OK POP3 ready\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\r\n",
        b"*OK ready\r\n",
        b"A1 OK ready\r\n",
        b"+ ready\r\n",
        b"* NO not you\r\n",
        b"* BYE too busy\r\n",
        b"* 1 EXISTS\r\n",
        b"* 1 FETCH (BODY[] {99999999999999999999}\r\n",
        b"\x00\xff\x16\x03\x01\r\n",
    )
    greeting_start = b"* OK "
    challenge_start = b"+ "
    endless_line = b"* OK more\r\n"

    def __init__(self, *, initial_responses: bool = True) -> None:
        self._initial = initial_responses
        self._tags: list[bytes] = []

    def _expect(self, talk: Conversation, pattern: bytes) -> Sequence[bytes]:
        """Read a command, keep its tag, and return the pattern's groups."""
        tag, *groups = expect(talk, rb"(\S+) " + pattern).groups()
        self._tags.append(tag)
        return groups

    def _end(self, talk: Conversation, text: bytes, before: bytes = b"") -> None:
        talk.send(before + self._tags.pop(0) + b" " + text + b"\r\n")

    def greet(self, talk: Conversation) -> None:
        self._tags.clear()
        talk.send(b"* OK mail.test ready\r\n")

    def asked_for_capabilities(self, talk: Conversation) -> None:
        self._expect(talk, rb"CAPABILITY")

    def tell_capabilities(self, talk: Conversation, *, starttls: bool, mechanisms: Sequence[str]) -> None:
        words = ["IMAP4rev1", *(["SASL-IR"] if self._initial else []), *(["STARTTLS"] if starttls else [])]
        # Without it the command LOGIN is offered, too.
        words += [f"AUTH={mechanism}" for mechanism in mechanisms] or ["LOGINDISABLED"]
        self._end(talk, b"OK done", before=f"* CAPABILITY {' '.join(words)}\r\n".encode())

    def asked_for_tls(self, talk: Conversation) -> None:
        self._expect(talk, rb"STARTTLS")

    def go_ahead(self, talk: Conversation, also: bytes = b"") -> None:
        talk.send(self._tags.pop(0) + b" OK begin TLS\r\n" + also)

    def refuse_tls(self, talk: Conversation) -> None:
        self._end(talk, b"NO TLS not available")

    def injection(self) -> bytes:
        return b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"

    def login(self, talk: Conversation, mechanism: str) -> bytes:
        name, initial = self._expect(talk, rb"AUTHENTICATE (\S+)(?: (\S+))?")
        if name != mechanism.encode():
            raise UnexpectedError(f"the client logs in by {name!r}, not by {mechanism}")
        if initial is not None:
            if not self._initial:
                raise UnexpectedError("the client sends an initial response that it was not allowed")
            return base64.b64decode(initial)
        prompt = {"LOGIN": b"Username:", "CRAM-MD5": b"<1.1@mail.test>"}.get(mechanism, b"")
        answer = self.challenge(talk, prompt)
        if answer is None:
            raise UnexpectedError("the client called the login off")
        return answer

    def asked_to_log_in(self, talk: Conversation) -> None:
        self._expect(talk, rb"(?:AUTHENTICATE|LOGIN) .*")

    def challenge(self, talk: Conversation, data: bytes) -> bytes | None:
        talk.send(self.challenge_start + base64.b64encode(data) + b"\r\n")
        line = talk.line()
        return None if line == b"*" else base64.b64decode(line, validate=True)

    def accept(self, talk: Conversation) -> None:
        self._end(talk, b"OK [CAPABILITY IMAP4rev1] welcome")

    def refuse(self, talk: Conversation) -> None:
        self._end(talk, b"NO [AUTHENTICATIONFAILED] no")

    def asked_whether_ready(self, talk: Conversation) -> None:
        # A test looks around first.
        (first,) = self._expect(talk, rb'(SELECT "INBOX"|LIST "" \*)')
        if first.startswith(b"LIST"):
            self._expect(talk, rb"STATUS INBOX \(MESSAGES UNSEEN\)")

    def ready(self, talk: Conversation) -> None:
        if len(self._tags) == 2:
            self._end(talk, b"OK done", before=b'* LIST () "/" INBOX\r\n')
            self._end(talk, b"OK done", before=b"* STATUS INBOX (MESSAGES 3 UNSEEN 1)\r\n")
            self._expect(talk, rb'EXAMINE "INBOX"')
        self._end(talk, b"OK done", before=b"* 3 EXISTS\r\n")

    def farewell(self, talk: Conversation) -> None:
        self._expect(talk, rb"LOGOUT")
        self._end(talk, b"OK done", before=b"* BYE\r\n")
