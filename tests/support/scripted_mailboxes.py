"""Mailboxes of servers that do not do what they should, scripted: what to do with each message is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mailconn_jupyter.connection import MailConnection
from tests.contract.imap import IMAPKit
from tests.contract.kit import Do
from tests.contract.pop3 import POP3Kit
from tests.servers.conversation import Conversation
from tests.servers.script import ScriptServer, Send
from tests.support.isolation import give_password
from tests.support.reading import to_script

__all__ = ["imap_of", "pop3_of"]


def stuffed(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", raw)


class POP3Box:
    """Three commands of a mailbox; ``top`` is how TOP fails, ``refused`` are the messages that it never gives.

    ``more_ids`` are lines that UIDL has besides.
    """

    def __init__(
        self,
        mails: Sequence[bytes],
        *,
        top: str,
        refused: Sequence[int] = (),
        pipelining: bool = False,
        more_ids: bytes = b"",
    ) -> None:
        self._more_ids = more_ids
        self._mails = mails
        self._top = top
        self._refused = refused
        self._pipelining = pipelining

    def capabilities(self, talk: Conversation) -> None:
        talk.line()
        words = ["UIDL", *(["TOP"] if self._top != "absent" else []), *(["PIPELINING"] if self._pipelining else [])]
        talk.send("".join(f"{line}\r\n" for line in ["+OK", *words, "SASL PLAIN", "."]).encode())

    def serve(self, talk: Conversation) -> None:
        while True:
            word, _, arguments = talk.line().decode().partition(" ")
            if word == "STAT":
                talk.send(b"+OK %d %d\r\n" % (len(self._mails), sum(map(len, self._mails))))
            elif word == "LIST":
                sizes = [b"%d %d\r\n" % (number, len(raw)) for number, raw in enumerate(self._mails, 1)]
                talk.send(b"+OK\r\n" + b"".join(sizes) + b".\r\n")
            elif word == "UIDL":
                ids = [b"%d u%d\r\n" % (number, number) for number in range(1, len(self._mails) + 1)]
                talk.send(b"+OK\r\n" + b"".join(ids) + self._more_ids + b".\r\n")
            elif word in {"TOP", "RETR"}:
                number, *lines = map(int, arguments.split())
                talk.send(self._message(word, number, lines))
            elif word == "NOOP":
                talk.send(b"+OK\r\n")
            else:
                talk.send(b"+OK bye\r\n")
                return

    def _message(self, word: str, number: int, lines: Sequence[int]) -> bytes:
        if number in self._refused or (word == "TOP" and self._top == "refused"):
            return b"-ERR not this one\r\n"
        raw = self._mails[number - 1]
        if word == "TOP":
            if lines == [0]:
                raw = raw[: raw.index(b"\r\n\r\n") + 4]
            elif self._top == "cut":
                raw = raw[:65536].rpartition(b"\r\n")[0] + b"\r\n"
            elif self._top == "undoubled":
                return b"+OK\r\n" + raw + b".\r\n"
        return b"+OK\r\n" + stuffed(raw) + b".\r\n"


@contextmanager
def pop3_of(mails: Sequence[bytes], **how: Any) -> Iterator[tuple[MailConnection, ScriptServer]]:
    """A connection to a POP3 server that has these messages, and the server."""
    box, kit = POP3Box(mails, **how), POP3Kit()
    give_password("ops", "s3cret-s3cret")
    script = [Send(b"+OK hi\r\n"), Do(box.capabilities), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    with ScriptServer([*script, Do(box.serve)], strict=False) as server:
        yield to_script("POP3", server.port, username="alice"), server


class IMAPBox:
    """SEARCH and FETCH of a mailbox; ``broken`` are the UIDs that it does not give, ``stops`` whether a FETCH ends there.

    Their flags and sizes it gives, unless ``lists`` is False; ``refuses_headers``: it does not search by HEADER.
    """

    def __init__(
        self,
        mails: Mapping[int, bytes],
        *,
        broken: Sequence[int] = (),
        stops: bool = False,
        lists: bool = True,
        refuses_headers: bool = False,
    ) -> None:
        self._mails = mails
        self._broken = broken
        self._stops = stops
        self._lists = lists
        self._refuses_headers = refuses_headers
        self.fetched: list[str] = []
        self.searched: list[str] = []

    def serve(self, talk: Conversation) -> None:
        while True:
            tag, _, command = talk.line().decode().partition(" ")
            self.searched += [command] if command.startswith("UID SEARCH") else []
            if command.startswith(("EXAMINE", "SELECT")):
                talk.send(f"* {len(self._mails)} EXISTS\r\n{tag} OK [READ-ONLY] done\r\n".encode())
            elif command.startswith("UID SEARCH") and "HEADER" in command and self._refuses_headers:
                talk.send(f"{tag} NO not by that header\r\n".encode())
            elif command.startswith("UID SEARCH"):
                low, high = map(int, re.findall(r"[0-9]+", command)[:2])
                found = sorted(self._mails)[low - 1 : high]
                talk.send(f"* SEARCH {' '.join(map(str, found))}\r\n{tag} OK done\r\n".encode())
            elif command.startswith("UID FETCH"):
                self._fetch(talk, tag, *command.split(" ", 3)[2:])
            else:
                talk.send(f"* BYE\r\n{tag} OK done\r\n".encode())
                if command == "LOGOUT":
                    return

    def _fetch(self, talk: Conversation, tag: str, numbers: str, items: str) -> None:
        self.fetched.append(numbers)
        refused = False
        for uid in uids(numbers):
            raw = self._mails[uid]
            if uid in self._broken and ("BODY" in items or not self._lists):
                refused = True
                if self._stops:
                    break
                continue
            number = sorted(self._mails).index(uid) + 1
            said = f"* {number} FETCH (UID {uid} FLAGS () RFC822.SIZE {len(raw)}".encode()
            if "BODY" in items:
                raw = raw[: raw.index(b"\r\n\r\n") + 4] if "HEADER" in items else raw
                said += b" BODY[] {%d}\r\n" % len(raw) + raw
            talk.send(said + b")\r\n")
        talk.send(f"{tag} {'NO [UNAVAILABLE] Some messages could not be had' if refused else 'OK done'}\r\n".encode())


def uids(numbers: str) -> Iterator[int]:
    """What a sequence set names."""
    for piece in numbers.split(","):
        first, _, last = piece.partition(":")
        yield from range(int(first), int(last or first) + 1)


@contextmanager
def imap_of(mails: Mapping[int, bytes], **how: Any) -> Iterator[tuple[MailConnection, IMAPBox]]:
    """A connection to an IMAP server that has these messages by their UIDs, and its mailbox."""
    box, kit = IMAPBox(mails, **how), IMAPKit()
    give_password("ops", "s3cret-s3cret")
    script = [*kit.offer("PLAIN"), Do(lambda talk: kit.login(talk, "PLAIN")), Do(kit.accept)]
    with ScriptServer([*script, Do(box.serve)], strict=False) as server:
        yield to_script("IMAP", server.port, username="alice"), box
