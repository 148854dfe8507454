"""What a person must see to sign in, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..formatting import counted
from .check import CheckReport

__all__ = ["SignInPrompt", "SignedIn"]


@dataclass(frozen=True)
class SignInPrompt:
    """What a person must see to sign in.

    By a device's code: open ``uri``, enter ``code`` within ``seconds``; ``link`` (may be empty) does both in one. By a
    link: open ``link``, and hand over the address of the page that then fails to load; ``uri`` and ``code`` are empty.
    """

    name: str
    uri: str = ""
    code: str = ""
    link: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        if not self.code:
            return (
                f"To sign in for {self.name!r}, open this link:\n\n{self.link}\n\n"
                "Its last page fails to load. Copy the address of that page, and paste it here."
            )
        return f"To sign in for {self.name!r}, open {self.uri} and enter the code {self.code} within {self.time}."

    @property
    def time(self) -> str:
        """How long there is to enter the code, in words."""
        return counted(max(round(self.seconds / 60), 1), "minute")


@dataclass(frozen=True)
class SignedIn:
    """A sign-in that succeeded: ``who`` is the account (empty where the issuer does not say), ``kept`` where, in words.

    ``until`` is when the access token ends, which is renewed by itself; ``report`` is the test of the connection, None
    where none was made.
    """

    name: str
    who: str
    until: datetime
    kept: str
    report: CheckReport | None = field(default=None, repr=False)

    def __str__(self) -> str:
        whose = f" as {self.who}" if self.who else ""
        tested = f" {self.report.summary}" if self.report is not None else ""
        return f"Signed in for {self.name!r}{whose}; kept {self.kept}.{tested}"
