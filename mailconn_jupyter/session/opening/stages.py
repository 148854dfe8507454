"""The stages of opening a session, and what is recorded of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ...errors import OpenError

__all__ = ["KEY_LOG", "STAGES", "Listener", "StageResult"]

#: The variable with which Python writes the keys of every TLS link into a file.
KEY_LOG: Final = "SSLKEYLOGFILE"

STAGES: Final = ("resolve", "connect", "secure", "greet", "authenticate", "ready")


@dataclass
class StageResult:
    """One stage: ``outcome`` is running, ok, failed, skipped or not reached.

    ``facts`` is details, label to text. Of a failure, ``cause`` is a short fixed word, ``message`` says what
    happened and ``hint`` what to do about it.
    """

    name: str
    outcome: str = "not reached"
    milliseconds: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)
    cause: str = ""
    message: str = ""
    hint: str = ""

    def fail(self, error: OpenError) -> None:
        """Record that it failed."""
        self.outcome = "failed"
        self.cause, self.message, self.hint = error.cause, error.message, error.hint

    def skip(self, why: str) -> None:
        """Record that there was nothing to do."""
        self.outcome, self.message = "skipped", why


Listener = Callable[[StageResult], None]
