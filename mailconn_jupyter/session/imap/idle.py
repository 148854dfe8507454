"""IDLE over a channel: what the server says unasked (RFC 2177)."""

from __future__ import annotations

from typing import Any

from imap_tools.errors import MailboxTaggedResponseError
from imap_tools.idle import IdleManager

from ...transport.deadline import READ
from ...transport.transport_errors import TransportError

__all__ = ["PatientIdle"]

_LONGEST = 29 * 60.0  # seconds; RFC 2177: a server may log off who idles longer


class PatientIdle(IdleManager):
    """As imap_tools' own, which polls the socket: bytes that TLS or the channel holds already would not wake it.

    And which takes it for an error when the server has news before it says that it idles.
    """

    def __init__(self, mailbox: Any) -> None:
        super().__init__(mailbox)
        self._early: list[bytes] = []

    def start(self) -> None:
        """Begin to idle; what the server says before that is told by the first :meth:`poll`."""
        client: Any = self.mailbox.client
        self._early = []
        tag = self._idle_tag = client._command("IDLE")  # noqa: SLF001  # as imap_tools does, here and below
        while (line := client._get_response()) is not None:  # noqa: SLF001
            if (ended := client.tagged_commands[tag]) is not None:
                del client.tagged_commands[tag]
                raise MailboxTaggedResponseError(command_result=ended, expected="IDLE start")
            self._early.append(line)

    def stop(self) -> Any:
        """End it; returns what the server said meanwhile."""
        return super().stop()  # type: ignore[no-untyped-call]  # imap_tools does not say

    def poll(self, timeout: float | None) -> list[bytes]:
        """The lines that came, without their ends; waits up to ``timeout`` seconds (None: without end) for the first."""
        if timeout is not None and float(timeout) > _LONGEST:
            raise ValueError(
                "The maximum is 29 minutes: then end IDLE and start it again, or the server may log you off."
            )
        client: Any = self.mailbox.client
        channel = client.channel
        client.begin()
        lines, self._early = self._early, []
        if lines:
            timeout = 0.0
        limit = channel.limit if timeout is None else channel.limit.within(float(timeout))
        while b"\n" not in channel.buffered():
            if channel.at_end:
                client.readline()  # what is left of a line
                client.lost(TransportError("The server closed the link.", cause="closed"))
            try:
                limit.wait(channel, READ)
            except TransportError as error:
                if error.cause == "no-answer":
                    return lines
                client.lost(error)
        client.begin()
        # What comes meanwhile is for the next one: it might never end.
        return [*lines, *(client.readline().rstrip(b"\r\n") for _ in range(channel.buffered().count(b"\n")))]
