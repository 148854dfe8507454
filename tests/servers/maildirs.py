"""Read what Postfix delivered, straight from the maildirs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Maildirs:
    """A folder that holds one maildir a user."""

    folder: Path

    def messages(self, user: str) -> list[bytes]:
        """Return the user's messages as they arrived, oldest first."""
        return [path.read_bytes() for path in self._files(user)]

    def wait_for(self, user: str, token: bytes | str, seconds: float) -> bytes:
        """Return the first message that contains *token*, waiting for it up to *seconds*.

        Raises:
            TimeoutError: no such message came.
        """
        wanted = token.encode() if isinstance(token, str) else token
        deadline = time.monotonic() + seconds
        while True:
            messages = self.messages(user)
            for message in messages:
                if wanted in message:
                    return message
            if time.monotonic() > deadline:
                raise TimeoutError(f"no message with {wanted!r} for {user} in {seconds} s, of {len(messages)}")
            time.sleep(0.01)

    def clear(self) -> None:
        """Remove every message of every user."""
        for user in self.folder.iterdir():
            for path in self._files(user.name):
                path.unlink(missing_ok=True)

    def _files(self, user: str) -> Iterator[Path]:
        maildir = self.folder / user.partition("@")[0]
        # An IMAP session moves what it saw from new to cur.
        found = [path for part in ("new", "cur") for path in maildir.glob(f"{part}/*")]
        yield from sorted(found, key=lambda path: path.stat().st_mtime_ns)
