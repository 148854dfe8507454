"""The inbox of the sandbox: what was sent to it, in the order of arrival."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, overload

from ..errors import MailConnError
from ..formatting import counted
from .received import Received

__all__ = ["Inbox"]

MOST_BYTES: Final = 500_000_000
"""How much an inbox keeps; it lives in the kernel's memory."""


class Inbox(Sequence[Received]):
    """The messages that a sandbox has received, newest last: ``inbox[-1]`` is the newest.

    It fills from the server's thread; what it shows is what has arrived so far.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._messages: list[Received] = []
        self._bytes = 0
        self._most_bytes = most_bytes
        self._arrived = threading.Condition()

    @overload
    def __getitem__(self, index: int) -> Received: ...
    @overload
    def __getitem__(self, index: slice) -> list[Received]: ...
    def __getitem__(self, index: int | slice) -> Received | list[Received]:
        with self._arrived:
            try:
                return self._messages[index]
            except IndexError:
                count = len(self._messages)
        raise IndexError(f"inbox[{index}]: it contains {counted(count, 'message')}")

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Received]:
        return iter(self[:])

    def deliver(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> bool:
        """Take a message in; False when there is no room left for it. The server calls this."""
        with self._arrived:
            if self._bytes + len(raw) > self._most_bytes:
                return False
            self._bytes += len(raw)
            self._messages.append(Received(sender, recipients, raw, datetime.now(UTC).astimezone()))
            self._arrived.notify_all()
            return True

    def wait(self, count: int = 1, timeout: float = 10.0) -> Inbox:
        """Wait until at least ``count`` messages are here, and return the inbox.

        Raises :class:`~mailconn_jupyter.errors.MailConnError` when they are not after ``timeout`` seconds.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._messages) >= count, timeout):
                raise MailConnError(
                    f"{len(self._messages)} of {counted(count, 'message')} arrived within {timeout:g} s.",
                    hint="Check the outcome of whatever sends them.",
                )
        return self

    def clear(self) -> None:
        """Forget what has arrived."""
        with self._arrived:
            self._messages.clear()
            self._bytes = 0

    def __repr__(self) -> str:
        from .inbox_view import inbox_text  # noqa: PLC0415  # only what is shown needs it

        return inbox_text(self[:])

    def _repr_html_(self) -> str:
        from .inbox_view import inbox_html  # noqa: PLC0415

        return inbox_html(self[:])
