"""APPEND: messages into a folder, several in one round trip where the server takes that (RFC 9051, 6.3.12; RFC 7888).

Where it takes several in one command (RFC 3502), which are then all there or none, it writes them to its disk at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ...transport.transport_errors import readable
from ..response_codes import response_code
from .client import IMAPClient
from .errors import Refused
from .folders import encoded

__all__ = ["Appended", "append_all"]

# RFC 4315, 3: APPENDUID, of the folder and of the message.
_UID: Final = re.compile(rb"\[APPENDUID [0-9]+ ([0-9]{1,10})\]", re.IGNORECASE)


class Appended(NamedTuple):
    """What the server said of one message: ``uid`` is the message's, empty where it is not told; ``code`` a response code."""

    status: str
    code: str
    words: str
    uid: str

    @property
    def ok(self) -> bool:
        return self.status == "OK"

    @classmethod
    def of(cls, status: str, text: bytes) -> Appended:
        match = _UID.search(text)
        return cls(status, response_code(text), readable(text), match[1].decode() if match else "")


def append_all(client: IMAPClient, folder: str, messages: Sequence[bytes], flags: str) -> list[Appended]:
    r"""Put messages with CR LF line ends into a folder, each with the flags (``\Seen``), and return what was said of each.

    Raises :class:`~mailconn_jupyter.session.imap.errors.LinkLost` where the link breaks: which of them are there is then
    not known.
    """
    if "LITERAL+" not in client.capabilities:
        return [_alone(client, folder, message, flags) for message in messages]
    client.refuse("APPEND", (encoded(folder), flags))
    client.begin()
    if len(messages) > 1 and "MULTIAPPEND" in client.capabilities:
        together = _together(client, folder, messages, flags)
        if together.ok or together.code == "TRYCREATE":
            return [together] * len(messages)
    tags: list[bytes] = []
    for message in messages:
        tags.append(client._new_tag())  # noqa: SLF001  # imaplib's own
        line = tags[-1] + f" APPEND {encoded(folder)} ({flags}) {{{len(message)}+}}\r\n".encode()
        client.say(line + message + b"\r\n", shown=f"{line.decode().strip()} ({len(message)} bytes)")
    return [_answer(client, tag) for tag in tags]


def _together(client: IMAPClient, folder: str, messages: Sequence[bytes], flags: str) -> Appended:
    """By one command; its answer has a range of UIDs, of which none is told here."""
    tag: bytes = client._new_tag()  # noqa: SLF001  # imaplib's own
    head = tag + f" APPEND {encoded(folder)}".encode()
    for message in messages:
        line = head + f" ({flags}) {{{len(message)}+}}\r\n".encode()
        client.say(line + message, shown=f"{line.decode().strip()} ({len(message)} bytes)")
        head = b""
    client.say(b"\r\n")
    return _answer(client, tag)._replace(uid="")


def _answer(client: IMAPClient, tag: bytes) -> Appended:
    # A server that asks to go on has not seen that the message is there already.
    while (done := client.answer_to(tag)) is None:
        pass
    return Appended.of(*done)


def _alone(client: IMAPClient, folder: str, message: bytes, flags: str) -> Appended:
    try:
        status, said = client.append(encoded(folder), f"({flags})", "", message)
    except Refused as error:
        return Appended.of(error.status, error.words.encode())
    return Appended.of(status, said[-1] or b"" if said else b"")
