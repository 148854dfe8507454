"""POP3's side of the fault catalogue."""

from __future__ import annotations

import base64
import poplib
from collections.abc import Sequence

from tests.contract.kit import ProtocolKit
from tests.contract.smtp import expect
from tests.servers.conversation import Conversation, UnexpectedError

__all__ = ["POP3Kit"]


class POP3Kit(ProtocolKit):
    """RFC 1939, with CAPA (RFC 2449), STLS (RFC 2595) and AUTH (RFC 5034)."""

    protocol = "POP3"
    error = poplib.error_proto
    bad_greetings = (
        b"220 mail.test ESMTP\r\n",
        b"* OK IMAP4rev1 ready\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\r\n",
        b"OK ready\r\n",
        b"+ ready\r\n",
        b"-ERR not you\r\n",
        b"-ERR [SYS/TEMP] too busy\r\n",
        b"\x00\xff\x16\x03\x01\r\n",
    )
    greeting_start = b"+OK "
    challenge_start = b"+ "
    endless_line = b"+OK more\r\n"

    def greet(self, talk: Conversation) -> None:
        talk.send(b"+OK mail.test ready\r\n")

    def asked_for_capabilities(self, talk: Conversation) -> None:
        expect(talk, rb"CAPA")

    def tell_capabilities(self, talk: Conversation, *, starttls: bool, mechanisms: Sequence[str]) -> None:
        lines = ["+OK", "UIDL", *(["STLS"] if starttls else [])]
        lines += [f"SASL {' '.join(mechanisms)}"] if mechanisms else []
        talk.send("".join(f"{line}\r\n" for line in [*lines, "."]).encode())

    def asked_for_tls(self, talk: Conversation) -> None:
        expect(talk, rb"STLS")

    def go_ahead(self, talk: Conversation, also: bytes = b"") -> None:
        talk.send(b"+OK begin TLS\r\n" + also)

    def refuse_tls(self, talk: Conversation) -> None:
        talk.send(b"-ERR TLS not available\r\n")

    def injection(self) -> bytes:
        return b"+OK\r\nSASL PLAIN\r\n.\r\n"

    def login(self, talk: Conversation, mechanism: str) -> bytes:
        line = talk.line()
        command, name, *initial = line.split(b" ")
        if (command, name) != (b"AUTH", mechanism.encode()) or len(line) > 253:
            raise UnexpectedError(f"the client does not log in by {mechanism}, but says {line!r}")
        if initial:
            return base64.b64decode(initial[0])
        prompt = {"LOGIN": b"Username:", "CRAM-MD5": b"<1.1@mail.test>"}.get(mechanism, b"")
        answer = self.challenge(talk, prompt)
        if answer is None:
            raise UnexpectedError("the client called the login off")
        return answer

    def asked_to_log_in(self, talk: Conversation) -> None:
        expect(talk, rb"(?:AUTH|USER|APOP) .*")

    def challenge(self, talk: Conversation, data: bytes) -> bytes | None:
        talk.send(self.challenge_start + base64.b64encode(data) + b"\r\n")
        line = talk.line()
        return None if line == b"*" else base64.b64decode(line, validate=True)

    def accept(self, talk: Conversation) -> None:
        talk.send(b"+OK welcome\r\n")

    def refuse(self, talk: Conversation) -> None:
        talk.send(b"-ERR [AUTH] no\r\n")

    def asked_whether_ready(self, talk: Conversation) -> None:
        expect(talk, rb"STAT")

    def ready(self, talk: Conversation) -> None:
        talk.send(b"+OK 3 4711\r\n")

    def farewell(self, talk: Conversation) -> None:
        expect(talk, rb"QUIT")
        talk.send(b"+OK bye\r\n")
