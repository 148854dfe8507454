"""SMTP's side of the fault catalogue."""

from __future__ import annotations

import base64
import re
import smtplib
from collections.abc import Sequence

from tests.contract.kit import ProtocolKit
from tests.servers.conversation import Conversation, UnexpectedError

__all__ = ["SMTPKit"]


def expect(talk: Conversation, pattern: bytes) -> re.Match[bytes]:
    """The client's next line, which must be as the regular expression says."""
    line = talk.line()
    match = re.fullmatch(pattern, line, re.IGNORECASE)
    if match is None:
        raise UnexpectedError(f"the script expects {pattern!r}, the client sent {line!r}")
    return match


class SMTPKit(ProtocolKit):
    """RFC 5321, with the extensions STARTTLS (RFC 3207) and AUTH (RFC 4954)."""

    protocol = "SMTP"
    error = smtplib.SMTPException
    bad_greetings = (
        b"* OK IMAP4rev1 ready\r\n",
        b"+OK POP3 ready\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\r\n",
        b"250 mail.test\r\n",
        b"220mail.test\r\n",
        b"554 5.7.1 not you\r\n",
        b"421 4.3.2 too busy\r\n",
        b"\x00\xff\x16\x03\x01\r\n",
    )
    greeting_start = b"220 "
    challenge_start = b"334 "
    connect_asks_last = False
    endless_line = b"250-MORE\r\n"

    def greet(self, talk: Conversation) -> None:
        talk.send(b"220 mail.test ESMTP\r\n")

    def asked_for_capabilities(self, talk: Conversation) -> None:
        expect(talk, rb"EHLO \S+")

    def tell_capabilities(self, talk: Conversation, *, starttls: bool, mechanisms: Sequence[str]) -> None:
        lines = ["mail.test", *(["STARTTLS"] if starttls else [])]
        lines += [f"AUTH {' '.join(mechanisms)}"] if mechanisms else []
        *more, last = lines
        talk.send("".join([*(f"250-{line}\r\n" for line in more), f"250 {last}\r\n"]).encode())

    def asked_for_tls(self, talk: Conversation) -> None:
        expect(talk, rb"STARTTLS")

    def go_ahead(self, talk: Conversation, also: bytes = b"") -> None:
        talk.send(b"220 2.0.0 go ahead\r\n" + also)

    def refuse_tls(self, talk: Conversation) -> None:
        talk.send(b"454 4.7.0 TLS not available\r\n")

    def injection(self) -> bytes:
        return b"250-mail.test\r\n250 AUTH PLAIN\r\n"

    def login(self, talk: Conversation, mechanism: str) -> bytes:
        match = expect(talk, rb"AUTH (\S+)(?: (\S+))?")
        if match.group(1) != mechanism.encode():
            raise UnexpectedError(f"the client logs in by {match.group(1)!r}, not by {mechanism}")
        if match.group(2) is not None:
            return base64.b64decode(match.group(2))
        prompt = {"LOGIN": b"Username:", "CRAM-MD5": b"<1.1@mail.test>"}.get(mechanism, b"")
        answer = self.challenge(talk, prompt)
        if answer is None:
            raise UnexpectedError("the client called the login off")
        return answer

    def asked_to_log_in(self, talk: Conversation) -> None:
        expect(talk, rb"AUTH .*")

    def challenge(self, talk: Conversation, data: bytes) -> bytes | None:
        talk.send(self.challenge_start + base64.b64encode(data) + b"\r\n")
        line = talk.line()
        return None if line == b"*" else base64.b64decode(line, validate=True)

    def accept(self, talk: Conversation) -> None:
        talk.send(b"235 2.7.0 welcome\r\n")

    def refuse(self, talk: Conversation) -> None:
        talk.send(b"535 5.7.8 no\r\n")

    def asked_whether_ready(self, talk: Conversation) -> None:
        expect(talk, rb"NOOP")

    def ready(self, talk: Conversation) -> None:
        talk.send(b"250 2.0.0 ok\r\n")

    def farewell(self, talk: Conversation) -> None:
        expect(talk, rb"QUIT")
        talk.send(b"221 2.0.0 bye\r\n")
