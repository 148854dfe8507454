"""What the tests know about a proxy, whichever program it is."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Proxy:
    """A running proxy on loopback."""

    port: int
    #: None where the proxy asks for no login.
    username: str | None
    password: str | None
    #: What the proxy logged.
    log: Path
    #: Finds one target in the log, by its groups ``host`` and ``port``.
    pattern: str
    host: str = "127.0.0.1"

    def targets(self) -> list[str]:
        """Return what the proxy was asked for so far, each as ``host:port``.

        The host is a name where the client left the resolving to the proxy, and an address
        where it resolved the name itself.
        """
        if not self.log.exists():
            return []
        text = self.log.read_text(errors="replace")
        return [f"{found['host']}:{found['port']}" for found in re.finditer(self.pattern, text)]

    def wait_for_target(self, target: str, seconds: float = 5.0) -> None:
        """Return once *target*, a ``host:port``, was logged; squid does so at a tunnel's end.

        Raises:
            TimeoutError: it was not logged within *seconds*.
        """
        deadline = time.monotonic() + seconds
        while target not in self.targets():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{target} was not asked for, only {self.targets()}")
            time.sleep(0.01)
