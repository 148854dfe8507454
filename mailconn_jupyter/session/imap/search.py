"""``UID SEARCH`` with texts in any script: quoted where that can be, and as literals where it must be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from .client import IMAPClient
from .errors import Refused

__all__ = ["search", "sequence_set"]

_QUOTABLE: Final = re.compile(rb"[ -~]{0,500}")


def search(client: IMAPClient, words: Iterable[str | bytes], *, charset: str = "") -> list[int]:
    """The UIDs of the messages in the selected folder that fit, in ascending order.

    A word in bytes is a text to look for; ``charset`` is what those are in, empty for US-ASCII (RFC 9051, 6.4.4). Raises
    :class:`~mailconn_jupyter.session.imap.errors.Refused` with the server's words.
    """
    client.refuse("UID", ("SEARCH",))
    client.begin()
    client.untagged_responses.pop("SEARCH", None)
    tag: bytes = client._new_tag()  # noqa: SLF001  # imaplib's own
    line = tag + b" UID SEARCH" + (f" CHARSET {charset}".encode() if charset else b"")
    for word in words:
        if isinstance(word, str):
            line += b" " + word.encode("ascii")
        elif _QUOTABLE.fullmatch(word):
            line += b' "' + word.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        else:
            # RFC 9051, 4.3: what is not ASCII goes as a literal, for which the server says when.
            client.say(line + b" {%d}\r\n" % len(word))
            if (done := client.answer_to(tag)) is not None:
                _raise(done)
            line = word
    client.say(line + b"\r\n")
    done = client.answer_to(tag)
    if done is None or done[0] != "OK":
        _raise(done or ("BAD", b"it asks for more"))
    found: list[Any] = client.untagged_responses.pop("SEARCH", [])
    return sorted({int(number) for data in found if isinstance(data, bytes) for number in data.split()})


def _raise(done: tuple[str, bytes]) -> None:
    raise Refused("The server did not search for that", done[0], done[1])


def sequence_set(numbers: Iterable[int]) -> str:
    """The numbers as RFC 9051 writes a set of them.

    >>> sequence_set([9, 1, 2, 3, 5])
    '1:3,5,9'
    """
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)
