"""A client that was copied by a fork: it speaks over a link of its own, or not at all."""

from __future__ import annotations

from typing import Any, NoReturn

from ..transport.channel import Channel

__all__ = ["OwnLink"]


class OwnLink:
    """Asks before each command whose link it is; in a forked child the parent's hears nothing of it."""

    sock: Any

    def own(self, *, farewell: bool = False) -> None:
        """Make sure that the link is this process's: open one, or raise. A farewell is not worth a link."""
        if isinstance(self.sock, Channel) and self.sock.forked:
            if farewell:
                self.lost(self.sock.closed_here())
            self.reopen()

    def reopen(self) -> None:
        """Open a link in place of the parent's; raises where nobody knows how."""
        self.lost(self.sock.closed_here())

    def lost(self, error: Exception) -> NoReturn:
        """Close the session, and say why: what follows on the link could be anything."""
        raise NotImplementedError
