"""Which of a protocol's own classes the error of a failed opening is: callers of a library expect its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ...errors import OpenError

__all__ = ["OpenKinds"]

E = TypeVar("E", bound=OpenError)


@dataclass(frozen=True)
class OpenKinds(Generic[E]):
    """The classes of one protocol, from the most general one on."""

    other: type[E]
    unreachable: type[E]
    not_offered: type[E]
    login_refused: type[E]

    def of(self, error: OpenError, *, refused: bool) -> E:
        """The same error as one of them; ``refused``: the server said no, rather than nothing."""
        kind = self.other
        if error.cause in {"no-starttls", "no-mechanism", "no-login"}:
            kind = self.not_offered
        elif error.stage == "authenticate" and (refused or error.cause == "wrong-password"):
            kind = self.login_refused
        elif error.stage in {"resolve", "connect", "secure", "greet"}:
            kind = self.unreachable
        return kind(error.message, stage=error.stage, cause=error.cause, hint=error.hint)
