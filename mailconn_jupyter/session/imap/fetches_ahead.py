"""Fetches that are in flight: asked for before the answer to the last one was read (RFC 9051, 5.5).

What a server says of messages belongs to whoever asked, so whatever else is asked comes behind the answers that are still to
come: the client reads them first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .commands_imap import IMAPCommands, Part
from .errors import LinkLost, Refused

__all__ = ["Asked", "FetchesAhead"]

_COMMAND: Final = "UID FETCH"


class Asked:
    """One FETCH; ``done`` says whether the server has answered it, and ``refusal`` how, where it does not give all."""

    def __init__(self, uids: str, parts: str) -> None:
        self.uids, self.parts = uids, parts
        self.tag = b""
        self.link: Any = None  # a channel
        self.done = False
        self.refusal: Refused | None = None


class FetchesAhead:
    """Those of one reader. ``take`` is given each answer as it comes, ``moved`` called when numbers mean other messages."""

    def __init__(self, client: IMAPCommands, take: Callable[[list[Part]], None], moved: Callable[[], None]) -> None:
        self._client = client
        self._take, self._moved = take, moved
        self._flying: list[Asked] = []
        self._gone = 0

    def ask(self, uids: str, parts: str) -> Asked:
        """Send a FETCH, behind those that are in flight; raises where another reader's answer is still being read."""
        asked = Asked(uids, parts)
        self._send(asked)
        return asked

    def _send(self, asked: Asked) -> None:
        client = self._client
        if client.ahead is not self:
            client.settle()
        # Not to settle these.
        client.ahead = None
        try:
            asked.tag = client._command("UID", "FETCH", asked.uids, asked.parts)  # noqa: SLF001  # imaplib's own, here and below
            asked.link = client.sock
        finally:
            # In a process that was forked, it has gone over another link than those before it.
            others = [each for each in self._flying if each is not asked]
            self._flying = [each for each in (*others, asked) if self._is_ours(each)]
            client.ahead = self if self._flying else None
        if self._flying == [asked]:
            self._see_what_moved(anew=True)

    def finish(self, asked: Asked) -> None:
        """Read what is still to come of it; raises :class:`~.errors.Refused` where that is not all that was asked for.

        In a process that was forked meanwhile it is asked for again, over a link of its own.
        """
        client = self._client
        if not asked.done and not self._is_ours(asked):
            if client.sock is None:
                raise LinkLost("The link that this reply came over is gone.", cause="closed")
            self._send(asked)
        self._read(asked)
        if asked.refusal is not None:
            raise asked.refusal

    def settle(self) -> None:
        """Read all that is in flight, so that something else can be asked."""
        self._flying = [asked for asked in self._flying if self._is_ours(asked)]
        while self._flying:
            self._read(self._flying[0])
        self._client.ahead = None

    def _is_ours(self, asked: Asked) -> bool:
        channel = self._client.sock
        return channel is not None and asked.link is channel and not channel.forked

    def _read(self, asked: Asked) -> None:
        if asked.done:
            return
        # It may have lain there for as long as the reader of the last one liked.
        self._client.channel.begin_answer()
        while not asked.done:
            self._hear()

    def _hear(self) -> None:
        """Take one response in."""
        client = self._client
        client._get_response()  # noqa: SLF001
        client._check_bye()  # noqa: SLF001
        said = client.untagged_responses
        if found := said.pop("FETCH", None):
            self._take(found)
        self._see_what_moved()
        for asked in [each for each in self._flying if client.tagged_commands.get(each.tag) is not None]:
            self._flying.remove(asked)
            asked.done = True
            try:
                status, data = client._command_complete(_COMMAND, asked.tag)  # noqa: SLF001
            except Refused as refusal:
                asked.refusal = refusal
            else:
                if status != "OK":
                    asked.refusal = Refused("The server did not fetch that", status, data[-1] or b"")
        if not self._flying:
            client.ahead = None

    def _see_what_moved(self, *, anew: bool = False) -> None:
        gone = len(self._client.untagged_responses.get("EXPUNGE", ()))
        if anew or gone != self._gone:
            self._gone = gone
            self._moved()
